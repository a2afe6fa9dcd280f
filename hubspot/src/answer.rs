//! What HubSpot answered, read.

use hubkeep_audit_log::{Position, Receipt};
use hubkeep_core::error::ErrorReason;

use crate::{
    limits::Limits,
    rows::{self, Row},
};

/// A body, read: the value, and how many records it speaks of.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// What it says.
    pub value: T,
    /// How many records were returned or changed.
    pub record_count: u32,
    /// Their ids; of what is no record, none.
    pub record_ids: Vec<String>,
    /// Of how many inputs it says that they were carried out.
    pub standing: Standing,
}

/// Of how many of a call's inputs an answer that is a success says that they were carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Of all.
    #[default]
    All,
    /// Of some; others were refused, the first of them for this reason.
    Part(ErrorReason),
    /// Of none: all were refused, the first for this reason.
    None(ErrorReason),
    /// Of one at least it says nothing that can be told.
    Open,
}

impl<T> Decoded<T> {
    /// One thing, which is no record.
    pub(crate) fn one(value: T) -> Self {
        Self {
            value,
            record_count: 1,
            record_ids: Vec::new(),
            standing: Standing::All,
        }
    }
}

impl<T> Decoded<Vec<Row<T>>> {
    /// What was said of each input of a batch. `record_ids` are of those that were carried out.
    pub(crate) fn rows(value: Vec<Row<T>>, record_ids: Vec<String>) -> Self {
        Self {
            record_count: rows::done(&value),
            standing: rows::standing(&value),
            record_ids,
            value,
        }
    }
}

/// What may be a record.
pub(crate) trait MayBeRecord {
    /// Its id, if it is one.
    fn record_id(&self) -> Option<&str> {
        None
    }
}

/// The ids of those that are records.
pub(crate) fn ids<'a, T: MayBeRecord + 'a>(told: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    let ids = told.into_iter().filter_map(MayBeRecord::record_id);
    ids.map(str::to_owned).collect()
}

/// An answer whose outcome is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// What HubSpot said.
    pub value: T,
    /// The place of the outcome in the audit log.
    pub outcome: Position,
    /// Of a write, the receipt for it; `None` of a read, and where the log signs nothing.
    pub receipt: Option<Receipt>,
    /// What the headers said of the portal's limits.
    pub limits: Limits,
}
