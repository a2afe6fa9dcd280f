//! How much an entry wants to be looked at: one rule, for whoever filters by it and whoever shows it.

use crate::{
    audit::v1::{Cause, Entry, Operation, Phase, Result, Severity},
    error::v1::ErrorReason,
};

impl Entry {
    /// Its severity, which follows from its other fields.
    pub fn severity(&self) -> Severity {
        if self.cause() == Cause::ForeignAnswer {
            return Severity::Critical;
        }
        if self.may_be_misuse() {
            return Severity::High;
        }
        match (self.phase(), self.result()) {
            (Phase::Denied, _) | (_, Result::Unknown) => Severity::Medium,
            (_, Result::Refused | Result::Failed) => Severity::Low,
            _ => Severity::Informational,
        }
    }

    fn may_be_misuse(&self) -> bool {
        let by_cause = matches!(
            self.cause(),
            Cause::HandleOfAnotherCaller
                | Cause::HandleOfAnotherAudience
                | Cause::HandleRevoked
                | Cause::ParentRevoked
                | Cause::Contained
        );
        by_cause
            || self.reason() == ErrorReason::PortalMismatch
            || matches!(
                self.operation(),
                Operation::QuotaUnaccounted | Operation::AuditUnanchored
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(phase: Phase, result: Result) -> Entry {
        Entry {
            phase: phase.into(),
            result: result.into(),
            ..Entry::default()
        }
    }

    #[test]
    fn what_points_at_misuse_is_above_what_merely_failed() {
        let of_another = Entry {
            reason: ErrorReason::PortalMismatch.into(),
            ..entry(Phase::Denied, Result::Refused)
        };
        let foreign = Entry {
            cause: Cause::ForeignAnswer.into(),
            ..entry(Phase::Outcome, Result::Unknown)
        };
        let table = [
            (entry(Phase::Intent, Result::Unspecified), Severity::Informational),
            (entry(Phase::Outcome, Result::Ok), Severity::Informational),
            (entry(Phase::Outcome, Result::Refused), Severity::Low),
            (entry(Phase::Outcome, Result::Failed), Severity::Low),
            (entry(Phase::Outcome, Result::Unknown), Severity::Medium),
            (entry(Phase::Denied, Result::Refused), Severity::Medium),
            (of_another, Severity::High),
            (foreign, Severity::Critical),
        ];
        for (entry, severity) in table {
            assert_eq!(entry.severity(), severity, "{entry:?}");
        }
    }
}
