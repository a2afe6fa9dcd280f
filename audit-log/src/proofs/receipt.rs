//! Receipts: what binds the service to one entry before a checkpoint does.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep_core::clock::Timestamp;

use super::Proofs;

/// What it is. No log has this name, and in the second line of a checkpoint stands a number: neither is taken for the other.
const KIND: &str = "hubkeep receipt/1";

/// The promise that an entry stands in a log, signed by the keys that sign checkpoints: a C2SP signed note. The same entry gives
/// the same receipt, as long as the keys are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(String);

impl Receipt {
    /// One that was kept as text.
    pub const fn kept(note: String) -> Self {
        Self(note)
    }

    /// The note.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Receipt> for String {
    fn from(receipt: Receipt) -> Self {
        receipt.0
    }
}

/// What a receipt states of an entry.
pub(crate) struct Statement<'a> {
    /// The log's full name.
    pub(crate) log: &'a str,
    /// The entry's index in it.
    pub(crate) index: u64,
    /// The RFC 6962 hash of its leaf.
    pub(crate) leaf_hash: [u8; 32],
    /// When it was made.
    pub(crate) made_time: Timestamp,
}

impl fmt::Display for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = prost_types::Timestamp::from(self.made_time);
        writeln!(f, "{KIND}")?;
        writeln!(f, "log {}", self.log)?;
        writeln!(f, "index {}", self.index)?;
        writeln!(f, "leaf {}", STANDARD.encode(self.leaf_hash))?;
        writeln!(f, "time {time}")
    }
}

impl Proofs {
    /// The receipt that states this; `None` where this process signs nothing.
    pub(crate) fn receipt(&self, statement: &Statement<'_>) -> Option<Receipt> {
        self.sign(&statement.to_string()).map(Receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> String {
        let statement = Statement {
            log: "test/crm-service/42",
            index: 7,
            leaf_hash: [9; 32],
            made_time: Timestamp::from_micros(1_796_000_000_250_000),
        };
        statement.to_string()
    }

    #[test]
    fn a_receipt_says_in_five_lines_what_stands_where() {
        let text = format!(
            "hubkeep receipt/1\nlog test/crm-service/42\nindex 7\nleaf {}\ntime 2026-11-30T00:53:20.250Z\n",
            STANDARD.encode([9; 32])
        );
        assert_eq!(statement(), text);
    }

    #[test]
    fn no_receipt_is_a_checkpoint() {
        let text = statement();
        tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).expect_err("its second line is no size");
        let second = text.lines().nth(1).expect("a line");
        assert!(second.parse::<u64>().is_err(), "{second}");
    }
}
