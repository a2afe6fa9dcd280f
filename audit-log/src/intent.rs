//! The proof that an intent is durable, and the duty to say how it ended.

use std::sync::Arc;

use hubkeep_core::{
    clock::{Tick, Timestamp},
    id::{CallId, EntryId},
};
use tlog_tiles::record_hash;

use crate::{
    Cause, Draft, Error, Outcome, Phase, Position,
    appender::{Appender, Queued},
    pending::{Keys, Placed, Row},
};

/// How far an intent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not yet written.
    Waiting,
    /// Durable, and nobody has it yet: nothing can have been sent.
    Durable,
    /// In the hands of whoever sends.
    Held,
    /// Its outcome is on its way to the log.
    Settled,
}

/// Where an outcome stands, and what it is: of this a receipt is made.
#[derive(Clone, Debug)]
pub struct Settled {
    pub(crate) log: String,
    pub(crate) placed: Placed,
    pub(crate) leaf_hash: [u8; 32],
    pub(crate) made_time: Timestamp,
}

impl Settled {
    /// Where the outcome stands.
    pub const fn position(&self) -> Position {
        self.placed.position
    }
}

/// The proof that an intent is durable: what it announces may now be sent, once.
///
/// [`settle`](Self::settle) it with how it ended. If it is dropped instead, its outcome is recorded as unknown.
#[must_use = "an intent that is not settled ends as unknown"]
#[derive(Debug)]
pub struct Intent {
    appender: Arc<Appender>,
    draft: Draft,
    keys: Arc<Keys>,
    entry_id: EntryId,
    position: Position,
    durable_since: Tick,
    stage: Stage,
}

impl Intent {
    pub(crate) fn waiting(appender: Arc<Appender>, draft: Draft, keys: Arc<Keys>, entry_id: EntryId) -> Self {
        let durable_since = appender.clock().tick();
        Self {
            appender,
            draft,
            keys,
            entry_id,
            position: Position::START,
            durable_since,
            stage: Stage::Waiting,
        }
    }

    /// Where it stands.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The id of its entry.
    pub const fn entry_id(&self) -> EntryId {
        self.entry_id
    }

    /// The call it belongs to.
    pub const fn call_id(&self) -> CallId {
        self.draft.call_id()
    }

    /// Which attempt of the call it announces.
    pub const fn attempt(&self) -> u32 {
        self.draft.entry().attempt
    }

    /// Records how it ended. When this returns, the outcome is durable, and the answer may be released.
    ///
    /// # Errors
    /// [`Error::OutcomeNotRecorded`] if it is not durable within the deadline: the answer must be withheld. The
    /// outcome is still written as soon as the log can be; also if this future is dropped.
    pub async fn settle(mut self, outcome: Outcome) -> Result<Position, Error> {
        let row = self.row_of(outcome)?;
        let queued = self.queue(row)?;
        Ok(self.appender.outcome_durable(queued).await?.position)
    }

    /// The same, and gives what a receipt is made of: see [`AuditLog::receipt`](crate::AuditLog::receipt).
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub async fn settle_for_receipt(mut self, outcome: Outcome) -> Result<Settled, Error> {
        let row = self.row_of(outcome)?;
        let (leaf_hash, made_time) = (record_hash(&row.leaf).0, row.made_time);
        let queued = self.queue(row)?;
        let placed = self.appender.outcome_durable(queued).await?;
        Ok(Settled {
            log: self.keys.log.clone(),
            placed,
            leaf_hash,
            made_time: Timestamp::from_micros(made_time),
        })
    }

    pub(crate) fn durable_at(&mut self, position: Position) {
        self.position = position;
        self.durable_since = self.appender.clock().tick();
        self.stage = Stage::Durable;
    }

    pub(crate) fn held(mut self) -> Self {
        self.stage = Stage::Held;
        self
    }

    /// The row of its outcome: from here on its bytes do not change.
    fn row_of(&mut self, mut outcome: Outcome) -> Result<Row, Error> {
        let took = self.appender.clock().tick().since(self.durable_since);
        outcome.duration.get_or_insert(took);
        let entry = self.draft.entry_mut();
        let (row, _) = self.appender.row(&self.keys, entry, Phase::Outcome, outcome)?;
        Ok(row)
    }

    fn queue(&mut self, row: Row) -> Result<Queued, Error> {
        let queued = self.appender.queue_row(row, self.position)?;
        self.stage = Stage::Settled;
        Ok(queued)
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        let outcome = match self.stage {
            Stage::Waiting | Stage::Settled => return,
            Stage::Durable => Outcome::not_sent(),
            Stage::Held => Outcome::unknown(Cause::Unspecified),
        };
        if let Err(error) = self.row_of(outcome).and_then(|row| self.queue(row)) {
            // It stays open, and is closed when the log is opened the next time.
            tracing::error!(position = %self.position, %error, "an intent was dropped and could not be closed");
        }
    }
}
