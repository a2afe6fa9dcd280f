//! A tree while it grows: the last tile of each level, which is all that the next leaf touches.

use std::collections::{BTreeMap, BTreeSet};

use tlog_tiles::{Hash, HashReader, Tile, stored_hashes, sub_tree_index, tree_hash};

use super::{Error, Tree};

/// The height of a tile: 256 hashes. C2SP tlog-tiles knows no other.
pub(super) const HEIGHT: u8 = 8;
/// Bytes of a hash.
pub(super) const HASH: usize = tlog_tiles::HASH_SIZE;
/// Bytes of a full tile.
const FULL: usize = HASH << HEIGHT;

/// A level, and the tile's number in it.
pub(super) type Place = (u8, u64);

/// The growing edge of a tree.
#[derive(Debug)]
pub(super) struct Edge {
    log: String,
    size: u64,
    /// The last tile of each level: its number, and its hashes.
    tiles: BTreeMap<u8, (u64, Vec<u8>)>,
    /// Tiles that became full.
    full: BTreeMap<Place, Vec<u8>>,
    /// Levels whose last tile was changed.
    changed: BTreeSet<u8>,
}

/// The tiles that the edge of a tree of this size consists of.
pub(super) fn tiles_of(size: u64) -> Vec<Tile> {
    let hashes = sub_tree_index(0, size, Vec::new());
    let tiles = hashes
        .into_iter()
        .filter_map(|hash| Tile::from_index(HEIGHT, hash).parent(0, size));
    let unique: BTreeMap<Place, Tile> = tiles
        .map(|tile| ((tile.level(), tile.level_index()), tile))
        .collect();
    unique.into_values().collect()
}

impl Edge {
    /// The edge of a log's tree, as it was stored. Hashes that do not give the tree's root were changed by somebody.
    pub(super) fn of(tree: &Tree, mut stored: BTreeMap<Place, Vec<u8>>) -> Result<Self, Error> {
        let damaged = |problem: &str| Error::damaged(&tree.log, problem);
        let mut tiles = BTreeMap::new();
        for tile in tiles_of(tree.size) {
            let hashes = stored.remove(&(tile.level(), tile.level_index()));
            let mut hashes = hashes.ok_or_else(|| damaged("a tile is missing"))?;
            let length = usize::try_from(tile.width()).unwrap_or(0).saturating_mul(HASH);
            if hashes.len() != length {
                return Err(damaged("a tile has another length than its tree"));
            }
            hashes.reserve_exact(FULL.saturating_sub(length));
            tiles.insert(tile.level(), (tile.level_index(), hashes));
        }
        let edge = Self {
            log: tree.log.clone(),
            size: tree.size,
            tiles,
            full: BTreeMap::new(),
            changed: BTreeSet::new(),
        };
        if edge.root()? != tree.root {
            return Err(damaged("its tiles do not give its root"));
        }
        Ok(edge)
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it is now.
    pub(super) fn root(&self) -> Result<Hash, Error> {
        tree_hash(self.size, self).map_err(|error| Error::damaged(&self.log, error.to_string()))
    }

    /// One leaf more.
    pub(super) fn append(&mut self, leaf: &[u8]) -> Result<(), Error> {
        let hashes = stored_hashes(self.size, leaf, self);
        let hashes = hashes.map_err(|error| Error::damaged(&self.log, error.to_string()))?;
        for (level, hash) in (0_u8..).zip(hashes) {
            if level % HEIGHT == 0 {
                self.push(level / HEIGHT, (self.size >> level) >> HEIGHT, hash);
            }
        }
        self.size = self.size.saturating_add(1);
        Ok(())
    }

    fn push(&mut self, level: u8, number: u64, hash: Hash) {
        let (last, hashes) = self
            .tiles
            .entry(level)
            .or_insert_with(|| (number, Vec::with_capacity(FULL)));
        if *last != number {
            let full = std::mem::replace(hashes, Vec::with_capacity(FULL));
            if self.changed.contains(&level) {
                self.full.insert((level, *last), full);
            }
            *last = number;
        }
        hashes.extend_from_slice(&hash.0);
        self.changed.insert(level);
    }

    /// The tree as it is now, and the tiles that are not as they were.
    pub(super) fn finish(mut self) -> Result<(Tree, BTreeMap<Place, Vec<u8>>), Error> {
        let tree = Tree {
            root: self.root()?,
            size: self.size,
            log: self.log,
        };
        let mut changed = self.full;
        for level in self.changed {
            if let Some((number, hashes)) = self.tiles.remove(&level) {
                changed.insert((level, number), hashes);
            }
        }
        Ok((tree, changed))
    }
}

impl HashReader for Edge {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |index: &u64| {
            let tile = Tile::from_index(HEIGHT, *index);
            match self.tiles.get(&tile.level()) {
                Some((number, hashes)) if *number == tile.level_index() => tile.hash_at_index(hashes, *index),
                _ => Err(tlog_tiles::Error::IndexesNotInTree),
            }
        };
        indexes.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use tlog_tiles::EMPTY_HASH;

    use super::*;

    /// Every hash of a tree, in the order of their numbers.
    struct Whole(Vec<Hash>);

    impl HashReader for Whole {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
            Ok(indexes
                .iter()
                .map(|index| self.0[usize::try_from(*index).expect("small")])
                .collect())
        }
    }

    #[test]
    fn a_tree_that_is_stored_and_read_again_after_every_few_leaves_has_the_roots_of_one_that_is_whole() {
        let mut whole = Whole(Vec::new());
        let mut stored = BTreeMap::new();
        let mut tree = Tree {
            log: "a".to_owned(),
            size: 0,
            root: EMPTY_HASH,
        };
        // Past the first tile of the second level, in steps that hit the ends of tiles and miss them.
        for step in (0..1_200).map(|number| 1 + number % 113) {
            let mut edge = Edge::of(&tree, stored.clone()).expect("whole");
            for _ in 0..step {
                let leaf = edge.size().to_be_bytes();
                let hashes = stored_hashes(edge.size(), &leaf, &whole).expect("whole");
                whole.0.extend(hashes);
                edge.append(&leaf).expect("grows");
            }
            let (grown, tiles) = edge.finish().expect("a root");
            assert_eq!(grown.root, tree_hash(grown.size, &whole).expect("whole"));
            stored.extend(tiles);
            tree = grown;
        }
        assert!(tree.size > 65_536);
        let mut damaged = stored.clone();
        for tile in tiles_of(tree.size) {
            let place = (tile.level(), tile.level_index());
            damaged.get_mut(&place).expect("there")[5] ^= 1;
            Edge::of(&tree, damaged.clone()).expect_err("a changed hash is noticed");
            damaged.insert(place, stored[&place].clone());
        }
        Edge::of(&tree, damaged).expect("as it was");
    }
}
