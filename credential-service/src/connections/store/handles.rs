//! The table `connection_handle`.

use hubkeep_core::{
    clock::Timestamp,
    database::Transaction,
    id::{ConnectionId, HandleId},
};

use super::Error;

/// Rows deleted at once.
const SWEEP: i64 = 256;

pub(in super::super) async fn insert(
    transaction: &mut Transaction,
    connection_id: ConnectionId,
    handle_id: HandleId,
    expire_time: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO connection_handle (connection_id, handle_id, expire_time) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
    )
    .bind(connection_id.to_string())
    .bind(handle_id.to_string())
    .bind(expire_time.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// The handles of a connection whose time is not over.
pub(in super::super) async fn living_of(
    transaction: &mut Transaction,
    connection_id: ConnectionId,
    now: Timestamp,
) -> Result<Vec<HandleId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT handle_id FROM connection_handle WHERE connection_id = $1 AND expire_time > $2",
    )
    .bind(connection_id.to_string())
    .bind(now.as_micros())
    .fetch_all(&mut *transaction)
    .await?;
    ids.into_iter()
        .map(|id| id.parse().map_err(|_| Error::Altered(id)))
        .collect()
}

/// Deletes some of those whose time is over.
pub(in super::super) async fn sweep(transaction: &mut Transaction, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM connection_handle WHERE handle_id IN \
         (SELECT handle_id FROM connection_handle WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(now.as_micros())
    .bind(SWEEP)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
