//! How the log of a bundle stands in the log of heads.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tlog_tiles::{Checkpoint, Hash, check_record, check_tree, record_hash};

use super::{
    Named, Wrong,
    keys::{Keys, body},
};

const WHAT: &str = "heads";
/// The first line of every leaf of heads.
pub(super) const KIND: &str = "hubkeep heads/1";

/// The file `head.json`. Bytes are in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The signed checkpoint of the log of heads.
    pub checkpoint: String,
    /// Its leaf that names the logs: by the root of a tree over a line for each.
    pub leaf: String,
    /// The leaf's index.
    pub leaf_index: u64,
    /// The proof that it is there.
    pub leaf_proof: Vec<String>,
    /// The line about the log of the bundle: name, size and root, as in a checkpoint.
    pub line: String,
    /// Which line it is.
    pub line_index: u64,
    /// The proof that it is under the root in the leaf.
    pub line_proof: Vec<String>,
    /// Proofs that the heads only add to earlier ones that were held when the bundle was made.
    #[serde(default)]
    pub consistency: Vec<Consistency>,
    /// What these earlier ones say of the log.
    #[serde(default)]
    pub named: Vec<Named>,
}

/// A proof that heads only add to earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// Of the earlier and of the later.
    pub sizes: [u64; 2],
    /// The proof.
    pub hashes: Vec<String>,
}

/// What a head that was checked says.
pub(super) struct Checked {
    /// The checkpoint of the heads.
    pub(super) heads: Checkpoint,
    /// What they say of the log.
    pub(super) line: Checkpoint,
}

impl Head {
    /// Checks every proof in it, for a log of this name and size.
    pub(super) fn check(&self, keys: &Keys, log: &Checkpoint) -> Result<Checked, Wrong> {
        let wrong = |problem: &str| Wrong::of(WHAT, problem);
        let heads = keys.checkpoint(self.checkpoint.as_bytes(), WHAT)?;
        let service = log.origin().rsplit_once('/').map(|(service, _)| service);
        if service.map(|service| format!("{service}/heads")).as_deref() != Some(heads.origin()) {
            return Err(wrong(&format!("they are those of {}", heads.origin())));
        }
        let leaf = STANDARD
            .decode(&self.leaf)
            .map_err(|_| wrong("the leaf is no base64"))?;
        check_record(
            &hashes(&self.leaf_proof, WHAT)?,
            heads.size(),
            *heads.hash(),
            self.leaf_index,
            record_hash(&leaf),
        )
        .map_err(|_| wrong("the proof of the leaf does not lead to their root"))?;
        let lines = body(&leaf, WHAT)?;
        if lines.origin() != KIND {
            return Err(wrong("the leaf is of another kind"));
        }
        check_record(
            &hashes(&self.line_proof, WHAT)?,
            lines.size(),
            *lines.hash(),
            self.line_index,
            record_hash(self.line.as_bytes()),
        )
        .map_err(|_| wrong("the proof of the line does not lead to the leaf"))?;
        let line = body(self.line.as_bytes(), WHAT)?;
        if line.origin() != log.origin() {
            return Err(wrong(&format!("the line is about {}", line.origin())));
        }
        if line.size() > log.size() {
            let problem = format!(
                "they name {} entries of the log, and the bundle has a checkpoint of {}: it was cut",
                line.size(),
                log.size()
            );
            return Err(wrong(&problem));
        }
        Ok(Checked { heads, line })
    }

    /// What heads that are held say of the log, which must have grown out of that; `None` where they do not name it, or no more than
    /// the heads of the bundle do.
    pub(super) fn named(
        &self,
        heads: &Checkpoint,
        held: &Checkpoint,
        (log, what): (&Checkpoint, &str),
    ) -> Result<Option<Checkpoint>, Wrong> {
        self.grown(heads, held, what)?;
        let Some(named) = self.named.iter().find(|named| named.size == held.size()) else {
            let is_own = held.size() == heads.size() && self.leaf_index.checked_add(1) == Some(held.size());
            if is_own || held.size() == 0 {
                return Ok(None);
            }
            let problem =
                "the bundle does not say how the log stood in it: export it again with this file as --held";
            return Err(Wrong::of(what, problem));
        };
        let line = named.check(held, log, what)?;
        if let Some(line) = line.as_ref().filter(|line| line.size() > log.size()) {
            let problem = format!(
                "it names {} entries of the log, and the bundle has {}: it was cut",
                line.size(),
                log.size()
            );
            return Err(Wrong::of(what, problem));
        }
        Ok(line)
    }

    /// Checks that the heads only add to those that are held.
    fn grown(&self, heads: &Checkpoint, held: &Checkpoint, what: &str) -> Result<(), Wrong> {
        if held.size() == 0 {
            return Ok(());
        }
        if held.size() > heads.size() {
            let problem = format!(
                "you hold {} heads, and the bundle has {}: it was made before, or cut",
                held.size(),
                heads.size()
            );
            return Err(Wrong::of(what, problem));
        }
        let sizes = [held.size(), heads.size()];
        let given = self.consistency.iter().find(|given| given.sizes == sizes);
        let proof = match given {
            Some(given) => hashes(&given.hashes, WHAT)?,
            None if held.size() == heads.size() => Vec::new(),
            None => {
                let problem = "the bundle has no proof from it: export it again with this file as --held";
                return Err(Wrong::of(what, problem));
            }
        };
        check_tree(&proof, heads.size(), *heads.hash(), held.size(), *held.hash())
            .map_err(|_| Wrong::of(what, "the heads do not grow out of it: there are two histories"))
    }
}

/// Hashes out of base64; `what` has them.
pub(super) fn hashes(encoded: &[String], what: &str) -> Result<Vec<Hash>, Wrong> {
    let hash =
        |text: &String| Hash::parse_hash(text).map_err(|_| Wrong::of(what, "a proof has what is no hash"));
    encoded.iter().map(hash).collect()
}
