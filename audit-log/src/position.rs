//! The place of an entry in everything that a service has recorded.

use std::fmt;

/// Positions are indexed in spans of so many: SQL that reads or writes spans divides by the same number.
pub(crate) const SPAN: i64 = 1_024;

/// The place of an entry in everything that a service has recorded, from 1, without a gap: the cursor of readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// Before the first entry.
    pub const START: Self = Self(0);

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(crate) fn from_i64(position: i64) -> Self {
        Self(u64::try_from(position).unwrap_or(0))
    }

    /// The span of [`SPAN`] positions that it lies in.
    pub(crate) fn span(self) -> i64 {
        self.as_i64() / SPAN
    }

    /// The place `count` entries further on.
    pub(crate) const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
