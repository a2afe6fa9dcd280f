//! An outcome as it waits in a file.

use hubkeep_proto::audit::v1::Entry;
use prost::Message;

use crate::{
    Error, Position,
    pending::{Effect, Keys, Pending, Row, Waiter},
};

/// An outcome, and the intent that it closes.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Record {
    /// Where its intent stands.
    #[prost(uint64, tag = "1")]
    position: u64,
    /// The full name of the log of both.
    #[prost(string, tag = "2")]
    pub(super) log: String,
    /// The very bytes that are written in the end.
    #[prost(bytes = "vec", tag = "3")]
    leaf: Vec<u8>,
}

impl Record {
    /// Of an entry that waits, if it is an outcome.
    fn of(pending: &Pending) -> Option<Self> {
        let Effect::Closes(intent) = pending.effect else {
            return None;
        };
        Some(Self {
            position: intent.get(),
            log: pending.row.keys.log.clone(),
            leaf: pending.row.leaf.clone(),
        })
    }

    /// Of all outcomes among these.
    pub(crate) fn all(pending: &[Pending]) -> Vec<Self> {
        pending.iter().filter_map(Self::of).collect()
    }

    /// Where its intent stands.
    pub(crate) const fn intent(&self) -> Position {
        Position(self.position)
    }

    /// The outcome's entry.
    pub(super) fn entry(&self) -> Result<Entry, Error> {
        let position = self.intent();
        Entry::decode(self.leaf.as_slice()).map_err(|source| Error::Corrupt { position, source })
    }

    /// What is to be written.
    pub(super) fn pending(self, entry: &Entry) -> Pending {
        let intent = self.intent();
        let row = Row {
            keys: Keys::of(self.log, entry),
            phase: entry.phase.into(),
            leaf: self.leaf,
            made_time: 0,
            payload: None,
        };
        Pending::outcome(row, intent, Waiter::Nobody)
    }
}
