//! What is counted: which entries of the log, and for whom.

use hubkeep_audit_log::{CallResult, Entry, Filter, Operation, Phase};
use hubkeep_core::error::ErrorReason;

/// What a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Answers of HubSpot with a status from 500 to 599.
    HubSpotFailures,
    /// Answers of HubSpot, of which so many in a hundred have such a status.
    HubSpotFailureShare,
    /// Calls that gave contacts, by caller and by the person on whose behalf it asks.
    ContactReads,
    /// Refusals, by caller.
    DeniedCalls,
    /// Refusals because the handle is for another portal than was named, by caller.
    WrongPortal,
    /// Entries that say that somebody else calls with a portal's token.
    UnaccountedUse,
    /// Entries that say that the log is not anchored where it should be.
    Unanchored,
    /// Entries that say that a portal's token is older than it should be.
    RotationOverdue,
}

/// Operations that give contacts, where their type is contacts.
const READS: [Operation; 4] = [
    Operation::ObjectGet,
    Operation::ObjectList,
    Operation::ObjectSearch,
    Operation::ObjectBatchRead,
];

/// As entries write it.
const CONTACTS: [&str; 2] = ["contacts", "0-1"];

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::HubSpotFailures,
        Self::HubSpotFailureShare,
        Self::ContactReads,
        Self::DeniedCalls,
        Self::WrongPortal,
        Self::UnaccountedUse,
        Self::Unanchored,
        Self::RotationOverdue,
    ];

    /// As configuration, tables and people name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HubSpotFailures => "hubspot-failures",
            Self::HubSpotFailureShare => "hubspot-failure-share",
            Self::ContactReads => "contact-reads",
            Self::DeniedCalls => "denied-calls",
            Self::WrongPortal => "wrong-portal",
            Self::UnaccountedUse => "unaccounted-use",
            Self::Unanchored => "unanchored",
            Self::RotationOverdue => "rotation-overdue",
        }
    }

    /// Whether there is one of it at a portal, where a rule of its own may be put.
    pub const fn is_of_portals(self) -> bool {
        !matches!(self, Self::Unanchored)
    }

    /// Whether so many in a hundred are meant by its threshold and its counts, not so many.
    pub const fn is_share(self) -> bool {
        matches!(self, Self::HubSpotFailureShare)
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What was counted, for a sentence that begins with how many.
    pub(super) const fn counted(self) -> &'static str {
        match self {
            Self::HubSpotFailures => "answers of HubSpot with a 5xx status",
            Self::HubSpotFailureShare => "% of HubSpot's answers with a 5xx status",
            Self::ContactReads => "reads of contacts",
            Self::DeniedCalls => "refused calls",
            Self::WrongPortal => "calls that named another portal than their handle is for",
            Self::UnaccountedUse => "notes that somebody else calls with the portal's token",
            Self::Unanchored => "notes that the log is not anchored",
            Self::RotationOverdue => "notes that the portal's token is older than it should be",
        }
    }

    /// For how many an entry counts: 0 for none.
    pub(super) fn count(self, entry: &Entry) -> u64 {
        match self {
            Self::HubSpotFailures => u64::from(entry.phase() == Phase::Outcome && has_failed(entry)),
            Self::HubSpotFailureShare => u64::from(entry.phase() == Phase::Outcome && entry.status_code > 0),
            Self::ContactReads => u64::from(
                entry.phase() == Phase::Outcome
                    && entry.result() == CallResult::Ok
                    && READS.contains(&entry.operation())
                    && CONTACTS.contains(&entry.object_type.as_str()),
            ),
            Self::DeniedCalls => refusals(entry),
            Self::WrongPortal => match entry.reason() {
                ErrorReason::PortalMismatch => refusals(entry),
                _ => 0,
            },
            Self::UnaccountedUse => u64::from(entry.operation() == Operation::QuotaUnaccounted),
            Self::Unanchored => u64::from(entry.operation() == Operation::AuditUnanchored),
            Self::RotationOverdue => u64::from(entry.operation() == Operation::RotationOverdue),
        }
    }

    /// For whom it counts: a caller, or all together.
    pub(super) fn subject(self, entry: &Entry) -> &str {
        match self {
            Self::HubSpotFailures
            | Self::HubSpotFailureShare
            | Self::UnaccountedUse
            | Self::Unanchored
            | Self::RotationOverdue => "",
            Self::ContactReads | Self::DeniedCalls | Self::WrongPortal => &entry.caller,
        }
    }

    /// For which of the people on whose behalf it asks; empty where all of them are counted together.
    pub(super) fn actor(self, entry: &Entry) -> &str {
        match self {
            Self::ContactReads => &entry.actor_ref,
            _ => "",
        }
    }

    /// The entries among which those lie that count.
    pub(super) fn filter(self) -> Filter {
        let (phases, operations) = match self {
            Self::HubSpotFailures | Self::HubSpotFailureShare => (vec![Phase::Outcome], Vec::new()),
            Self::ContactReads => (vec![Phase::Outcome], READS.to_vec()),
            Self::DeniedCalls | Self::WrongPortal => (vec![Phase::Denied], Vec::new()),
            Self::UnaccountedUse => (vec![Phase::Admin], vec![Operation::QuotaUnaccounted]),
            Self::Unanchored => (vec![Phase::Admin], vec![Operation::AuditUnanchored]),
            Self::RotationOverdue => (vec![Phase::Admin], vec![Operation::RotationOverdue]),
        };
        Filter {
            phases,
            operations,
            ..Filter::all()
        }
    }

    /// The entries among which those of all kinds lie.
    pub(super) fn filter_of_all() -> Filter {
        Filter {
            phases: vec![Phase::Outcome, Phase::Denied, Phase::Admin],
            ..Filter::all()
        }
    }
}

