//! The table `session_secret`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::SessionId,
};
use sqlx::FromRow;

use super::{Error, SWEEP};
use crate::sessions::secrets::{NEW, SPENT, USED};

#[derive(Clone, Debug, FromRow)]
pub(in crate::sessions) struct Row {
    pub(in crate::sessions) secret_mac: Vec<u8>,
    pub(in crate::sessions) session_id: String,
    pub(in crate::sessions) kind: String,
    pub(in crate::sessions) sequence: i64,
    pub(in crate::sessions) expire_time: i64,
    pub(in crate::sessions) seal: Vec<u8>,
    pub(in crate::sessions) state: i64,
}

pub(in crate::sessions) async fn insert(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO session_secret (secret_mac, session_id, kind, sequence, expire_time, seal, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(row.secret_mac.as_slice())
    .bind(&row.session_id)
    .bind(&row.kind)
    .bind(row.sequence)
    .bind(row.expire_time)
    .bind(row.seal.as_slice())
    .bind(row.state)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(in crate::sessions) async fn by_mac(database: &Database, mac: &[u8]) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT secret_mac, session_id, kind, sequence, expire_time, seal, state FROM session_secret \
         WHERE secret_mac = $1",
    )
    .bind(mac)
    .fetch_optional(database.pool())
    .await?;
    Ok(row)
}

/// Notes that one was used, the first time.
pub(in crate::sessions) async fn note_use(database: &Database, mac: &[u8]) -> Result<(), Error> {
    sqlx::query("UPDATE session_secret SET state = $1 WHERE secret_mac = $2 AND state = $3")
        .bind(USED)
        .bind(mac)
        .bind(NEW)
        .execute(database.pool())
        .await?;
    Ok(())
}

/// What was done with one, as a transaction sees it.
pub(in crate::sessions) async fn state(transaction: &mut Transaction, mac: &[u8]) -> Result<i64, Error> {
    let state: Option<i64> = sqlx::query_scalar("SELECT state FROM session_secret WHERE secret_mac = $1")
        .bind(mac)
        .fetch_optional(&mut *transaction)
        .await?;
    Ok(state.unwrap_or(SPENT))
}

pub(in crate::sessions) async fn set_state(
    transaction: &mut Transaction,
    mac: &[u8],
    state: i64,
) -> Result<(), Error> {
    sqlx::query("UPDATE session_secret SET state = $1 WHERE secret_mac = $2")
        .bind(state)
        .bind(mac)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Whether any of a pair was used.
pub(in crate::sessions) async fn is_used(
    transaction: &mut Transaction,
    id: SessionId,
    sequence: u64,
) -> Result<bool, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM session_secret WHERE session_id = $1 AND sequence = $2 AND state <> $3",
    )
    .bind(id.to_string())
    .bind(i64::try_from(sequence).unwrap_or(i64::MAX))
    .bind(NEW)
    .fetch_one(&mut *transaction)
    .await?;
    Ok(count > 0)
}

/// Makes a pair good for nothing: it never arrived.
pub(in crate::sessions) async fn give_up(
    transaction: &mut Transaction,
    id: SessionId,
    sequence: u64,
) -> Result<(), Error> {
    sqlx::query("UPDATE session_secret SET state = $1 WHERE session_id = $2 AND sequence = $3")
        .bind(SPENT)
        .bind(id.to_string())
        .bind(i64::try_from(sequence).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes some of those that ended before `time`.
pub(super) async fn sweep(transaction: &mut Transaction, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM session_secret WHERE secret_mac IN \
         (SELECT secret_mac FROM session_secret WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(time.as_micros())
    .bind(SWEEP)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
