//! Which portals HubSpot moves: the table `quota_moving`.

use std::collections::HashMap;

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Timestamp,
    database::Database,
    id::{ClientSlug, PortalId},
};

use crate::quota::{error::ShareError, moving::Told};

/// Tells until when HubSpot moves a portal, unless an operator has said since that it does not.
pub(in crate::quota) async fn tell(
    database: &Database,
    portal: &ProvenPortal,
    told: Told,
) -> Result<(), ShareError> {
    sqlx::query(
        "INSERT INTO quota_moving (portal_id, until_time, client_slug) VALUES ($1, $2, $3) ON CONFLICT (portal_id) \
         DO UPDATE SET until_time = excluded.until_time, client_slug = excluded.client_slug \
         WHERE quota_moving.until_time < excluded.until_time AND quota_moving.lifts = $4",
    )
    .bind(portal.portal_id().as_i64())
    .bind(told.until.as_micros())
    .bind(portal.client_slug().as_str())
    .bind(i64::try_from(told.lifts).unwrap_or(i64::MAX))
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Says that HubSpot does not move a portal: what was told before counts no more.
pub(in crate::quota) async fn lift(database: &Database, portal: PortalId) -> Result<(), ShareError> {
    sqlx::query("UPDATE quota_moving SET until_time = 0, lifts = lifts + 1 WHERE portal_id = $1")
        .bind(portal.as_i64())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// The portal of this name of which was told that it is moved, and until when.
pub(in crate::quota) async fn find(
    database: &Database,
    client_slug: &ClientSlug,
) -> Result<Option<(PortalId, Timestamp)>, ShareError> {
    let row: Option<(i64, i64)> =
        sqlx::query_as("SELECT portal_id, until_time FROM quota_moving WHERE client_slug = $1")
            .bind(client_slug.as_str())
            .fetch_optional(database.pool())
            .await?;
    Ok(row.and_then(|(portal, until)| Some((PortalId::from_i64(portal)?, Timestamp::from_micros(until)))))
}

/// The portals that HubSpot moves, and until when; and those of which an operator has ever said that it does not.
pub(in crate::quota) async fn all(
    database: &Database,
    now: Timestamp,
) -> Result<HashMap<PortalId, Told>, ShareError> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT portal_id, until_time, lifts FROM quota_moving WHERE until_time > $1 OR lifts > 0",
    )
    .bind(now.as_micros())
    .fetch_all(database.pool())
    .await?;
    let told = |(portal, until, lifts)| {
        let told = Told {
            until: Timestamp::from_micros(until),
            lifts: u64::try_from(lifts).unwrap_or(0),
        };
        Some((PortalId::from_i64(portal)?, told))
    };
    Ok(rows.into_iter().filter_map(told).collect())
}
