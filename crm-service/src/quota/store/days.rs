//! How many calls of a portal's days are ours, of all replicas together: the table `quota_day`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
};

use crate::quota::{day::Day, error::ShareError};

/// Adds calls to those of a portal's day that ends then.
pub(in crate::quota) async fn add(
    transaction: &mut Transaction,
    portal: PortalId,
    ends: Timestamp,
    calls: u64,
) -> Result<(), ShareError> {
    let calls = i64::try_from(calls).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO quota_day (portal_id, end_time, calls) VALUES ($1, $2, $3) \
         ON CONFLICT (portal_id, end_time) DO UPDATE SET calls = quota_day.calls + excluded.calls",
    )
    .bind(portal.as_i64())
    .bind(ends.as_micros())
    .bind(calls)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// How many calls of a portal's day all replicas have kept. Where the portal has been in another zone, those of all days are among
/// them that lie over this one.
pub(in crate::quota) async fn of(
    transaction: &mut Transaction,
    portal: PortalId,
    day: Day,
) -> Result<u64, ShareError> {
    let (calls,): (i64,) = sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM quota_day \
         WHERE portal_id = $1 AND end_time > $2 AND end_time < $3",
    )
    .bind(portal.as_i64())
    .bind(day.began.as_micros())
    .bind(day.next_ends.as_micros())
    .fetch_one(&mut *transaction)
    .await?;
    Ok(u64::try_from(calls).unwrap_or(0))
}

/// Forgets days that ended before then.
pub(in crate::quota) async fn forget(database: &Database, before: Timestamp) -> Result<(), ShareError> {
    sqlx::query("DELETE FROM quota_day WHERE end_time < $1")
        .bind(before.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}
