//! The table `own_call`: who has called HubSpot when.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Error, Transaction},
    id::PortalId,
};

use super::super::budget::{CALLS, WINDOW};

/// Clocks of replicas may differ by so much.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// Counts a call about an app, if all replicas together have a place for it. Otherwise it says how long there is none.
pub(in crate::portals) async fn count(
    database: &Database,
    replica: &str,
    (portal, app): (PortalId, u64),
    now: Timestamp,
) -> Result<Option<Duration>, Error> {
    let mut transaction = database.begin().await?;
    transaction.lock(&format!("own-calls/{portal}/{app}")).await?;
    let (portal, app) = (portal.as_i64(), i64::try_from(app).unwrap_or(i64::MAX));
    let longest = WINDOW.saturating_add(CLOCKS_DIFFER);
    // Also what a clock that was wrong has left in the future.
    sqlx::query(
        "DELETE FROM own_call WHERE portal_id = $1 AND app_id = $2 AND (call_time <= $3 OR call_time > $4)",
    )
    .bind(portal)
    .bind(app)
    .bind(now.minus(longest).as_micros())
    .bind(now.plus(longest).as_micros())
    .execute(&mut transaction)
    .await?;
    let calls: Vec<(i64, String)> =
        sqlx::query_as("SELECT call_time, replica FROM own_call WHERE portal_id = $1 AND app_id = $2")
            .bind(portal)
            .bind(app)
            .fetch_all(&mut transaction)
            .await?;
    let mut waits: Vec<Duration> = calls
        .iter()
        .map(|(at, by)| {
            let counts_for = if by == replica { WINDOW } else { longest };
            Timestamp::from_micros(*at).plus(counts_for).since(now)
        })
        .filter(|wait| !wait.is_zero())
        .collect();
    waits.sort_unstable_by(|one, other| other.cmp(one));
    if let Some(wait) = waits.get(CALLS - 1) {
        return Ok(Some(*wait));
    }
    sqlx::query("INSERT INTO own_call (portal_id, app_id, call_time, replica) VALUES ($1, $2, $3, $4)")
        .bind(portal)
        .bind(app)
        .bind(now.as_micros())
        .bind(replica)
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(None)
}

/// Forgets the calls about apps of a portal.
pub(in crate::portals) async fn forget(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
    sqlx::query("DELETE FROM own_call WHERE portal_id = $1")
        .bind(portal.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}
