//! How many calls of a portal's days are ours, of all replicas together: the table `quota_day`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
};

use crate::quota::error::ShareError;

/// Adds calls to those of a portal's day that ends then; gives those of all replicas.
pub(in crate::quota) async fn add(
    transaction: &mut Transaction,
    portal: PortalId,
    ends: Timestamp,
    calls: u64,
) -> Result<u64, ShareError> {
    let calls = i64::try_from(calls).unwrap_or(i64::MAX);
    let (all,): (i64,) = sqlx::query_as(
        "INSERT INTO quota_day (portal_id, end_time, calls) VALUES ($1, $2, $3) \
         ON CONFLICT (portal_id, end_time) DO UPDATE SET calls = quota_day.calls + excluded.calls RETURNING calls",
    )
    .bind(portal.as_i64())
    .bind(ends.as_micros())
    .bind(calls)
    .fetch_one(&mut *transaction)
    .await?;
    Ok(u64::try_from(all).unwrap_or(0))
}

/// Forgets days that ended before then.
pub(in crate::quota) async fn forget(database: &Database, before: Timestamp) -> Result<(), ShareError> {
    sqlx::query("DELETE FROM quota_day WHERE end_time < $1")
        .bind(before.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}
