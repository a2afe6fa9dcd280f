//! The tables of payloads, in SQL that is valid on SQLite and on PostgreSQL. Rows of `audit_payload` are written with their entries.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};

use crate::{Error, Position};

const FIND: &str = "SELECT sealed FROM audit_payload WHERE position = $1";
/// The first was made first, but for what clocks differ: no index of times has to be written with each of them.
const IS_DUE: &str = "SELECT COUNT(*) FROM (SELECT made_time FROM audit_payload ORDER BY position LIMIT 1) d WHERE d.made_time < $1";
const SWEEP: &str = "DELETE FROM audit_payload WHERE made_time < $1 AND position IN \
    (SELECT position FROM audit_payload ORDER BY position LIMIT $2)";
const SWEPT: &str = "INSERT INTO audit_payload_swept (before_time, swept_time) VALUES ($1, $2) \
    ON CONFLICT (before_time) DO NOTHING";
const SWEPT_WHEN: &str = "SELECT MIN(swept_time) FROM audit_payload_swept WHERE before_time > $1";
const ERASED: &str = "INSERT INTO audit_payload_erased (position, erased_time, erased_position) \
    SELECT position, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM audit_payload WHERE position = $1 ON CONFLICT (position) DO NOTHING";
const ERASE: &str = "DELETE FROM audit_payload WHERE position = $1";
const ERASED_WHEN: &str = "SELECT erased_time, erased_position FROM audit_payload_erased WHERE position = $1";
const LOG_ERASED: &str =
    "INSERT INTO audit_payload_log (log, erased_time) VALUES ($1, $2) ON CONFLICT (log) DO NOTHING";
const LOG_ERASED_WHEN: &str = "SELECT erased_time FROM audit_payload_log WHERE log = $1";
const SIZE: &str = "SELECT size FROM audit_log_size WHERE log = $1";
const ERASE_OF_LOG: &str = "DELETE FROM audit_payload WHERE position IN \
    (SELECT position FROM audit_entry WHERE log = $1 AND log_index >= $2 AND log_index < $3)";

/// The sealed bytes beside the entry at this position.
pub(super) async fn find(database: &Database, position: Position) -> Result<Option<Vec<u8>>, Error> {
    let found = sqlx::query_scalar(FIND).bind(position.as_i64());
    Ok(found.fetch_optional(database.pool()).await?)
}

/// Whether any was made before.
pub(super) async fn is_due(database: &Database, before: Timestamp) -> Result<bool, Error> {
    let due: i64 = sqlx::query_scalar(IS_DUE)
        .bind(before.as_micros())
        .fetch_one(database.pool())
        .await?;
    Ok(due > 0)
}

/// Removes at most so many of those that were made before, oldest first, and notes that. Gives how many.
pub(super) async fn sweep(
    transaction: &mut Transaction,
    before: Timestamp,
    now: Timestamp,
    most: u32,
) -> Result<u64, Error> {
    sqlx::query(SWEPT)
        .bind(before.as_micros())
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    let swept = sqlx::query(SWEEP).bind(before.as_micros()).bind(i64::from(most));
    Ok(swept.execute(&mut *transaction).await?.rows_affected())
}

/// When those that were made then were removed, if they were.
pub(super) async fn swept_when(database: &Database, made: Timestamp) -> Result<Option<Timestamp>, Error> {
    let when: Option<i64> = sqlx::query_scalar(SWEPT_WHEN)
        .bind(made.as_micros())
        .fetch_one(database.pool())
        .await?;
    Ok(when.map(Timestamp::from_micros))
}

/// Erases the one beside this entry, and notes which entry says so. Whether there was one.
pub(super) async fn erase(
    transaction: &mut Transaction,
    position: Position,
    now: Timestamp,
    said_at: Position,
) -> Result<bool, Error> {
    sqlx::query(ERASED)
        .bind(position.as_i64())
        .bind(now.as_micros())
        .bind(said_at.as_i64())
        .execute(&mut *transaction)
        .await?;
    let erased = sqlx::query(ERASE).bind(position.as_i64());
    Ok(erased.execute(&mut *transaction).await?.rows_affected() == 1)
}

/// When the one beside this entry was erased, and which entry says so.
pub(super) async fn erased_when(
    database: &Database,
    position: Position,
) -> Result<Option<(Timestamp, Position)>, Error> {
    let found: Option<(i64, i64)> = sqlx::query_as(ERASED_WHEN)
        .bind(position.as_i64())
        .fetch_optional(database.pool())
        .await?;
    Ok(found.map(|(when, said_at)| (Timestamp::from_micros(when), Position::from_i64(said_at))))
}

/// Notes that all of a log are erased, unless that is noted.
pub(super) async fn note_log(database: &Database, log: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query(LOG_ERASED)
        .bind(log)
        .bind(now.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// When all of a log were erased, if they were.
pub(super) async fn log_erased_when(database: &Database, log: &str) -> Result<Option<Timestamp>, Error> {
    let when: Option<i64> = sqlx::query_scalar(LOG_ERASED_WHEN)
        .bind(log)
        .fetch_optional(database.pool())
        .await?;
    Ok(when.map(Timestamp::from_micros))
}

/// How many entries a log has.
pub(super) async fn size_of(database: &Database, log: &str) -> Result<i64, Error> {
    let size: Option<i64> = sqlx::query_scalar(SIZE)
        .bind(log)
        .fetch_optional(database.pool())
        .await?;
    Ok(size.unwrap_or(0))
}

/// Erases those beside the entries of a log from one index to before another. Gives how many.
pub(super) async fn erase_of_log(database: &Database, log: &str, from: i64, to: i64) -> Result<u64, Error> {
    let erased = sqlx::query(ERASE_OF_LOG).bind(log).bind(from).bind(to);
    Ok(erased.execute(database.pool()).await?.rows_affected())
}