/// Whether HubSpot answered that it could not.
pub(super) fn has_failed(entry: &Entry) -> bool {
    (500..600).contains(&entry.status_code)
}

/// How many refusals an entry stands for.
fn refusals(entry: &Entry) -> u64 {
    match entry.phase() {
        Phase::Denied => u64::from(entry.occurrence_count.max(1)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status_code: u32) -> Entry {
        Entry {
            phase: Phase::Outcome.into(),
            operation: Operation::ObjectGet.into(),
            object_type: "contacts".to_owned(),
            status_code,
            result: match status_code {
                200 => CallResult::Ok.into(),
                _ => CallResult::Failed.into(),
            },
            ..Entry::default()
        }
    }

    fn counts(entry: &Entry) -> Vec<Kind> {
        let counts = |kind: &Kind| kind.count(entry) > 0;
        Kind::ALL.into_iter().filter(counts).collect()
    }

    #[test]
    fn only_answers_from_500_on_are_failures_and_only_reads_that_gave_contacts_are_reads() {
        for (status, kinds) in [
            (200, vec![Kind::HubSpotFailureShare, Kind::ContactReads]),
            (429, vec![Kind::HubSpotFailureShare]),
            (499, vec![Kind::HubSpotFailureShare]),
            (500, vec![Kind::HubSpotFailures, Kind::HubSpotFailureShare]),
            (599, vec![Kind::HubSpotFailures, Kind::HubSpotFailureShare]),
            (0, vec![]),
        ] {
            assert_eq!(counts(&outcome(status)), kinds, "{status}");
        }
        let deals = Entry {
            object_type: "deals".to_owned(),
            ..outcome(200)
        };
        let written = Entry {
            operation: Operation::ObjectUpdate.into(),
            ..outcome(200)
        };
        let intent = Entry {
            phase: Phase::Intent.into(),
            ..outcome(200)
        };
        for entry in [deals, written] {
            assert_eq!(counts(&entry), [Kind::HubSpotFailureShare], "{entry:?}");
        }
        assert_eq!(counts(&intent), []);
    }

    #[test]
    fn a_refusal_that_stands_for_many_counts_as_many() {
        let refused = Entry {
            phase: Phase::Denied.into(),
            reason: ErrorReason::PortalMismatch.into(),
            occurrence_count: 7,
            ..Entry::default()
        };
        assert_eq!(Kind::WrongPortal.count(&refused), 7);
        assert_eq!(counts(&refused), [Kind::DeniedCalls, Kind::WrongPortal]);
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
    }
}
