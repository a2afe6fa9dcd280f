//! An event as a row: the same columns for every table, in the same order.

use hubkeep_proto::{
    audit::v1::{Cause, Entry, Event, Operation, Phase, Result as EntryResult},
    error::v1::ErrorReason,
};
use jiff::Timestamp;

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Number(i64),
    /// A number that nobody knows.
    Unknown,
}

/// The columns: each name, and whether it holds numbers.
pub(super) const COLUMNS: [(&str, bool); 40] = [
    ("position", true),
    ("index", true),
    ("log", false),
    ("entry_id", false),
    ("time", false),
    ("phase", false),
    ("operation", false),
    ("result", false),
    ("severity", false),
    ("reason", false),
    ("cause", false),
    ("client_slug", false),
    ("portal_id", true),
    ("caller", false),
    ("handle_id", false),
    ("purpose_code", false),
    ("credential_version", true),
    ("object_type", false),
    ("object_ref", false),
    ("record_count", true),
    ("http_method", false),
    ("path_template", false),
    ("status_code", true),
    ("duration_us", true),
    ("request_bytes", true),
    ("response_bytes", true),
    ("quota_daily_left", true),
    ("quota_interval_left", true),
    ("attempt", true),
    ("occurrence_count", true),
    ("call_id", false),
    ("physical_id", false),
    ("request_id", false),
    ("grpc_method", false),
    ("hubspot_correlation_id", false),
    ("subject", false),
    ("payload_sha256", false),
    ("actor_ref", false),
    ("trace_id", false),
    ("instance", false),
];

/// The cells of an event, one for each column.
pub(super) fn cells(event: &Event) -> Vec<Cell> {
    let nothing = Entry::default();
    let entry = event.entry.as_ref().unwrap_or(&nothing);
    let quota = entry.quota_left.unwrap_or_default();
    vec![
        number(event.position),
        number(event.index),
        text(&event.log),
        text(&entry.entry_id),
        Cell::Text(time(entry)),
        Cell::Text(phase(entry.phase())),
        Cell::Text(operation(entry.operation())),
        Cell::Text(result(entry.result())),
        Cell::Text(severity(entry)),
        text(reason(entry)),
        Cell::Text(cause(entry)),
        text(&entry.client_slug),
        number(entry.portal_id),
        text(&entry.caller),
        text(&entry.handle_id),
        text(&entry.purpose_code),
        number(entry.credential_version),
        text(&entry.object_type),
        text(&entry.object_ref),
        number(entry.record_count.into()),
        text(&entry.http_method),
        text(&entry.path_template),
        number(entry.status_code.into()),
        micros(entry).map_or(Cell::Unknown, Cell::Number),
        number(entry.request_bytes),
        number(entry.response_bytes),
        quota.daily.map_or(Cell::Unknown, Cell::Number),
        quota.interval.map_or(Cell::Unknown, Cell::Number),
        number(entry.attempt.into()),
        number(entry.occurrence_count.into()),
        text(&entry.call_id),
        text(&entry.physical_id),
        text(&entry.request_id),
        text(&entry.grpc_method),
        text(&entry.hubspot_correlation_id),
        text(&entry.subject),
        Cell::Text(hex(&entry.payload_sha256)),
        text(&entry.actor_ref),
        text(&entry.trace_id),
        text(&entry.instance),
    ]
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn number(number: u64) -> Cell {
    Cell::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// When it was made, by RFC 3339 in UTC.
pub(super) fn time(entry: &Entry) -> String {
    let made = entry.entry_time.unwrap_or_default();
    Timestamp::new(made.seconds, made.nanos).map_or_else(|_| String::new(), |made| made.to_string())
}

/// How long it took, in microseconds.
pub(super) fn micros(entry: &Entry) -> Option<i64> {
    let took = entry.duration?;
    Some(
        took.seconds
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(took.nanos) / 1_000),
    )
}

/// "PHASE_INTENT" is "INTENT"; what was never said is nothing.
fn word(name: &str, prefix: &str) -> String {
    match name.strip_prefix(prefix) {
        Some("UNSPECIFIED") => String::new(),
        Some(word) => word.to_owned(),
        None => name.to_owned(),
    }
}

pub(super) fn phase(phase: Phase) -> String {
    word(phase.as_str_name(), "PHASE_")
}

pub(super) fn operation(operation: Operation) -> String {
    word(operation.as_str_name(), "OPERATION_")
}

pub(super) fn result(result: EntryResult) -> String {
    word(result.as_str_name(), "RESULT_")
}

pub(super) fn severity(entry: &Entry) -> String {
    word(entry.severity().as_str_name(), "SEVERITY_")
}

pub(super) fn cause(entry: &Entry) -> String {
    let cause: Cause = entry.cause();
    word(cause.as_str_name(), "CAUSE_")
}

pub(super) fn reason(entry: &Entry) -> &'static str {
    match entry.reason() {
        ErrorReason::Unspecified => "",
        reason => reason.wire_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_of_its_kind_for_each_column() {
        let cells = cells(&Event::default());
        assert_eq!(cells.len(), COLUMNS.len());
        for (cell, (name, is_number)) in cells.iter().zip(COLUMNS) {
            assert_eq!(
                matches!(cell, Cell::Number(_) | Cell::Unknown),
                is_number,
                "{name}"
            );
        }
    }
}
