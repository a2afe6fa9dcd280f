//! `hubkeep audit open` and `hubkeep audit erase`: what lies sealed beside entries.

use std::fmt::Write as _;

use clap::Args;
use hubkeep_proto::audit::v1::{
    ErasePayloadsRequest, OpenPayloadRequest, OpenPayloadResponse, PayloadCondition, PayloadRecord,
    PayloadState, PayloadSubject, SealedPayload, audit_service_client::AuditServiceClient,
    erase_payloads_request::Of,
};

use super::line;
use crate::{
    channel::Service,
    commands::{confirm, time::day_and_time},
    errors::Error,
    exit::Exit,
    output::{Output, STRONG, printable},
    wire_json,
};

#[derive(Args, Debug)]
pub(super) struct OpenArgs {
    /// The position of the entry in crm-service's log, as `audit list` has it: that of an intent.
    position: u64,
    /// Why, in a line. It stands in the portal's log: no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Debug)]
pub(super) struct EraseArgs {
    #[command(flatten)]
    of: Erased,
    /// The portal's slug.
    #[arg(long, value_name = "SLUG", requires = "object_id")]
    client: Option<String>,
    /// The record's type.
    #[arg(long = "type", value_name = "TYPE", requires = "object_id")]
    object_type: Option<String>,
    /// Why, in a line. It stands in the portal's log: no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Of which entries.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Erased {
    /// The position of the entry in crm-service's log.
    position: Option<u64>,
    /// All whose call was about the record with this id of HubSpot's; with --client and --type.
    #[arg(long, value_name = "ID", requires = "client", requires = "object_type")]
    object_id: Option<String>,
}

/// Opens what lies sealed beside an entry.
pub(super) async fn open(args: OpenArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let mut client = AuditServiceClient::new(service.connection());
    let request = OpenPayloadRequest {
        position: args.position,
        reason: args.reason,
    };
    let opened = client.open_payload(request).await;
    let opened = opened.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of("hubkeep.audit.v1.OpenPayloadResponse", &opened)?)?;
    } else {
        print(&opened, output)?;
    }
    Ok(Exit::Done)
}

/// Has what lies sealed beside entries erased.
pub(super) async fn erase(args: EraseArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let (of, question) = match args.of {
        Erased {
            position: Some(position),
            ..
        } => (
            Of::Position(position),
            format!("What lies sealed beside entry {position} is erased for good."),
        ),
        Erased { object_id, .. } => {
            let subject = PayloadSubject {
                client_slug: args.client.unwrap_or_default(),
                object_type: args.object_type.unwrap_or_default(),
                object_id: object_id.unwrap_or_default(),
            };
            let question = format!(
                "What lies sealed beside all entries about this record of {} is erased for good.",
                printable(&subject.client_slug)
            );
            (Of::Subject(subject), question)
        }
    };
    confirm::sure(&question, args.yes, output)?;
    let mut client = AuditServiceClient::new(service.connection());
    let request = ErasePayloadsRequest {
        of: Some(of),
        reason: args.reason,
    };
    let erased = client.erase_payloads(request).await;
    let erased = erased.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of("hubkeep.audit.v1.ErasePayloadsResponse", &erased)?)?;
    } else {
        output.line(&format!(
            "{} erased; on record at position {}",
            erased.erased_count, erased.erased_position
        ))?;
    }
    Ok(Exit::Done)
}

fn print(opened: &OpenPayloadResponse, output: &Output) -> Result<(), Error> {
    if let Some(event) = &opened.event {
        output.line(&line::of(event))?;
    }
    output.line(&state(opened))?;
    if let Some(payload) = &opened.payload {
        for line in lines(payload) {
            output.line(&line)?;
        }
    }
    Ok(())
}

