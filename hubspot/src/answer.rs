//! What HubSpot answered, read.

use hubkeep_audit_log::Position;

use crate::limits::Limits;

/// A body, read: the value, and how many records it speaks of.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// What it says.
    pub value: T,
    /// How many records were returned or changed.
    pub record_count: u32,
}

impl<T> Decoded<T> {
    pub(crate) fn one(value: T) -> Self {
        Self {
            value,
            record_count: 1,
        }
    }
}

/// An answer whose outcome is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// What HubSpot said.
    pub value: T,
    /// The place of the outcome in the audit log.
    pub outcome: Position,
    /// What the headers said of the portal's limits.
    pub limits: Limits,
}
