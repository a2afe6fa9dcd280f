//! What a tree still says of leaves that are gone, or are about to go: their hashes, and what they come to.

use std::ops::Range;

use tlog_tiles::{Hash, HashReader as _, stored_hash_index, sub_tree_index};

use super::{Checkpoint, Error, Proofs, read::tree_of, tiles};

impl Proofs {
    /// The hashes of these leaves, as a checkpoint has them.
    pub(crate) async fn leaf_hashes(
        &self,
        checkpoint: &Checkpoint,
        indices: Range<u64>,
    ) -> Result<Vec<Hash>, Error> {
        let indexes: Vec<u64> = indices.map(|index| stored_hash_index(0, index)).collect();
        let tree = tree_of(checkpoint);
        tiles::ask(&self.database, &tree, |reader| reader.read_hashes(&indexes)).await
    }

    /// The roots of the whole subtrees that the first leaves make up, the largest first; none where the checkpoint is smaller.
    pub(crate) async fn front(&self, checkpoint: &Checkpoint, leaves: u64) -> Result<Vec<[u8; 32]>, Error> {
        if leaves == 0 || leaves > checkpoint.size {
            return Ok(Vec::new());
        }
        let indexes = sub_tree_index(0, leaves, Vec::new());
        let tree = tree_of(checkpoint);
        let hashes = tiles::ask(&self.database, &tree, |reader| reader.read_hashes(&indexes)).await?;
        Ok(hashes.into_iter().map(|hash| hash.0).collect())
    }
}
