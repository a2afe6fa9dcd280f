//! What of the log of a bundle was pruned: everything before its first leaf. The hashes of it are there, and an entry of the
//! log says that it was to go.

use hubkeep_proto::audit::v1::{Entry, Operation, Phase, Pruning, Result as EntryResult};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tlog_tiles::{Checkpoint, Hash, check_tree};

use super::{Consistency, Wrong, head::hashes, roots::Roots};

const WHAT: &str = "pruned";
/// Entries go in whole bundles of so many.
const BUNDLE: u64 = 256;

/// The file `pruned.json`. Bytes are in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// The index of the first leaf that is there.
    pub first_index: u64,
    /// The roots of the whole subtrees that the leaves before it make up, the largest first.
    pub hashes: Vec<String>,
    /// Proofs that the log only adds to earlier checkpoints of leaves that are gone.
    #[serde(default)]
    pub consistency: Vec<Consistency>,
}

impl Pruned {
    /// The tree over the leaves that are gone. Whether it was that tree, the checkpoint's root tells.
    pub(super) fn roots(&self) -> Result<Roots, Wrong> {
        if self.first_index == 0 || !self.first_index.is_multiple_of(BUNDLE) {
            let problem = format!("{} is not where a bundle of {BUNDLE} begins", self.first_index);
            return Err(Wrong::of(WHAT, problem));
        }
        let hashes = hashes(&self.hashes, WHAT)?;
        Roots::over(self.first_index, &hashes).ok_or_else(|| {
            Wrong::of(
                WHAT,
                "its hashes are not as many as the leaves that are gone make up",
            )
        })
    }

    /// Checks that the log only adds to a checkpoint of leaves that are gone.
    pub(super) fn grown(&self, log: &Checkpoint, size: u64, root: Hash, who: &str) -> Result<(), Wrong> {
        let sizes = [size, log.size()];
        let Some(given) = self.consistency.iter().find(|given| given.sizes == sizes) else {
            let problem = format!(
                "the bundle has no proof from {who}, which is of {size} entries that were pruned: export it again with it as \
                 --held"
            );
            return Err(Wrong::of(WHAT, problem));
        };
        check_tree(&hashes(&given.hashes, WHAT)?, log.size(), *log.hash(), size, root).map_err(|_| {
            Wrong::of(
                WHAT,
                format!("the log does not grow out of {who}: there are two histories"),
            )
        })
    }
}

/// What an entry announces, if it is one that does.
pub(super) fn announced(leaf: &[u8]) -> Option<Pruning> {
    let entry = Entry::decode(leaf).ok()?;
    let is_one = entry.operation() == Operation::AuditPrune
        && entry.phase() == Phase::Admin
        && entry.result() == EntryResult::Ok;
    entry.pruning.filter(|_| is_one).map(|pruning| *pruning)
}
