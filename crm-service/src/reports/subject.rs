//! Every access to one record: for a person who asks who saw what is kept of them.

use hubkeep_audit_log::{Cause, Entry, Operation, Phase};
use hubkeep_core::error::ErrorReason;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    ask::Subject,
    error::Error,
    page::{Page, words},
    source::{Source, made},
    tally::{operation_name, written},
};

/// What a report of accesses says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    object_type: String,
    /// The keyed hash by which entries know the record. Its id is in no entry.
    object_ref: String,
    accesses: Vec<Access>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Access {
    /// When, in UTC.
    time: String,
    caller: String,
    operation: String,
    /// "DONE", "REFUSED", "FAILED", "UNKNOWN", or "DENIED" where nothing was sent.
    result: String,
    purpose_code: String,
    handle_id: String,
    call_id: String,
    entry_id: String,
    /// The place of the entry in the portal's log.
    index: u64,
}

/// What no report of accesses tells.
const NEVER_TOLD: [&str; 2] = [
    "associations: a call about what another record is associated with may have shown that this one exists: such calls name the \
     record that they were about, and not those at the other end",
    "other names: a call that named the record by a property of its own, such as its address, is told only if HubSpot's answer \
     gave its id",
];

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source, subject: &Subject) -> Result<(Page, Value), Error> {
    let (mut accesses, mut lost) = (Vec::new(), 0_u64);
    source
        .ours(|event| {
            let Some(entry) = &event.entry else { return };
            if is_access(entry, subject) {
                accesses.push(access(entry, event.index));
            } else if names_nobody(entry, subject) {
                lost += 1;
            }
        })
        .await?;
    let body = Body {
        object_type: subject.object_type.clone(),
        object_ref: subject.object_ref.clone(),
        accesses,
    };
    let mut page = page(&body);
    page.gaps = NEVER_TOLD.map(str::to_owned).into();
    if lost > 0 {
        page.gaps.push(format!(
            "{lost} calls about many records of this type were cut off when the process was lost: what came of them is not known, and \
             which records they were about is sealed beside their entries: `hubkeep audit open`"
        ));
    }
    Ok((page, serde_json::to_value(body)?))
}

/// Whether an entry says that somebody got at the record, or was kept from it; at HubSpot, or at what lies sealed beside entries.
fn is_access(entry: &Entry, subject: &Subject) -> bool {
    let is_one = match entry.phase() {
        Phase::Outcome | Phase::Denied => true,
        Phase::Admin => matches!(
            entry.operation(),
            Operation::PayloadOpen | Operation::PayloadErase
        ),
        Phase::Unspecified | Phase::Intent => false,
    };
    is_one && (entry.object_ref == subject.object_ref || names(entry, subject))
}

/// Whether it is of a call about many records of the type, closed when its process was lost: only what lies sealed beside its
/// intent says which these were.
fn names_nobody(entry: &Entry, subject: &Subject) -> bool {
    let of_many = matches!(
        entry.operation(),
        Operation::ObjectBatchRead
            | Operation::ObjectBatchUpdate
            | Operation::ObjectBatchArchive
            | Operation::ObjectUpsert
            | Operation::ObjectMerge
            | Operation::ObjectList
            | Operation::ObjectSearch
    );
    of_many
        && entry.phase() == Phase::Outcome
        && entry.cause() == Cause::ProcessLost
        && entry.object_type == subject.object_type
        && entry.record_refs.is_empty()
}

/// Whether the record is one of several that came back.
fn names(entry: &Entry, subject: &Subject) -> bool {
    let wanted = &subject.record_ref;
    entry
        .record_refs
        .chunks_exact(wanted.len())
        .any(|one| one == wanted)
}

fn access(entry: &Entry, index: u64) -> Access {
    let result = match (entry.phase(), entry.reason()) {
        (Phase::Denied, ErrorReason::Unspecified) => "DENIED".to_owned(),
        (Phase::Denied, reason) => format!("DENIED: {}", reason.wire_name()),
        _ => match entry.result() {
            hubkeep_audit_log::CallResult::Ok => "DONE".to_owned(),
            other => other.as_str_name().trim_start_matches("RESULT_").to_owned(),
        },
    };
    Access {
        time: made(entry).map(written).unwrap_or_default(),
        caller: entry.caller.clone(),
        operation: operation_name(entry.operation()),
        result,
        purpose_code: entry.purpose_code.clone(),
        handle_id: entry.handle_id.clone(),
        call_id: entry.call_id.clone(),
        entry_id: entry.entry_id.clone(),
        index,
    }
}

fn page(body: &Body) -> Page {
    let mut page = Page::with(vec![
        ("Type", body.object_type.clone()),
        ("Keyed hash of the record's id", body.object_ref.clone()),
        ("Accesses", body.accesses.len().to_string()),
    ]);
    page.section(
        "Accesses",
        "Oldest first, in UTC. Each is an entry of the audit log, which can be proven.",
        [
            "Time",
            "Caller",
            "Operation",
            "Result",
            "Purpose",
            "Handle",
            "Call",
            "Entry",
        ]
        .map(words)
        .to_vec(),
        body.accesses
            .iter()
            .map(|access| {
                vec![
                    access.time.clone(),
                    access.caller.clone(),
                    access.operation.clone(),
                    access.result.clone(),
                    access.purpose_code.clone(),
                    access.handle_id.clone(),
                    access.call_id.clone(),
                    format!("{} (index {})", access.entry_id, access.index),
                ]
            })
            .collect(),
    );
    page
}
