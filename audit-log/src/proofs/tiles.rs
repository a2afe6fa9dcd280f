//! A tree that is asked: tiles are read from the database as the question needs them, and checked against the root.

use std::{cell::RefCell, collections::HashMap};

use hubkeep_core::database::Database;
use tlog_tiles::{Tile, TileHashReader, TileReader};

use super::{
    Error, Tree,
    edge::{HASH, HEIGHT, Place},
    store,
};

/// A proof needs the tiles of the edge and those on the way down to one place: more rounds than levels are a defect.
const ROUNDS: usize = 10;

/// What a question about a tree gives. `ask` is called again when tiles that it needs have been read.
pub(super) async fn ask<T>(
    database: &Database,
    tree: &Tree,
    ask: impl Fn(&TileHashReader<'_>) -> Result<T, tlog_tiles::Error>,
) -> Result<T, Error> {
    let mut loaded = Loaded::default();
    for _ in 0..ROUNDS {
        let answer = ask(&TileHashReader::new(tree.size, tree.root, &loaded));
        let missing = loaded.missing.take();
        if missing.is_empty() {
            return answer.map_err(|error| Error::damaged(&tree.log, error.to_string()));
        }
        for place in missing {
            let hashes = store::tile(database, &tree.log, place).await?;
            let hashes = hashes.ok_or_else(|| Error::damaged(&tree.log, "a tile is missing"))?;
            loaded.tiles.insert(place, hashes);
        }
    }
    Err(Error::damaged(&tree.log, "its tiles lead nowhere"))
}

#[derive(Default)]
struct Loaded {
    tiles: HashMap<Place, Vec<u8>>,
    missing: RefCell<Vec<Place>>,
}

impl TileReader for Loaded {
    fn height(&self) -> u8 {
        HEIGHT
    }

    /// A tile is stored as wide as it has become; asked for is what it was when the tree had its size.
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let mut read = Vec::with_capacity(tiles.len());
        for tile in tiles {
            let place = (tile.level(), tile.level_index());
            let length = usize::try_from(tile.width()).unwrap_or(0).saturating_mul(HASH);
            match self.tiles.get(&place) {
                Some(hashes) => {
                    let hashes = hashes.get(..length).ok_or(tlog_tiles::Error::InvalidTile)?;
                    read.push(hashes.to_vec());
                }
                None => self.missing.borrow_mut().push(place),
            }
        }
        if self.missing.borrow().is_empty() {
            Ok(read)
        } else {
            Err(tlog_tiles::Error::InvalidTile)
        }
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}