fn state(opened: &OpenPayloadResponse) -> String {
    let when = day_and_time(opened.gone_time.as_ref());
    match (opened.state(), opened.erased_position) {
        (PayloadState::Opened, _) => "opened: that is on record".to_owned(),
        (PayloadState::None, _) => "nothing was sealed beside this entry".to_owned(),
        (PayloadState::Expired, _) => format!("expired {when}"),
        (PayloadState::Erased, 0) => format!("erased {when}, with its portal"),
        (PayloadState::Erased, position) => {
            format!("erased {when}; position {position} says by whom and why")
        }
        (PayloadState::Unspecified, _) => "the service does not say what is to be had".to_owned(),
    }
}

fn lines(payload: &SealedPayload) -> Vec<String> {
    let mut lines = Vec::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("{STRONG}{name}{STRONG:#}  {}", printable(value)));
        }
    };
    field("end user", &payload.end_user);
    field("path", &payload.path);
    field("words", &payload.query);
    for record in &payload.records {
        field("record", &named(record));
        for value in &record.values {
            field(
                "  writes",
                &format!("{} = {}{}", value.name, value.value, more(value.cut)),
            );
        }
    }
    for condition in &payload.conditions {
        field("searches", &compared(condition));
    }
    let left_out = payload.records_left_out.saturating_add(payload.values_left_out);
    if left_out > 0 {
        field(
            "left out",
            &format!(
                "{} records and {} values: they were too much",
                payload.records_left_out, payload.values_left_out
            ),
        );
    }
    lines
}

fn named(record: &PayloadRecord) -> String {
    match (record.object_id.as_str(), record.id_property.as_str()) {
        ("", _) => format!("{}, new", record.object_type),
        (id, "") => format!("{} {id}", record.object_type),
        (id, property) => format!("{} with {property} = {id}", record.object_type),
    }
}

fn compared(condition: &PayloadCondition) -> String {
    let mut text = format!("{} {}", condition.property, condition.operator);
    for value in &condition.values {
        // Into a text: it cannot fail.
        let _ = write!(text, " {value}");
    }
    text.push_str(more(condition.cut));
    text
}

const fn more(cut: bool) -> &'static str {
    if cut { "… (cut)" } else { "" }
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::audit::v1::PayloadValue;

    use super::*;

    #[test]
    fn what_was_opened_is_shown_whole_and_what_is_missing_is_said() {
        let payload = SealedPayload {
            end_user: "user-17".to_owned(),
            path: "/crm/objects/2026-09/contacts/4711".to_owned(),
            records: vec![PayloadRecord {
                object_type: "contacts".to_owned(),
                object_id: "4711".to_owned(),
                values: vec![PayloadValue {
                    name: "note".to_owned(),
                    value: "long".to_owned(),
                    cut: true,
                }],
                ..PayloadRecord::default()
            }],
            conditions: vec![PayloadCondition {
                property: "email".to_owned(),
                operator: "EQ".to_owned(),
                values: vec!["ann@acme.test".to_owned()],
                cut: false,
            }],
            values_left_out: 3,
            ..SealedPayload::default()
        };
        let shown = lines(&payload).join("\n");
        for told in [
            "user-17",
            "contacts/4711",
            "contacts 4711",
            "note = long… (cut)",
            "email EQ ann@acme.test",
            "0 records and 3 values",
        ] {
            assert!(shown.contains(told), "{told} in {shown}");
        }
    }

    #[test]
    fn what_is_gone_is_said_with_how_it_went() {
        let gone = |state: PayloadState, erased_position| {
            state_of(OpenPayloadResponse {
                state: state.into(),
                erased_position,
                ..OpenPayloadResponse::default()
            })
        };
        assert!(gone(PayloadState::Expired, 0).starts_with("expired"));
        assert!(gone(PayloadState::Erased, 0).contains("with its portal"));
        assert!(gone(PayloadState::Erased, 7).contains("position 7"));
    }

    fn state_of(opened: OpenPayloadResponse) -> String {
        state(&opened)
    }
}
