//! The leaf of an entry, for the fuzz targets in `tests/fuzz`. A door for them alone: no build of the product has it.

use hubkeep_proto::audit::v1::Entry;

use crate::{
    Draft, Outcome,
    pending::{Keys, Row},
};

/// The bytes that the log keeps of an entry.
pub fn leaf(entry: &Entry) -> Vec<u8> {
    Row::new(Keys::of(String::new(), entry), entry).leaf
}

/// The bytes that the log would keep of a draft with this outcome.
pub fn leaf_of(draft: &Draft, outcome: Outcome) -> Vec<u8> {
    let mut entry = draft.entry().clone();
    outcome.write_to(&mut entry);
    leaf(&entry)
}
