//! The root over the leaves so far, while they are read: of each level the newest hash is all that it takes.

use tlog_tiles::{Hash, HashReader, split_stored_hash_index, stored_hashes, tree_hash};

/// A tree that is only grown, and asked for its root.
#[derive(Debug, Default)]
pub struct Roots {
    size: u64,
    /// Of each level the number of its newest hash, and the hash.
    newest: Vec<(u64, Hash)>,
}

/// No tree has a hash of this number.
const NONE: u64 = u64::MAX;

impl Roots {
    /// The tree over so many leaves of which the roots of its whole subtrees are known, the largest first; `None` if these are
    /// not as many as there are such subtrees.
    pub fn over(size: u64, subtrees: &[Hash]) -> Option<Self> {
        let levels: Vec<u32> = (0..u64::BITS)
            .rev()
            .filter(|level| size >> level & 1 == 1)
            .collect();
        if levels.len() != subtrees.len() {
            return None;
        }
        let highest = levels.first().copied()?;
        let mut newest: Vec<(u64, Hash)> = (0..=highest).map(|_| (NONE, tlog_tiles::EMPTY_HASH)).collect();
        for (level, hash) in levels.into_iter().zip(subtrees) {
            // What is left of it are whole subtrees of larger ones.
            let number = (size >> level).checked_sub(1)?;
            *newest.get_mut(usize::try_from(level).ok()?)? = (number, *hash);
        }
        Some(Self { size, newest })
    }

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
