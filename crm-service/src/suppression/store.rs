//! The table `suppressed_address`.

use hubkeep_core::{clock::Timestamp, database::Database, id::PortalId};

use super::Error;

/// Puts one on the list. Gives whether it was not there.
pub(super) async fn insert(
    database: &Database,
    portal: PortalId,
    reference: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO suppressed_address (portal_id, reference, create_time) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
    )
    .bind(portal.as_i64())
    .bind(reference)
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes one from the list.
pub(super) async fn delete(database: &Database, portal: PortalId, reference: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM suppressed_address WHERE portal_id = $1 AND reference = $2")
        .bind(portal.as_i64())
        .bind(reference)
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Whether one is on the list.
pub(super) async fn has(database: &Database, portal: PortalId, reference: &str) -> Result<bool, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM suppressed_address WHERE portal_id = $1 AND reference = $2")
            .bind(portal.as_i64())
            .bind(reference)
            .fetch_one(database.pool())
            .await?;
    Ok(count > 0)
}

/// Whether none is on a portal's list.
pub(super) async fn is_empty(database: &Database, portal: PortalId) -> Result<bool, Error> {
    let first: Option<i64> =
        sqlx::query_scalar("SELECT portal_id FROM suppressed_address WHERE portal_id = $1 LIMIT 1")
            .bind(portal.as_i64())
            .fetch_optional(database.pool())
            .await?;
    Ok(first.is_none())
}
