//! The tables of proofs, in SQL that is valid on SQLite and on PostgreSQL.

use std::collections::BTreeMap;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};
use tlog_tiles::Hash;

use super::{
    Error, Tree,
    edge::{Place, tiles_of},
    read_back, stored,
};
use crate::store::StoredEntry;

const AT: &str = "SELECT log, log_index, leaf FROM audit_entry WHERE position = $1";
const END: &str = "SELECT position FROM audit_tree_end WHERE id = 1";
const SET_END: &str = "UPDATE audit_tree_end SET position = $2 WHERE id = 1 AND position = $1";
const TREE: &str = "SELECT size, root FROM audit_tree WHERE log = $1";
const GROW: &str = "INSERT INTO audit_tree (log, size, root, signed_size, moved_time) VALUES ($1, $2, $3, 0, $4) \
    ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root, \
    moved_time = CASE WHEN audit_tree.signed_size = audit_tree.size THEN excluded.moved_time \
    ELSE audit_tree.moved_time END WHERE audit_tree.size < excluded.size";
const DUE: &str = "SELECT log, size, root, signed_size FROM audit_tree WHERE size > signed_size \
    AND (size - signed_size >= $1 OR moved_time <= $2) ORDER BY log";
const UNSIGNED: &str =
    "SELECT log, size, root, signed_size FROM audit_tree WHERE log = $1 AND size > signed_size";
const SIGNED: &str =
    "UPDATE audit_tree SET signed_size = $2, moved_time = $3 WHERE log = $1 AND signed_size < $2";
const TILE: &str = "SELECT hashes FROM audit_tile WHERE log = $1 AND level = $2 AND number = $3";
const SET_TILE: &str = "INSERT INTO audit_tile (log, level, number, hashes) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (log, level, number) DO UPDATE SET hashes = excluded.hashes";
const CHECKPOINT: &str =
    "SELECT size, root, note, made_time FROM audit_checkpoint WHERE log = $1 AND size = $2";
const NEWEST: &str = "SELECT size, root, note, made_time FROM audit_checkpoint WHERE log = $1 \
    ORDER BY size DESC LIMIT 1";
const COVERING: &str = "SELECT size, root, note, made_time FROM audit_checkpoint WHERE log = $1 AND size >= $2 \
    ORDER BY size LIMIT 1";
const SIGNED_BY: &str = "SELECT size, root, note, made_time FROM audit_checkpoint WHERE log = $1 \
    AND made_time <= $2 ORDER BY size DESC LIMIT 1";
const INSERT_CHECKPOINT: &str = "INSERT INTO audit_checkpoint (log, size, root, note, made_time) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (log, size) DO NOTHING";
const STANDINGS: &str = "SELECT t.log, c.size, c.root FROM audit_tree t \
    JOIN audit_checkpoint c ON c.log = t.log AND c.size = t.signed_size";
const KEYS: &str = "SELECT verifier_key FROM audit_log_key ORDER BY first_time, verifier_key";
const INSERT_KEY: &str =
    "INSERT INTO audit_log_key (verifier_key, first_time) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const NEWEST_HEADS: &str =
    "SELECT heads_index, leaf, lines, made_time FROM audit_heads ORDER BY heads_index DESC LIMIT 1";
const INSERT_HEADS: &str = "INSERT INTO audit_heads (heads_index, leaf, lines, made_time) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const FORGET_LINES: &str = "UPDATE audit_heads SET lines = $2 WHERE heads_index = $1";

/// A checkpoint as it lies in its table.
pub(super) struct StoredCheckpoint {
    pub(super) size: u64,
    pub(super) root: Vec<u8>,
    pub(super) note: String,
    pub(super) made_time: Timestamp,
}

/// The newest leaf of the log of heads.
pub(super) struct StoredHeads {
    pub(super) index: u64,
    pub(super) leaf: Vec<u8>,
    pub(super) lines: Vec<u8>,
    pub(super) made_time: Timestamp,
}

/// The entry at a position.
pub(super) async fn entry_at(database: &Database, position: u64) -> Result<Option<StoredEntry>, Error> {
    let row: Option<(String, i64, Vec<u8>)> = sqlx::query_as(AT)
        .bind(stored(position))
        .fetch_optional(database.pool())
        .await?;
    Ok(row.map(|(log, index, leaf)| StoredEntry {
        position,
        log,
        index: read_back(index),
        leaf,
    }))
}

/// The newest position that is in a tree.
pub(super) async fn end(database: &Database) -> Result<u64, Error> {
    let position: i64 = sqlx::query_scalar(END).fetch_one(database.pool()).await?;
    Ok(read_back(position))
}

