//! The table `user_handle`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{HandleId, SessionId},
};
use sqlx::FromRow;

use super::{Error, SWEEP};

/// The table's name, for the associated data of what is sealed in it.
pub(in crate::handles) const TABLE: &str = "user_handle";

#[derive(Clone, Debug, FromRow)]
pub(in crate::handles) struct Row {
    pub(in crate::handles) handle_id: String,
    pub(in crate::handles) secret_mac: Vec<u8>,
    pub(in crate::handles) session_id: String,
    pub(in crate::handles) sequence: i64,
    pub(in crate::handles) expire_time: i64,
    pub(in crate::handles) used_time: i64,
    pub(in crate::handles) end_time: i64,
    pub(in crate::handles) claims: Vec<u8>,
}

pub(in crate::handles) async fn insert(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO user_handle (handle_id, secret_mac, session_id, sequence, expire_time, used_time, end_time, claims) \
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6)",
    )
    .bind(&row.handle_id)
    .bind(row.secret_mac.as_slice())
    .bind(&row.session_id)
    .bind(row.sequence)
    .bind(row.expire_time)
    .bind(row.claims.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(in crate::handles) async fn by_mac(database: &Database, mac: &[u8]) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT handle_id, secret_mac, session_id, sequence, expire_time, used_time, end_time, claims \
         FROM user_handle WHERE secret_mac = $1",
    )
    .bind(mac)
    .fetch_optional(database.pool())
    .await?;
    Ok(row)
}

/// Notes that one was used, the first time.
pub(in crate::handles) async fn note_use(
    database: &Database,
    handle_id: HandleId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE user_handle SET used_time = $1 WHERE handle_id = $2 AND used_time = 0")
        .bind(now.as_micros())
        .bind(handle_id.to_string())
        .execute(database.pool())
        .await?;
    Ok(())
}

pub(in crate::handles) async fn is_used(
    transaction: &mut Transaction,
    session_id: SessionId,
    sequence: u64,
) -> Result<bool, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM user_handle WHERE session_id = $1 AND sequence = $2 AND used_time <> 0",
    )
    .bind(session_id.to_string())
    .bind(i64::try_from(sequence).unwrap_or(i64::MAX))
    .fetch_one(&mut *transaction)
    .await?;
    Ok(count > 0)
}

/// Whether one was not ended, as a transaction sees it.
pub(in crate::handles) async fn lives(
    transaction: &mut Transaction,
    handle_id: HandleId,
) -> Result<bool, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM user_handle WHERE handle_id = $1 AND end_time = 0")
            .bind(handle_id.to_string())
            .fetch_one(&mut *transaction)
            .await?;
    Ok(count > 0)
}

/// Those of a session, or of a number of it, that were not ended and whose time is not over.
pub(in crate::handles) async fn living_of(
    transaction: &mut Transaction,
    session_id: SessionId,
    sequence: Option<u64>,
    now: Timestamp,
) -> Result<Vec<String>, Error> {
    let ids = sqlx::query_scalar(
        "SELECT handle_id FROM user_handle WHERE session_id = $1 AND ($2 = 0 OR sequence = $2) \
         AND expire_time > $3 AND end_time = 0 ORDER BY handle_id",
    )
    .bind(session_id.to_string())
    .bind(sequence.map_or(0, |sequence| i64::try_from(sequence).unwrap_or(i64::MAX)))
    .bind(now.as_micros())
    .fetch_all(&mut *transaction)
    .await?;
    Ok(ids)
}

pub(in crate::handles) async fn end(
    transaction: &mut Transaction,
    handle_id: HandleId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE user_handle SET end_time = $1 WHERE handle_id = $2 AND end_time = 0")
        .bind(now.as_micros())
        .bind(handle_id.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes some of those that ended before `time`.
pub(in crate::handles) async fn sweep(transaction: &mut Transaction, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM user_handle WHERE handle_id IN \
         (SELECT handle_id FROM user_handle WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(time.as_micros())
    .bind(SWEEP)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
