//! What became of a write of which somebody else has kept something, for as long as that is not known.

use hubkeep_audit_log::{Filter, Operation, Position};
use hubkeep_core::id::CallId;

use super::{Error, State, Writes, lost::Said, store};

/// What became of a write whose call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// HubSpot carried it out.
    Done,
    /// HubSpot did not carry it out, or it was never sent.
    NotDone,
    /// Nobody knows yet.
    Open,
}

impl Writes {
    /// What became of the write of this call, which can be sent no more: as it was settled, or else as the log has it. A log that
    /// has nothing of the call, not even a reading, says nothing.
    ///
    /// # Errors
    /// If neither can be read.
    pub async fn fate(&self, call_id: CallId, operation: Operation) -> Result<Fate, Error> {
        let row = store::find_call(&self.database, &call_id.to_string()).await?;
        match row.map(|row| row.state) {
            Some(State::Done) => return Ok(Fate::Done),
            Some(State::NotDone) => return Ok(Fate::NotDone),
            Some(State::UnderWay | State::Unknown) => return Ok(Fate::Open),
            None => {}
        }
        let of_call = Filter {
            call_id: Some(call_id),
            ..Filter::default()
        };
        if self.log.list(&of_call, Position::START, 1).await?.is_empty() {
            return Ok(Fate::Open);
        }
        Ok(match self.said(call_id, operation).await? {
            Said::Nothing => Fate::NotDone,
            Said::Done => Fate::Done,
            Said::Unknown(_) => Fate::Open,
        })
    }
}