/// Moves that position; `false` if it is not where it was read to be.
pub(super) async fn set_end(transaction: &mut Transaction, from: u64, to: u64) -> Result<bool, Error> {
    let moved = sqlx::query(SET_END)
        .bind(stored(from))
        .bind(stored(to))
        .execute(transaction)
        .await?;
    Ok(moved.rows_affected() == 1)
}

/// A root from its column.
pub(super) fn root(log: &str, bytes: Vec<u8>) -> Result<Hash, Error> {
    let bytes = bytes.try_into();
    bytes
        .map(Hash)
        .map_err(|_| Error::damaged(log, "its root is no hash"))
}

/// The tree of a log as it was last stored; an empty one of a log that has none.
pub(super) async fn tree(database: &Database, log: &str) -> Result<Tree, Error> {
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as(TREE)
        .bind(log)
        .fetch_optional(database.pool())
        .await?;
    let (size, root) = match row {
        Some((size, bytes)) => (read_back(size), root(log, bytes)?),
        None => (0, tlog_tiles::EMPTY_HASH),
    };
    Ok(Tree {
        log: log.to_owned(),
        size,
        root,
    })
}

/// The stored tiles of a tree's edge.
pub(super) async fn edge(database: &Database, tree: &Tree) -> Result<BTreeMap<Place, Vec<u8>>, Error> {
    let mut tiles = BTreeMap::new();
    for place in tiles_of(tree.size) {
        let place = (place.level(), place.level_index());
        if let Some(hashes) = tile(database, &tree.log, place).await? {
            tiles.insert(place, hashes);
        }
    }
    Ok(tiles)
}

/// A stored tile, as wide as it has become.
pub(super) async fn tile(
    database: &Database,
    log: &str,
    (level, number): Place,
) -> Result<Option<Vec<u8>>, Error> {
    let hashes = sqlx::query_scalar(TILE)
        .bind(log)
        .bind(i64::from(level))
        .bind(stored(number));
    Ok(hashes.fetch_optional(database.pool()).await?)
}

