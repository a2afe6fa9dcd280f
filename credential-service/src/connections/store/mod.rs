//! The tables of the room: `connection` here, others in files of their names.

pub(super) mod attempts;
pub(super) mod handles;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallerName, ConnectionId, PortalId},
};
use sqlx::FromRow;

use super::Error;

/// The table's name, for the associated data of what is sealed in it.
pub(super) const TABLE: &str = "connection";

#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) connection_id: String,
    pub(super) user_name: String,
    pub(super) portal_id: i64,
    pub(super) client_slug: String,
    pub(super) version: i64,
    pub(super) sealed: Vec<u8>,
    pub(super) end_time: i64,
    pub(super) revoke_time: i64,
    pub(super) access_end_time: i64,
}

/// Every column of a [`Row`], named: a later one must not change what is read here.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT connection_id, user_name, portal_id, client_slug, version, sealed, end_time, revoke_time, ",
            "access_end_time FROM connection ",
            $rest
        )
    };
}

pub(super) async fn insert(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO connection (connection_id, user_name, portal_id, client_slug, version, sealed, end_time, \
         revoke_time, access_end_time) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0)",
    )
    .bind(&row.connection_id)
    .bind(&row.user_name)
    .bind(row.portal_id)
    .bind(&row.client_slug)
    .bind(row.version)
    .bind(row.sealed.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) async fn by_id(database: &Database, id: ConnectionId) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE connection_id = $1"))
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    Ok(row)
}

/// The connections of a user that were not ended, of one portal or all, newest first.
pub(super) async fn live_of(
    database: &Database,
    user: &CallerName,
    portal_id: Option<PortalId>,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "WHERE user_name = $1 AND ($2 = 0 OR portal_id = $2) AND end_time = 0 ORDER BY connection_id DESC"
    ))
    .bind(user.as_str())
    .bind(portal_id.map_or(0, PortalId::as_i64))
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

/// Which connections are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) user: Option<&'a CallerName>,
    pub(super) portal_id: Option<PortalId>,
    pub(super) with_ended: bool,
    /// With a smaller id.
    pub(super) before: &'a str,
    pub(super) limit: usize,
}

/// The connections that are wanted, newest first.
pub(super) async fn page(database: &Database, wanted: &Wanted<'_>) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "WHERE ($1 = '' OR user_name = $1) AND ($2 = 0 OR portal_id = $2) AND ($3 = 1 OR end_time = 0) \
         AND connection_id < $4 ORDER BY connection_id DESC LIMIT $5"
    ))
    .bind(wanted.user.map_or("", CallerName::as_str))
    .bind(wanted.portal_id.map_or(0, PortalId::as_i64))
    .bind(i64::from(wanted.with_ended))
    .bind(wanted.before)
    .bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

/// The id of the connection of a user and portal that was not ended, as a transaction sees it.
pub(super) async fn live_id(
    transaction: &mut Transaction,
    user: &CallerName,
    portal_id: PortalId,
) -> Result<Option<String>, Error> {
    let id = sqlx::query_scalar(
        "SELECT connection_id FROM connection WHERE user_name = $1 AND portal_id = $2 AND end_time = 0",
    )
    .bind(user.as_str())
    .bind(portal_id.as_i64())
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(id)
}

/// Whether a connection was not ended, as a transaction sees it.
pub(super) async fn is_live(transaction: &mut Transaction, id: ConnectionId) -> Result<bool, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM connection WHERE connection_id = $1 AND end_time = 0")
            .bind(id.to_string())
            .fetch_one(&mut *transaction)
            .await?;
    Ok(count > 0)
}

/// Ends a connection; `false` if it was ended before.
pub(super) async fn end(
    transaction: &mut Transaction,
    id: ConnectionId,
    now: Timestamp,
    access_end: Option<Timestamp>,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE connection SET end_time = $1, access_end_time = $2 WHERE connection_id = $3 AND end_time = 0",
    )
    .bind(now.as_micros())
    .bind(access_end.map_or(0, Timestamp::as_micros))
    .bind(id.to_string())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that HubSpot refuses its refresh token.
pub(super) async fn revoked(
    transaction: &mut Transaction,
    id: ConnectionId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE connection SET revoke_time = $1 WHERE connection_id = $2 AND end_time <> 0")
        .bind(now.as_micros())
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes everything of a portal.
pub(super) async fn remove_of(transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM connection_handle WHERE connection_id IN \
         (SELECT connection_id FROM connection WHERE portal_id = $1)",
    )
    .bind(portal_id.as_i64())
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM connection WHERE portal_id = $1")
        .bind(portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}
