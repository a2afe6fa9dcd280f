//! The tables of the room: `session` here, others in files of their names.

pub(super) mod consents;
pub(super) mod secrets;

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallerName, SessionId},
};
use sqlx::FromRow;

use super::{Error, session::BROWSER};

/// The table's name, for the associated data of what is sealed in it.
pub(super) const TABLE: &str = "session";
/// Rows deleted at once.
const SWEEP: i64 = 256;
/// Sessions are deleted so long after they were opened, and secrets so long after their end: until then it is told what became
/// of them.
const KEPT: Duration = Duration::from_secs(31 * 24 * 60 * 60);
const SECRETS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) session_id: String,
    pub(super) kind: String,
    pub(super) user_name: String,
    pub(super) client_id: String,
    pub(super) open_time: i64,
    pub(super) sequence: i64,
    pub(super) end_time: i64,
    pub(super) sealed: Vec<u8>,
}

/// Every column of a [`Row`], named: a later one must not change what is read here.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT session_id, kind, user_name, client_id, open_time, sequence, end_time, sealed FROM session ",
            $rest
        )
    };
}

/// A new session, with the number of its first pair; 0 where there is but a code.
pub(super) async fn insert(transaction: &mut Transaction, row: &Row, sequence: i64) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO session (session_id, kind, user_name, client_id, open_time, sequence, end_time, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
    )
    .bind(&row.session_id)
    .bind(&row.kind)
    .bind(&row.user_name)
    .bind(&row.client_id)
    .bind(row.open_time)
    .bind(sequence)
    .bind(row.sealed.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) async fn by_id(database: &Database, id: &str) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE session_id = $1"))
        .bind(id)
        .fetch_optional(database.pool())
        .await?;
    Ok(row)
}

/// Which sessions of browsers are wanted, of those that were not ended.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) user: Option<&'a CallerName>,
    pub(super) opened_after: Timestamp,
    /// With a smaller id.
    pub(super) before: &'a str,
    pub(super) limit: usize,
}

pub(super) async fn page(database: &Database, wanted: &Wanted<'_>) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "WHERE kind = $1 AND ($2 = '' OR user_name = $2) AND open_time > $3 AND end_time = 0 AND session_id < $4 \
         ORDER BY session_id DESC LIMIT $5"
    ))
    .bind(BROWSER)
    .bind(wanted.user.map_or("", CallerName::as_str))
    .bind(wanted.opened_after.as_micros())
    .bind(wanted.before)
    .bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

/// The ids and kinds of a user's sessions that were not ended; of one client, where one is named.
pub(super) async fn living_of(
    database: &Database,
    user: &CallerName,
    client_id: Option<&str>,
) -> Result<Vec<(String, String)>, Error> {
    let rows = sqlx::query_as(
        "SELECT session_id, kind FROM session WHERE user_name = $1 AND ($2 = '' OR client_id = $2) AND end_time = 0 \
         ORDER BY session_id",
    )
    .bind(user.as_str())
    .bind(client_id.unwrap_or_default())
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

/// How many token families of a user and client live.
pub(super) async fn families_of(
    database: &Database,
    user: &str,
    client_id: &str,
    opened_after: Timestamp,
) -> Result<u32, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM session WHERE user_name = $1 AND client_id = $2 AND end_time = 0 AND sequence > 0 \
         AND open_time > $3",
    )
    .bind(user)
    .bind(client_id)
    .bind(opened_after.as_micros())
    .fetch_one(database.pool())
    .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The number of the newest pair of a session that was not ended, as a transaction sees it.
pub(super) async fn standing(transaction: &mut Transaction, id: SessionId) -> Result<Option<u64>, Error> {
    let sequence: Option<i64> =
        sqlx::query_scalar("SELECT sequence FROM session WHERE session_id = $1 AND end_time = 0")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
    Ok(sequence.and_then(|sequence| u64::try_from(sequence).ok()))
}

pub(super) async fn advance(transaction: &mut Transaction, id: SessionId, to: u64) -> Result<(), Error> {
    sqlx::query("UPDATE session SET sequence = $1 WHERE session_id = $2")
        .bind(i64::try_from(to).unwrap_or(i64::MAX))
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Ends a session; `false` if it was ended before.
pub(super) async fn end(transaction: &mut Transaction, id: SessionId, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE session SET end_time = $1 WHERE session_id = $2 AND end_time = 0")
        .bind(now.as_micros())
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes some of what nobody asks about any more.
pub(super) async fn sweep(transaction: &mut Transaction, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM session WHERE session_id IN (SELECT session_id FROM session WHERE open_time < $1 LIMIT $2)",
    )
    .bind(now.minus(KEPT).as_micros())
    .bind(SWEEP)
    .execute(&mut *transaction)
    .await?;
    secrets::sweep(transaction, now.minus(SECRETS_KEPT)).await
}