/// Stores a tree that has grown.
pub(super) async fn grow(
    transaction: &mut Transaction,
    tree: &Tree,
    tiles: BTreeMap<Place, Vec<u8>>,
    now: Timestamp,
) -> Result<(), Error> {
    for ((level, number), hashes) in tiles {
        sqlx::query(SET_TILE)
            .bind(&tree.log)
            .bind(i64::from(level))
            .bind(stored(number))
            .bind(hashes)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(GROW)
        .bind(&tree.log)
        .bind(stored(tree.size))
        .bind(tree.root.0.to_vec())
        .bind(now.as_micros())
        .execute(transaction)
        .await?;
    Ok(())
}

/// The trees that have outgrown their newest checkpoint by so many entries, or before this time; with its size.
pub(super) async fn due(
    database: &Database,
    entries: u64,
    moved_by: Timestamp,
) -> Result<Vec<(Tree, u64)>, Error> {
    let rows: Vec<(String, i64, Vec<u8>, i64)> = sqlx::query_as(DUE)
        .bind(stored(entries))
        .bind(moved_by.as_micros())
        .fetch_all(database.pool())
        .await?;
    rows.into_iter().map(outgrown).collect()
}

/// The tree of a log, if it has outgrown its newest checkpoint; with the size of that.
pub(super) async fn unsigned(database: &Database, log: &str) -> Result<Option<(Tree, u64)>, Error> {
    let row = sqlx::query_as(UNSIGNED).bind(log);
    let row: Option<(String, i64, Vec<u8>, i64)> = row.fetch_optional(database.pool()).await?;
    row.map(outgrown).transpose()
}

fn outgrown((log, size, bytes, signed): (String, i64, Vec<u8>, i64)) -> Result<(Tree, u64), Error> {
    let (root, size) = (root(&log, bytes)?, read_back(size));
    Ok((Tree { log, size, root }, read_back(signed)))
}

/// Notes that a tree has a checkpoint of this size.
pub(super) async fn signed(transaction: &mut Transaction, tree: &Tree, now: Timestamp) -> Result<(), Error> {
    sqlx::query(SIGNED)
        .bind(&tree.log)
        .bind(stored(tree.size))
        .bind(now.as_micros())
        .execute(transaction)
        .await?;
    Ok(())
}

/// The checkpoint of a log with this size, or the newest.
pub(super) async fn checkpoint(
    database: &Database,
    log: &str,
    size: Option<u64>,
) -> Result<Option<StoredCheckpoint>, Error> {
    let asked = match size {
        Some(size) => sqlx::query_as(CHECKPOINT).bind(log).bind(stored(size)),
        None => sqlx::query_as(NEWEST).bind(log),
    };
    let row: Option<(i64, Vec<u8>, String, i64)> = asked.fetch_optional(database.pool()).await?;
    Ok(row.map(stored_checkpoint))
}

/// The smallest checkpoint of a log that covers so many entries.
pub(super) async fn covering(
    database: &Database,
    log: &str,
    size: u64,
) -> Result<Option<StoredCheckpoint>, Error> {
    let asked = sqlx::query_as(COVERING).bind(log).bind(stored(size));
    let row: Option<(i64, Vec<u8>, String, i64)> = asked.fetch_optional(database.pool()).await?;
    Ok(row.map(stored_checkpoint))
}

/// The newest checkpoint of a log that was signed at this time or before.
pub(super) async fn signed_by(
    database: &Database,
    log: &str,
    time: Timestamp,
) -> Result<Option<StoredCheckpoint>, Error> {
    let asked = sqlx::query_as(SIGNED_BY).bind(log).bind(time.as_micros());
    let row: Option<(i64, Vec<u8>, String, i64)> = asked.fetch_optional(database.pool()).await?;
    Ok(row.map(stored_checkpoint))
}

/// Puts a checkpoint into the table, unless there is one of its size. Gives the one that is there now.
pub(super) async fn insert_checkpoint(
    transaction: &mut Transaction,
    tree: &Tree,
    note: &str,
    now: Timestamp,
) -> Result<Option<StoredCheckpoint>, Error> {
    sqlx::query(INSERT_CHECKPOINT)
        .bind(&tree.log)
        .bind(stored(tree.size))
        .bind(tree.root.0.to_vec())
        .bind(note)
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    let row: Option<(i64, Vec<u8>, String, i64)> = sqlx::query_as(CHECKPOINT)
        .bind(&tree.log)
        .bind(stored(tree.size))
        .fetch_optional(transaction)
        .await?;
    Ok(row.map(stored_checkpoint))
}

fn stored_checkpoint((size, root, note, made): (i64, Vec<u8>, String, i64)) -> StoredCheckpoint {
    StoredCheckpoint {
        size: read_back(size),
        root,
        note,
        made_time: Timestamp::from_micros(made),
    }
}

/// The newest checkpoint of every log that has one, in no order.
pub(super) async fn standings(database: &Database) -> Result<Vec<Tree>, Error> {
    let rows: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(STANDINGS).fetch_all(database.pool()).await?;
    let trees = rows.into_iter().map(|(log, size, bytes)| {
        let (root, size) = (root(&log, bytes)?, read_back(size));
        Ok(Tree { log, size, root })
    });
    trees.collect()
}

/// The public halves of all keys that ever signed, oldest first.
pub(super) async fn verifier_keys(database: &Database) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar(KEYS).fetch_all(database.pool()).await?)
}

/// Notes that this key signs from now on.
pub(super) async fn insert_key(database: &Database, key: &str, now: Timestamp) -> Result<(), Error> {
    let insert = sqlx::query(INSERT_KEY).bind(key).bind(now.as_micros());
    insert.execute(database.pool()).await?;
    Ok(())
}

/// The newest leaf of the log of heads.
pub(super) async fn newest_heads(database: &Database) -> Result<Option<StoredHeads>, Error> {
    let row: Option<(i64, Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(NEWEST_HEADS)
        .fetch_optional(database.pool())
        .await?;
    Ok(row.map(|(index, leaf, lines, made)| StoredHeads {
        index: read_back(index),
        leaf,
        lines,
        made_time: Timestamp::from_micros(made),
    }))
}

/// Puts a leaf of heads into its table, and drops the lines of the one before. `false` if somebody was quicker.
pub(super) async fn insert_heads(transaction: &mut Transaction, heads: StoredHeads) -> Result<bool, Error> {
    let inserted = sqlx::query(INSERT_HEADS)
        .bind(stored(heads.index))
        .bind(heads.leaf)
        .bind(heads.lines)
        .bind(heads.made_time.as_micros())
        .execute(&mut *transaction)
        .await?;
    if let Some(before) = heads.index.checked_sub(1) {
        sqlx::query(FORGET_LINES)
            .bind(stored(before))
            .bind(Vec::<u8>::new())
            .execute(transaction)
            .await?;
    }
    Ok(inserted.rows_affected() == 1)
}
