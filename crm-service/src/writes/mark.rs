//! Where a page of the list of writes has ended.

use hubkeep_core::clock::Timestamp;

use super::Row;

/// Where a page of the list has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub(super) Timestamp, pub(super) String);

impl Mark {
    /// Behind this write.
    pub fn behind(row: &Row) -> Self {
        Self(row.begin_time, row.write_key.clone())
    }

    /// As text.
    pub fn to_text(&self) -> String {
        format!("{}.{}", self.0.as_micros(), self.1)
    }

    /// Reads it; `None` if it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (time, key) = text.split_once('.')?;
        Some(Self(Timestamp::from_micros(time.parse().ok()?), key.to_owned()))
    }
}
