//! An event as one line for people.

use anstyle::Style;
use hubkeep_proto::{
    audit::v1::{Cause, Entry, Event, Operation, Phase, Result as EntryResult},
    error::v1::ErrorReason,
};

use crate::{
    commands::time::time_of_day,
    output::{BAD, FAINT, GOOD, STRONG, printable},
};

/// "17:45:25.123  crm-service 12  outcome  object-get  acme  contacts  ok 200 · 3 records · 4 ms".
pub(crate) fn of(event: &Event) -> String {
    let entry = event.entry.clone().unwrap_or_default();
    let who = if entry.client_slug.is_empty() {
        "system"
    } else {
        entry.client_slug.as_str()
    };
    let style = style(&entry);
    format!(
        "{FAINT}{time}  {service:<18} {position:>4}{FAINT:#}  {style}{phase:<8}{style:#} {operation:<17} \
         {STRONG}{who:<10}{STRONG:#} {about}",
        time = time_of_day(entry.entry_time.as_ref()),
        service = printable(service(&event.log)),
        position = event.position,
        phase = phase(entry.phase()),
        operation = operation(entry.operation()),
        who = printable(who),
        about = printable(&about(&entry)),
    )
}

/// The service's part of "<deployment>/<service>/<portal>".
fn service(log: &str) -> &str {
    log.rsplit('/').nth(1).unwrap_or(log)
}

fn style(entry: &Entry) -> Style {
    match (entry.phase(), entry.result()) {
        (Phase::Denied, _) => BAD,
        (_, EntryResult::Refused | EntryResult::Failed | EntryResult::Unknown) => BAD,
        (Phase::Outcome | Phase::Admin, _) => GOOD,
        _ => Style::new(),
    }
}

fn about(entry: &Entry) -> String {
    let mut parts = Vec::new();
    if !entry.object_type.is_empty() {
        parts.push(entry.object_type.clone());
    }
    match entry.phase() {
        Phase::Intent => parts.push(format!("{} {}", entry.http_method, entry.path_template)),
        _ => parts.push(result(entry)),
    }
    if entry.attempt > 1 {
        parts.push(format!("attempt {}", entry.attempt));
    }
    if entry.occurrence_count > 1 {
        parts.push(format!("{} times", entry.occurrence_count));
    }
    match entry.record_count {
        0 => {}
        1 => parts.push("1 record".to_owned()),
        many => parts.push(format!("{many} records")),
    }
    if let Some(duration) = entry.duration {
        let micros = duration
            .seconds
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(duration.nanos) / 1_000);
        parts.push(format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100));
    }
    parts.push(format!("by {}", entry.caller));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// "ok 200", "refused PORTAL_MISMATCH", "unknown (timeout)".
fn result(entry: &Entry) -> String {
    let mut words = vec![word(entry.result().as_str_name(), "RESULT_")];
    if entry.status_code != 0 {
        words.push(entry.status_code.to_string());
    }
    if entry.reason() != ErrorReason::Unspecified {
        words.push(entry.reason().wire_name().to_owned());
    }
    if entry.cause() != Cause::Unspecified {
        words.push(format!(
            "({})",
            word(entry.cause().as_str_name(), "CAUSE_").replace('-', " ")
        ));
    }
    words.join(" ")
}

fn phase(phase: Phase) -> String {
    word(phase.as_str_name(), "PHASE_")
}

/// "object-get".
pub(crate) fn operation(operation: Operation) -> String {
    word(operation.as_str_name(), "OPERATION_")
}

/// "PHASE_INTENT" is "intent".
fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_lowercase()
        .replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(entry: Entry) -> String {
        let event = Event {
            position: 12,
            index: 0,
            log: "dev/crm-service/42".to_owned(),
            entry: Some(entry),
            leaf: Vec::new(),
        };
        anstream::adapter::strip_str(&of(&event)).to_string()
    }

    #[test]
    fn an_intent_shows_what_is_about_to_be_sent() {
        let line = plain(Entry {
            phase: Phase::Intent.into(),
            operation: Operation::ObjectGet.into(),
            client_slug: "acme".to_owned(),
            object_type: "contacts".to_owned(),
            http_method: "GET".to_owned(),
            path_template: "/crm/objects/2026-09/contacts/{id}".to_owned(),
            caller: "nightly-sync".to_owned(),
            ..Entry::default()
        });
        for part in [
            "crm-service",
            "12",
            "intent",
            "object-get",
            "acme",
            "GET /crm/objects",
            "by nightly-sync",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }

    #[test]
    fn a_denial_shows_reason_and_cause_and_belongs_to_the_system_without_a_portal() {
        let line = plain(Entry {
            phase: Phase::Denied.into(),
            operation: Operation::ObjectList.into(),
            result: EntryResult::Refused.into(),
            reason: ErrorReason::HandleInvalid.into(),
            cause: Cause::HandleRevoked.into(),
            ..Entry::default()
        });
        for part in ["denied", "system", "refused HANDLE_INVALID (handle revoked)"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}
