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

/// Who may note what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::quota) enum Note {
    /// Whoever has asked, within [`HOLDS_FOR`].
    Ours,
    /// Perhaps nobody: somebody has asked a moment ago, and it is not known yet whether it is on record.
    Perhaps,
    /// Nobody: something is on record.
    OnRecord,
}

/// Whoever may note something has so long for it: then another may.
pub(in crate::quota) const HOLDS_FOR: Duration = Duration::from_secs(10);

/// Asks whether what was seen is to be noted now: by one of all who ask, and not within `apart` of the last note.
pub(in crate::quota) async fn is_to_be_noted(
    database: &Database,
    portal: PortalId,
    now: Timestamp,
    apart: Duration,
) -> Result<Note, ShareError> {
    let last = now.minus(apart);
    let until = last.plus(HOLDS_FOR);
    let done =
        sqlx::query("UPDATE quota_unaccounted SET noted_time = $2 WHERE portal_id = $1 AND noted_time <= $3")
            .bind(portal.as_i64())
            .bind(until.as_micros())
            .bind(last.as_micros())
            .execute(database.pool())
            .await?;
    if done.rows_affected() > 0 {
        return Ok(Note::Ours);
    }
    let noted: Option<(i64,)> =
        sqlx::query_as("SELECT noted_time FROM quota_unaccounted WHERE portal_id = $1")
            .bind(portal.as_i64())
            .fetch_optional(database.pool())
            .await?;
    Ok(match noted {
        Some((noted,)) if Timestamp::from_micros(noted) > until => Note::OnRecord,
        Some(_) | None => Note::Perhaps,
    })
}

/// It is on record.
pub(in crate::quota) async fn is_noted(
    database: &Database,
    portal: PortalId,
    now: Timestamp,
) -> Result<(), ShareError> {
    sqlx::query("UPDATE quota_unaccounted SET noted_time = $2 WHERE portal_id = $1")
        .bind(portal.as_i64())
        .bind(now.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}
