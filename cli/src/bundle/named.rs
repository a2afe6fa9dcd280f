//! What heads that somebody holds say of the log of a bundle: so a log that was rewritten is found while the heads only grew.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tlog_tiles::{Checkpoint, check_record, record_hash};

use super::{
    Wrong,
    head::{KIND, hashes},
    keys::body,
};

/// The last leaf that heads of some size cover, and what it says of the log. Bytes are in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// How many leaves these heads have: the leaf is the last of them.
    pub size: u64,
    /// The leaf.
    pub leaf: String,
    /// The proof that it is there.
    pub leaf_proof: Vec<String>,
    /// The line about the log; or where there is none, the one or two between which it would stand.
    pub lines: Vec<Line>,
}

/// A line of a leaf of heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Name, size and root of a log, as in a checkpoint.
    pub line: String,
    /// Which line it is.
    pub index: u64,
    /// The proof that it is under the root in the leaf.
    pub proof: Vec<String>,
}

impl Named {
    /// What heads that are held say of a log; `None` where it is proven that they do not name it.
    pub(super) fn check(
        &self,
        held: &Checkpoint,
        log: &Checkpoint,
        what: &str,
    ) -> Result<Option<Checkpoint>, Wrong> {
        let wrong = |problem: &str| Wrong::of(what, problem);
        let leaf = STANDARD.decode(&self.leaf);
        let leaf = leaf.map_err(|_| wrong("its last leaf is no base64"))?;
        check_record(
            &hashes(&self.leaf_proof, what)?,
            held.size(),
            *held.hash(),
            held.size().saturating_sub(1),
            record_hash(&leaf),
        )
        .map_err(|_| wrong("what is said to be its last leaf is not"))?;
        let lines = body(&leaf, what)?;
        if lines.origin() != KIND {
            return Err(wrong("its last leaf is of another kind"));
        }
        let mut told = Vec::new();
        for line in &self.lines {
            told.push((line.index, line.check(&lines, what)?));
        }
        if let Some(at) = told.iter().position(|(_, line)| line.origin() == log.origin()) {
            return Ok(Some(told.swap_remove(at).1));
        }
        match is_between(&told, log.origin(), lines.size()) {
            true => Ok(None),
            false => Err(wrong(
                "it is not proven how the log stood in it: an auditor can export that",
            )),
        }
    }
}

impl Line {
    fn check(&self, lines: &Checkpoint, what: &str) -> Result<Checkpoint, Wrong> {
        check_record(
            &hashes(&self.proof, what)?,
            lines.size(),
            *lines.hash(),
            self.index,
            record_hash(self.line.as_bytes()),
        )
        .map_err(|_| Wrong::of(what, "the proof of a line does not lead to its last leaf"))?;
        body(self.line.as_bytes(), what)
    }
}

/// Whether a log of this name would stand right between these lines. They are sorted by name.
fn is_between(told: &[(u64, Checkpoint)], log: &str, count: u64) -> bool {
    match told {
        [(0, after)] => log < after.origin(),
        [(last, before)] => last.checked_add(1) == Some(count) && before.origin() < log,
        [(left, before), (right, after)] => {
            left.checked_add(1) == Some(*right) && before.origin() < log && log < after.origin()
        }
        _ => false,
    }
}
