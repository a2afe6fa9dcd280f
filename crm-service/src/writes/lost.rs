//! What lost processes have left under way, sorted by the audit log: it has an intent for everything that was sent.

use std::collections::BTreeMap;

use hubkeep_audit_log::{CallResult, Filter, Operation, Phase, Position};
use hubkeep_core::{error::ErrorReason, id::CallId};

use super::{CLOCKS_DIFFER, Error, Row, State, Writes, store};

/// Why a write is unknown whose process is gone.
pub(super) const PROCESS_LOST: &str = "its process was lost";
/// More entries than the attempts of one call have.
const ENTRIES: usize = 1_000;
/// Rows that are sorted in one go.
const ROWS: u32 = 1_000;

/// What the log says of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// No intent: nothing was sent. Or HubSpot refused it.
    Nothing,
    /// HubSpot carried it out, all of it.
    Done,
    /// It was sent, to change this record, if it is one. Or HubSpot carried out a part of it, and the log does not say which.
    Unknown(String),
}

impl Writes {
    /// Whether whoever made a write is gone. A log in a file has one process; of several, nobody works on a call when its
    /// deadline is over: nothing is sent after it.
    pub(super) fn is_lost(&self, row: &Row) -> bool {
        let over = self.clock.now() > row.until_time.plus(CLOCKS_DIFFER);
        over || (*row.holder != *self.holder && !self.log.is_shared())
    }

    /// Sorts all that lost processes have left, and what this one could not say of its own calls before it forgot them.
    pub(super) async fn sort_all(&self) -> Result<(), Error> {
        let over = self.clock.now().minus(CLOCKS_DIFFER);
        for row in store::doubtful(&self.database, (&self.holder, over), ROWS).await? {
            if self.is_lost(&row) {
                self.sort(&row).await?;
            }
        }
        Ok(())
    }

    /// Says of a row whose process is gone what the log says of its call.
    pub(super) async fn sort(&self, row: &Row) -> Result<(), Error> {
        let unreadable = || Error::Unreadable(None);
        let call_id = row.call_id.parse().map_err(|_| unreadable())?;
        let operation = Operation::try_from(row.operation).map_err(|_| unreadable())?;
        match self.said(call_id, operation).await? {
            Said::Nothing => store::free(&self.database, row).await?,
            Said::Done => self.end(row, State::Done, "log", &[], "").await?,
            Said::Unknown(object_ref) => {
                self.end(row, State::Unknown, PROCESS_LOST, &[], &object_ref)
                    .await?
            }
        };
        Ok(())
    }

    /// What the log says of what this call did.
    pub(super) async fn said(&self, call_id: CallId, operation: Operation) -> Result<Said, Error> {
        let filter = Filter {
            call_id: Some(call_id),
            operations: vec![operation],
            phases: vec![Phase::Intent, Phase::Outcome],
            ..Filter::default()
        };
        let events = self.log.list(&filter, Position::START, ENTRIES).await?;
        let entries = events.into_iter().filter_map(|event| event.entry);
        let attempts = entries.fold(BTreeMap::new(), |mut attempts, entry| {
            let said = match (entry.phase(), entry.result()) {
                (Phase::Outcome, CallResult::Ok) if entry.reason() == ErrorReason::Unspecified => Said::Done,
                (Phase::Outcome, CallResult::Refused | CallResult::Failed) => Said::Nothing,
                _ => Said::Unknown(entry.object_ref),
            };
            attempts.insert(entry.attempt, said);
            attempts
        });
        Ok(worst(attempts.into_values()))
    }
}

/// What several attempts come to.
fn worst(attempts: impl Iterator<Item = Said>) -> Said {
    attempts.fold(Said::Nothing, |worst, said| match (worst, said) {
        (Said::Unknown(object_ref), _) | (_, Said::Unknown(object_ref)) => Said::Unknown(object_ref),
        (Said::Done, _) | (_, Said::Done) => Said::Done,
        _ => Said::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_that_may_have_happened_is_enough_not_to_send_again() {
        assert_eq!(worst([].into_iter()), Said::Nothing);
        assert_eq!(worst([Said::Nothing, Said::Done].into_iter()), Said::Done);
        let unknown = || Said::Unknown("9f".to_owned());
        assert_eq!(worst([unknown(), Said::Nothing].into_iter()), unknown());
    }
}
