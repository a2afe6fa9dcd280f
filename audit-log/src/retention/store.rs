//! How logs stand, what covers them, and what is open, in SQL that is valid on SQLite and on PostgreSQL.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};

use super::{BUNDLE, read_back, stored};
use crate::{Error, Position};

const STANDINGS: &str = "SELECT s.log, s.size, COALESCE(p.first_index, 0), COALESCE(p.to_position, 0), h.log \
    FROM audit_log_size s LEFT JOIN audit_pruned p ON p.log = s.log LEFT JOIN audit_hold h ON h.log = s.log \
    WHERE s.log > $1 AND ($3 = '' OR s.log = $3) ORDER BY s.log LIMIT $2";
const FURTHEST: &str = "SELECT MAX(to_position) FROM audit_pruned";
const OLDEST: &str = "SELECT MIN(position) FROM audit_entry";
const OPEN: &str = "SELECT position FROM audit_open_intent WHERE position > $1 AND position <= $2";
const HELD: &str = "SELECT COUNT(*) FROM audit_hold WHERE log = $1";
const COVER: &str =
    "SELECT size FROM audit_checkpoint WHERE log = $1 AND made_time <= $2 ORDER BY size DESC LIMIT 1";
const ANCHORED: &str = "SELECT size, forked_size FROM audit_anchor WHERE place = $1";
const HEADS_MADE: &str = "SELECT made_time FROM audit_heads WHERE heads_index = $1";

/// How a log stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) log: String,
    /// Entries that were ever written to it.
    pub(super) size: u64,
    /// The first that is there.
    pub(super) first_index: u64,
    /// The last that is gone.
    pub(super) pruned_until: Position,
    pub(super) is_held: bool,
}

impl Standing {
    /// Whether it has a bundle that may go some day. The newest entry of all stays in any case.
    pub(super) const fn has_bundle(&self) -> bool {
        self.size.saturating_sub(self.first_index) > BUNDLE
    }
}

/// The next logs by name, at most so many; or the one of this name.
pub(super) async fn standings(
    database: &Database,
    after: &str,
    limit: usize,
    only: &str,
) -> Result<Vec<Standing>, Error> {
    let rows: Vec<(String, i64, i64, i64, Option<String>)> = sqlx::query_as(STANDINGS)
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(only)
        .fetch_all(database.pool())
        .await?;
    let standings = rows.into_iter().map(|(log, size, first, until, held)| Standing {
        log,
        size: read_back(size),
        first_index: read_back(first),
        pruned_until: Position::from_i64(until),
        is_held: held.is_some(),
    });
    Ok(standings.collect())
}

/// How the log of this name stands; `None` where there is none.
pub(super) async fn standing(database: &Database, log: &str) -> Result<Option<Standing>, Error> {
    Ok(standings(database, "", 1, log).await?.pop())
}

/// The furthest position at which an entry is gone.
pub(super) async fn furthest(database: &Database) -> Result<Position, Error> {
    let furthest: Option<i64> = sqlx::query_scalar(FURTHEST).fetch_one(database.pool()).await?;
    Ok(Position::from_i64(furthest.unwrap_or(0)))
}

/// The position of the oldest entry that is there, of all logs.
pub(super) async fn oldest(database: &Database) -> Result<Position, Error> {
    let oldest: Option<i64> = sqlx::query_scalar(OLDEST).fetch_one(database.pool()).await?;
    Ok(Position::from_i64(oldest.unwrap_or(0)))
}

/// The intents without an outcome behind one position and up to another.
pub(super) async fn open(database: &Database, after: Position, until: Position) -> Result<Vec<i64>, Error> {
    Ok(sqlx::query_scalar(OPEN)
        .bind(after.as_i64())
        .bind(until.as_i64())
        .fetch_all(database.pool())
        .await?)
}

/// Whether a log is held.
pub(super) async fn is_held(transaction: &mut Transaction, log: &str) -> Result<bool, Error> {
    let held: i64 = sqlx::query_scalar(HELD).bind(log).fetch_one(transaction).await?;
    Ok(held > 0)
}

/// The size of the largest checkpoint of a log that was made by this time.
pub(super) async fn cover(database: &Database, log: &str, by: Timestamp) -> Result<Option<u64>, Error> {
    let size: Option<i64> = sqlx::query_scalar(COVER)
        .bind(log)
        .bind(by.as_micros())
        .fetch_optional(database.pool())
        .await?;
    Ok(size.map(read_back))
}

/// When the heads were made that a place has; `None` where it has none, or another history.
pub(super) async fn anchored(database: &Database, place: &str) -> Result<Option<Timestamp>, Error> {
    let row: Option<(i64, i64)> = sqlx::query_as(ANCHORED)
        .bind(place)
        .fetch_optional(database.pool())
        .await?;
    let Some((size, 0)) = row else { return Ok(None) };
    let made: Option<i64> = sqlx::query_scalar(HEADS_MADE)
        .bind(stored(read_back(size).saturating_sub(1)))
        .fetch_optional(database.pool())
        .await?;
    Ok(made.filter(|_| size > 0).map(Timestamp::from_micros))
}
