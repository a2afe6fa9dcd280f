//! The table `audit_anchor`, and how long something waits to be anchored, in SQL that is valid on SQLite and on PostgreSQL.

use hubkeep_core::{clock::Timestamp, database::Database};

use super::error::Error;

const NAME: &str = "INSERT INTO audit_anchor (place, since_time, size, anchored_time, next_time, failures, noted_time, \
    forked_size) VALUES ($1, $2, 0, 0, 0, 0, 0, 0) ON CONFLICT (place) DO NOTHING";
const FIND: &str = "SELECT since_time, size, next_time, failures, noted_time, forked_size FROM audit_anchor \
    WHERE place = $1";
const CLAIM: &str =
    "UPDATE audit_anchor SET next_time = $3 WHERE place = $1 AND next_time = $2 AND forked_size = 0";
const ANCHORED: &str = "UPDATE audit_anchor SET size = $2, anchored_time = $3, next_time = $4, failures = 0 \
    WHERE place = $1 AND size < $2";
const FAILED: &str = "UPDATE audit_anchor SET failures = failures + 1, next_time = $2 WHERE place = $1";
const FORKED: &str = "UPDATE audit_anchor SET forked_size = $2 WHERE place = $1";
const NOTE: &str = "UPDATE audit_anchor SET noted_time = $3 WHERE place = $1 AND noted_time = $2";
const HEADS_MADE: &str = "SELECT made_time FROM audit_heads WHERE heads_index = $1";
const NEWEST_HEADS_MADE: &str = "SELECT made_time FROM audit_heads ORDER BY heads_index DESC LIMIT 1";
const NOT_IN_HEADS: &str = "SELECT MIN(made_time) FROM audit_checkpoint WHERE made_time > $1 AND log <> $2";
const NOT_SIGNED: &str = "SELECT MIN(moved_time) FROM audit_tree WHERE size > signed_size AND log <> $1";

/// A place, as its row has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// When it was first named.
    pub(super) since: Timestamp,
    /// The size of the checkpoint that was put there last; 0 for none.
    pub(super) size: u64,
    /// When something may be put there again.
    pub(super) next: Timestamp,
    /// How often it has failed since.
    pub(super) failures: u64,
    /// When it was last noted that something is late.
    pub(super) noted: Timestamp,
    /// The size at which something else was found there; 0 for none.
    pub(super) forked_size: u64,
}

/// Makes the row of a place that has none.
pub(super) async fn name(database: &Database, place: &str, now: Timestamp) -> Result<(), Error> {
    let named = sqlx::query(NAME).bind(place).bind(now.as_micros());
    named.execute(database.pool()).await?;
    Ok(())
}

/// The row of a place.
pub(super) async fn find(database: &Database, place: &str) -> Result<Option<Place>, Error> {
    let row: Option<(i64, i64, i64, i64, i64, i64)> = sqlx::query_as(FIND)
        .bind(place)
        .fetch_optional(database.pool())
        .await?;
    Ok(row.map(|(since, size, next, failures, noted, forked)| Place {
        since: Timestamp::from_micros(since),
        size: unsigned(size),
        next: Timestamp::from_micros(next),
        failures: unsigned(failures),
        noted: Timestamp::from_micros(noted),
        forked_size: unsigned(forked),
    }))
}

/// Takes the turn at a place until then; `false` if another has taken it since the row was read.
pub(super) async fn claim(
    database: &Database,
    place: &str,
    read: Timestamp,
    until: Timestamp,
) -> Result<bool, Error> {
    let claimed = sqlx::query(CLAIM)
        .bind(place)
        .bind(read.as_micros())
        .bind(until.as_micros())
        .execute(database.pool())
        .await?;
    Ok(claimed.rows_affected() == 1)
}

/// The checkpoint of this size is there.
pub(super) async fn anchored(
    database: &Database,
    place: &str,
    size: u64,
    now: Timestamp,
    next: Timestamp,
) -> Result<(), Error> {
    sqlx::query(ANCHORED)
        .bind(place)
        .bind(signed(size))
        .bind(now.as_micros())
        .bind(next.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// It is not, and is tried again then.
pub(super) async fn failed(database: &Database, place: &str, next: Timestamp) -> Result<(), Error> {
    let failed = sqlx::query(FAILED).bind(place).bind(next.as_micros());
    failed.execute(database.pool()).await?;
    Ok(())
}

/// Something else is there: nothing is put there any more.
pub(super) async fn forked(database: &Database, place: &str, size: u64) -> Result<(), Error> {
    let forked = sqlx::query(FORKED).bind(place).bind(signed(size));
    forked.execute(database.pool()).await?;
    Ok(())
}

/// It is noted now that something is late; `false` if another has noted it since the row was read.
pub(super) async fn note(
    database: &Database,
    place: &str,
    read: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    let noted = sqlx::query(NOTE)
        .bind(place)
        .bind(read.as_micros())
        .bind(now.as_micros())
        .execute(database.pool())
        .await?;
    Ok(noted.rows_affected() == 1)
}

/// Since when the oldest head waits that is not among the first `size`.
pub(super) async fn oldest_head(database: &Database, size: u64) -> Result<Option<Timestamp>, Error> {
    let made: Option<i64> = sqlx::query_scalar(HEADS_MADE)
        .bind(signed(size))
        .fetch_optional(database.pool())
        .await?;
    Ok(made.map(Timestamp::from_micros))
}

/// Since when the oldest entry or checkpoint waits that no head names yet.
pub(super) async fn oldest_without_head(
    database: &Database,
    heads: &str,
) -> Result<Option<Timestamp>, Error> {
    let newest: Option<i64> = sqlx::query_scalar(NEWEST_HEADS_MADE)
        .fetch_optional(database.pool())
        .await?;
    let signed: Option<i64> = sqlx::query_scalar(NOT_IN_HEADS)
        .bind(newest.unwrap_or(i64::MIN))
        .bind(heads)
        .fetch_one(database.pool())
        .await?;
    let moved: Option<i64> = sqlx::query_scalar(NOT_SIGNED)
        .bind(heads)
        .fetch_one(database.pool())
        .await?;
    let oldest = [signed, moved].into_iter().flatten().min();
    Ok(oldest.map(Timestamp::from_micros))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
