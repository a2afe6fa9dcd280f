//! The table `reservation`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{HandleId, PortalId, ReservationId},
};
use sqlx::FromRow;

use super::{super::Error, SWEEP};

/// The table's name, for the associated data of what is sealed in it.
pub(in crate::handles) const TABLE: &str = "reservation";

#[derive(Clone, Debug, FromRow)]
pub(in crate::handles) struct Row {
    pub(in crate::handles) reservation_id: String,
    pub(in crate::handles) portal_id: i64,
    pub(in crate::handles) client_slug: String,
    pub(in crate::handles) lineage: String,
    pub(in crate::handles) expire_time: i64,
    pub(in crate::handles) claims: Vec<u8>,
    pub(in crate::handles) used_time: Option<i64>,
    pub(in crate::handles) void_seq: Option<i64>,
}

/// How the lineage of a handle is written, so that each of its ids is found in it.
pub(in crate::handles) fn lineage(handles: impl Iterator<Item = HandleId>) -> String {
    handles.fold("/".to_owned(), |mut text, handle_id| {
        text.push_str(&handle_id.to_string());
        text.push('/');
        text
    })
}

/// Reservations of a portal are made, and voided, by one at a time.
pub(in crate::handles) async fn lock(
    transaction: &mut Transaction,
    portal_id: PortalId,
) -> Result<(), Error> {
    Ok(transaction.lock(&format!("reservation/{portal_id}")).await?)
}

pub(in crate::handles) async fn insert(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO reservation (reservation_id, portal_id, client_slug, lineage, expire_time, claims) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&row.reservation_id)
    .bind(row.portal_id)
    .bind(&row.client_slug)
    .bind(&row.lineage)
    .bind(row.expire_time)
    .bind(row.claims.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(in crate::handles) async fn by_id(database: &Database, id: ReservationId) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT reservation_id, portal_id, client_slug, lineage, expire_time, claims, used_time, void_seq \
         FROM reservation WHERE reservation_id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(database.pool())
    .await?;
    Ok(row)
}

/// Marks a reservation as used; `false` if it was used, or voided, before.
pub(in crate::handles) async fn mark_used(
    database: &Database,
    id: ReservationId,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE reservation SET used_time = $1 \
         WHERE reservation_id = $2 AND used_time IS NULL AND void_seq IS NULL",
    )
    .bind(now.as_micros())
    .bind(id.to_string())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was reserved by a handle, or by one that was narrowed from it, and is not used.
#[derive(Debug, FromRow)]
pub(in crate::handles) struct Unused {
    pub(in crate::handles) portal_id: i64,
    pub(in crate::handles) lineage: String,
    /// By which place on the feed it is void, if it is.
    pub(in crate::handles) void_seq: Option<i64>,
}

/// Everything unused of a handle.
pub(in crate::handles) async fn unused_of(
    transaction: &mut Transaction,
    handle_id: HandleId,
) -> Result<Vec<Unused>, Error> {
    let rows = sqlx::query_as(
        "SELECT portal_id, lineage, void_seq FROM reservation WHERE lineage LIKE $1 AND used_time IS NULL",
    )
    .bind(format!("%/{handle_id}/%"))
    .fetch_all(transaction)
    .await?;
    Ok(rows)
}

/// Voids what was reserved by a handle, or by one that was narrowed from it.
pub(in crate::handles) async fn void(
    transaction: &mut Transaction,
    handle_id: HandleId,
    seq: u64,
) -> Result<(), Error> {
    sqlx::query("UPDATE reservation SET void_seq = $1 WHERE lineage LIKE $2 AND void_seq IS NULL")
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(format!("%/{handle_id}/%"))
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes every reservation of a portal.
pub(in crate::handles) async fn delete_of(
    transaction: &mut Transaction,
    portal_id: PortalId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM reservation WHERE portal_id = $1")
        .bind(portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes some of the reservations that ended before `time`.
pub(in crate::handles) async fn sweep(database: &Database, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM reservation WHERE reservation_id IN \
         (SELECT reservation_id FROM reservation WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(time.as_micros())
    .bind(SWEEP)
    .execute(database.pool())
    .await?;
    Ok(())
}
