//! What waits to be written, and who waits for it.

use std::{mem, sync::Arc};

use hubkeep_proto::audit::v1::Entry;
use prost::Message as _;
use tokio::sync::OwnedSemaphorePermit;

use crate::{DatabaseError, Failure, Intent, Position, sync::oneshot};

/// What an intent and its outcome have in common, by which readers ask.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The name of the log they go to.
    pub(crate) log: String,
    pub(crate) client_slug: String,
    pub(crate) caller: String,
    pub(crate) operation: i64,
    pub(crate) call_id: String,
    pub(crate) attempt: i64,
}

impl Keys {
    /// Of an entry in the log of this name.
    pub(crate) fn of(log: String, entry: &Entry) -> Arc<Self> {
        Arc::new(Self {
            log,
            client_slug: entry.client_slug.clone(),
            caller: entry.caller.clone(),
            operation: entry.operation.into(),
            call_id: entry.call_id.clone(),
            attempt: entry.attempt.into(),
        })
    }
}

/// An entry complete but for its place.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) keys: Arc<Keys>,
    pub(crate) phase: i64,
    /// What is written, and kept. Protobuf's fields in order of their numbers: equal entries give equal bytes.
    pub(crate) leaf: Vec<u8>,
    /// When the entry was made, in microseconds.
    pub(crate) made_time: i64,
    /// What lies sealed beside it. Written with it, or not at all.
    pub(crate) payload: Option<Vec<u8>>,
}

impl Row {
    pub(crate) fn new(keys: Arc<Keys>, entry: &Entry) -> Self {
        Self {
            keys,
            phase: entry.phase.into(),
            leaf: entry.encode_to_vec(),
            made_time: 0,
            payload: None,
        }
    }
}

/// What writing the entry does to the intents that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// It is one.
    Opens,
    /// It closes the one at this position; if that is closed already, nothing is written.
    Closes(Position),
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) position: Position,
    /// Its index in its log, if the writer knows it without asking.
    pub(crate) index: Option<u64>,
}

/// Who is told where the entry stands.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// Nobody.
    Nobody,
    /// Whoever recorded it.
    Recorder(oneshot::Sender<Result<Placed, Failure>>),
    /// Whoever wants to send: is given the intent. If nobody takes it, it closes itself.
    Sender(Box<Intent>, oneshot::Sender<Result<Intent, Failure>>),
}

/// An entry that waits to be written.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) row: Row,
    pub(crate) effect: Effect,
    pub(crate) waiter: Waiter,
    /// Its place in the bounded queue, free again when it is answered. Outcomes need none: there are as many as
    /// intents.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

impl Pending {
    /// An outcome: written even if nobody waits for it any more.
    pub(crate) const fn outcome(row: Row, intent: Position, waiter: Waiter) -> Self {
        Self {
            row,
            effect: Effect::Closes(intent),
            waiter,
            place: None,
        }
    }

    /// Whether it must not be written any more: whoever wanted it gave up, so the thing it records is not done.
    pub(crate) fn is_withdrawn(&self) -> bool {
        let gone = match &self.waiter {
            Waiter::Nobody => false,
            Waiter::Recorder(waiter) => waiter.is_closed(),
            Waiter::Sender(_, waiter) => waiter.is_closed(),
        };
        gone && !matches!(self.effect, Effect::Closes(_))
    }

    /// It is durable.
    pub(crate) fn written(self, placed: Placed) {
        match self.waiter {
            Waiter::Nobody => {}
            // Nobody listening is no loss: the entry stands.
            Waiter::Recorder(waiter) => drop(waiter.send(Ok(placed))),
            Waiter::Sender(mut intent, waiter) => {
                intent.durable_at(placed.position);
                // Not taken, the intent comes back, and closes itself as it is dropped.
                drop(waiter.send(Ok(*intent)));
            }
        }
    }

    /// Its batch failed. Gives back what must be tried again: outcomes, for what was done stays done. Who waits for
    /// one waits on, until its own deadline.
    pub(crate) fn failed(self, error: &DatabaseError) -> Option<Self> {
        if matches!(self.effect, Effect::Closes(_)) {
            return Some(self);
        }
        self.refused(&Failure::Database(error.clone()));
        None
    }

    /// It was not written, and never will be: it was withdrawn, or its intent was closed before.
    pub(crate) fn skipped(self) {
        if matches!(self.effect, Effect::Closes(_)) {
            self.refused(&Failure::Closed);
        }
    }

    /// Its batch may or may not have been written: whoever wants to send is refused, and the intent given back.
    pub(crate) fn refuse_intent(&mut self, error: &DatabaseError) -> Option<Box<Intent>> {
        match mem::replace(&mut self.waiter, Waiter::Nobody) {
            Waiter::Sender(intent, waiter) => {
                drop(waiter.send(Err(Failure::Database(error.clone()))));
                Some(intent)
            }
            other => {
                self.waiter = other;
                None
            }
        }
    }

    fn refused(self, failure: &Failure) {
        match self.waiter {
            Waiter::Nobody => {}
            Waiter::Recorder(waiter) => drop(waiter.send(Err(failure.clone()))),
            Waiter::Sender(_, waiter) => drop(waiter.send(Err(failure.clone()))),
        }
    }
}
