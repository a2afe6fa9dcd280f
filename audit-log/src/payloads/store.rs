//! The tables of payloads, in SQL that is valid on SQLite and on PostgreSQL. Rows of `audit_payload` are written with their entries.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};

use crate::{Error, Position};

const FIND: &str = "SELECT sealed FROM audit_payload WHERE position = $1";
/// The next ones, and when the first of them was made. They were made in the order of positions, but for what clocks differ: no index
/// of times has to be written with each of them.
const NEXT: &str = "SELECT MAX(d.position), MIN(d.made_time) FROM \
    (SELECT position, made_time FROM audit_payload WHERE position > $1 ORDER BY position LIMIT $2) d";
const SWEEP: &str = "DELETE FROM audit_payload WHERE made_time < $1 AND position > $2 AND position <= $3 AND NOT EXISTS \
    (SELECT 1 FROM audit_entry e JOIN audit_hold h ON h.log = e.log WHERE e.position = audit_payload.position)";
const HELD_SINCE: &str = "SELECT hold_time FROM audit_hold WHERE log = $1";
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

/// The position of the last of the next ones, at most so many; `None` where none of them was made before.
pub(super) async fn due(
    database: &Database,
    before: Timestamp,
    after: Position,
    most: u32,
) -> Result<Option<Position>, Error> {
    let next: (Option<i64>, Option<i64>) = sqlx::query_as(NEXT)
        .bind(after.as_i64())
        .bind(i64::from(most))
        .fetch_one(database.pool())
        .await?;
    let (Some(last), Some(made)) = next else {
        return Ok(None);
    };
    Ok((made < before.as_micros()).then_some(Position::from_i64(last)))
}

/// Removes those behind one position and up to another that were made before, but for those of logs that are held, and notes that.
/// Gives how many.
pub(super) async fn sweep(
    transaction: &mut Transaction,
    before: Timestamp,
    now: Timestamp,
    (after, until): (Position, Position),
) -> Result<u64, Error> {
    sqlx::query(SWEPT)
        .bind(before.as_micros())
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    let swept = sqlx::query(SWEEP).bind(before.as_micros());
    let swept = swept.bind(after.as_i64()).bind(until.as_i64());
    Ok(swept.execute(&mut *transaction).await?.rows_affected())
}

/// Since when a log is held, if it is.
pub(super) async fn held_since(database: &Database, log: &str) -> Result<Option<Timestamp>, Error> {
    let since: Option<i64> = sqlx::query_scalar(HELD_SINCE)
        .bind(log)
        .fetch_optional(database.pool())
        .await?;
    Ok(since.map(Timestamp::from_micros))
}

/// Whether a log is held, as of this transaction.
pub(super) async fn is_held(transaction: &mut Transaction, log: &str) -> Result<bool, Error> {
    let since: Option<i64> = sqlx::query_scalar(HELD_SINCE)
        .bind(log)
        .fetch_optional(transaction)
        .await?;
    Ok(since.is_some())
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
