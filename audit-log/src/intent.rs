//! The proof that an intent is durable, and the duty to say how it ended.

use std::sync::Arc;

use hubkeep_core::{
    clock::Tick,
    id::{CallId, EntryId},
};

use crate::{
    Cause, Draft, Error, Outcome, Position,
    appender::{Appender, Queued},
    pending::Keys,
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
        let queued = self.queue_outcome(outcome)?;
        self.appender.outcome_durable(queued).await
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

    fn queue_outcome(&mut self, mut outcome: Outcome) -> Result<Queued, Error> {
        let took = self.appender.clock().tick().since(self.durable_since);
        outcome.duration.get_or_insert(took);
        let entry = self.draft.entry_mut();
        let queued = self
            .appender
            .queue_outcome(&self.keys, entry, self.position, outcome)?;
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
        if let Err(error) = self.queue_outcome(outcome) {
            // It stays open, and is closed when the log is opened the next time.
            tracing::error!(position = %self.position, %error, "an intent was dropped and could not be closed");
        }
    }
}
