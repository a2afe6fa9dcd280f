//! The root over the leaves so far, while they are read: of each level the newest hash is all that it takes.

use tlog_tiles::{Hash, HashReader, split_stored_hash_index, stored_hashes, tree_hash};

/// A tree that is only grown, and asked for its root.
#[derive(Debug, Default)]
pub struct Roots {
    size: u64,
    /// Of each level the number of its newest hash, and the hash.
    newest: Vec<(u64, Hash)>,
}

impl Roots {
    /// How many leaves there are so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// One leaf more.
    ///
    /// # Errors
    /// None that a tree which was only grown here could give.
    pub fn append(&mut self, leaf: &[u8]) -> Result<(), tlog_tiles::Error> {
        let hashes = stored_hashes(self.size, leaf, self)?;
        for (level, hash) in hashes.into_iter().enumerate() {
            let newest = (self.size >> level, hash);
            match self.newest.get_mut(level) {
                Some(place) => *place = newest,
                None => self.newest.push(newest),
            }
        }
        self.size = self.size.saturating_add(1);
        Ok(())
    }

    /// The root over the leaves so far.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn root(&self) -> Result<Hash, tlog_tiles::Error> {
        tree_hash(self.size, self)
    }
}

impl HashReader for Roots {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |index: &u64| {
            let (level, number) = split_stored_hash_index(*index);
            match self.newest.get(usize::from(level)) {
                Some((newest, hash)) if *newest == number => Ok(*hash),
                _ => Err(tlog_tiles::Error::IndexesNotInTree),
            }
        };
        indexes.iter().map(read).collect()
    }
}
