//! Calls by a portal's token that nobody here has made, of all replicas together: the table `quota_unaccounted`.

use std::time::Duration;

use hubkeep_core::{clock::Timestamp, database::Database, id::PortalId};

use crate::quota::{error::ShareError, outside::Unaccounted};

/// Puts what a replica has seen with what all have seen, and gives that.
pub(in crate::quota) async fn add(
    database: &Database,
    portal: PortalId,
    seen: Unaccounted,
) -> Result<Unaccounted, ShareError> {
    let calls = i64::try_from(seen.calls).unwrap_or(i64::MAX);
    let (calls, since, last_seen): (i64, i64, i64) = sqlx::query_as(
        "INSERT INTO quota_unaccounted (portal_id, calls, since_time, last_seen_time, noted_time) \
         VALUES ($1, $2, $3, $4, 0) ON CONFLICT (portal_id) DO UPDATE SET \
         calls = quota_unaccounted.calls + excluded.calls, last_seen_time = excluded.last_seen_time \
         RETURNING calls, since_time, last_seen_time",
    )
    .bind(portal.as_i64())
    .bind(calls)
    .bind(seen.since.as_micros())
    .bind(seen.last_seen.as_micros())
    .fetch_one(database.pool())
    .await?;
    Ok(Unaccounted {
        calls: u64::try_from(calls).unwrap_or(0),
        since: Timestamp::from_micros(since),
        last_seen: Timestamp::from_micros(last_seen),
    })
}

/// Whether what was seen is to be noted now: by one of all who ask, once in `apart`.
pub(in crate::quota) async fn is_to_be_noted(
    database: &Database,
    portal: PortalId,
    now: Timestamp,
    apart: Duration,
) -> Result<bool, ShareError> {
    let done =
        sqlx::query("UPDATE quota_unaccounted SET noted_time = $2 WHERE portal_id = $1 AND noted_time <= $3")
            .bind(portal.as_i64())
            .bind(now.as_micros())
            .bind(now.minus(apart).as_micros())
            .execute(database.pool())
            .await?;
    Ok(done.rows_affected() > 0)
}
