//! The words of entries: as on the wire, without what all words of a kind begin with.

use hubkeep_audit_log::{CallResult, Cause, Entry, Operation, Phase, Severity};
use hubkeep_proto::error::v1::ErrorReason;

/// "PHASE_INTENT" is "INTENT"; what was never said is nothing.
fn word(name: &'static str, prefix: &str) -> &'static str {
    match name.strip_prefix(prefix) {
        Some("UNSPECIFIED") => "",
        Some(word) => word,
        None => name,
    }
}

pub(super) fn phase(phase: Phase) -> &'static str {
    word(phase.as_str_name(), "PHASE_")
}

pub(super) fn operation(operation: Operation) -> &'static str {
    word(operation.as_str_name(), "OPERATION_")
}

pub(super) fn result(result: CallResult) -> &'static str {
    word(result.as_str_name(), "RESULT_")
}

pub(super) fn severity(severity: Severity) -> &'static str {
    word(severity.as_str_name(), "SEVERITY_")
}

pub(super) fn cause(cause: Cause) -> &'static str {
    word(cause.as_str_name(), "CAUSE_")
}

pub(super) fn reason(entry: &Entry) -> &'static str {
    match entry.reason() {
        ErrorReason::Unspecified => "",
        reason => reason.wire_name(),
    }
}

/// A kind of words that a filter takes, each with its number on the wire.
pub(super) fn all<T: TryFrom<i32>>(said: fn(T) -> &'static str) -> Vec<(&'static str, i32)> {
    // As far as numbers of these enums go.
    let numbers = 1..1_000;
    let words = numbers.filter_map(|number| Some((said(T::try_from(number).ok()?), number)));
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    words
}

/// In the order of their numbers: for kinds that have one of their own.
pub(super) fn in_order<T: TryFrom<i32>>(said: fn(T) -> &'static str) -> Vec<(&'static str, i32)> {
    let mut words = all(said);
    words.sort_unstable_by_key(|(_, number)| *number);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_and_none_is_empty() {
        assert_eq!(
            in_order(phase).iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            ["INTENT", "OUTCOME", "DENIED", "ADMIN"]
        );
        let operations = all(operation);
        assert!(operations.contains(&("AUDIT_LIST", Operation::AuditList.into())));
        assert!(operations.iter().all(|(word, _)| !word.is_empty()));
        assert_eq!(in_order(severity).first(), Some(&("INFORMATIONAL", 1)));
        assert_eq!(all(result).len(), 4);
    }
}
