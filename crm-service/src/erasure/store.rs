//! The table `erased_portal`.

use hubkeep_core::{
    database::{Database, Transaction},
    id::PortalId,
};
use serde::{Deserialize, Serialize};

use super::{ErasureDone, Error};

/// Where the log holds a tombstone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tombstone {
    pub(super) log: String,
    pub(super) position: u64,
    pub(super) index: u64,
    pub(super) entry_id: String,
}

/// Notes that a portal's keys are destroyed, unless that is noted.
pub(super) async fn insert(
    transaction: &mut Transaction,
    portal_id: PortalId,
    destroyed_keys: &[String],
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO erased_portal (portal_id, destroyed_keys, tombstone) VALUES ($1, $2, '') ON CONFLICT DO NOTHING",
    )
    .bind(portal_id.as_i64())
    .bind(destroyed_keys.join(" "))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Notes where the tombstone stands, unless that is noted.
pub(super) async fn entomb(
    database: &Database,
    portal_id: PortalId,
    tombstone: &Tombstone,
) -> Result<(), Error> {
    sqlx::query("UPDATE erased_portal SET tombstone = $1 WHERE portal_id = $2 AND tombstone = ''")
        .bind(serde_json::to_string(tombstone)?)
        .bind(portal_id.as_i64())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// What there is to tell of an erased portal; `None` before its tombstone is written.
pub(super) async fn find(database: &Database, portal_id: PortalId) -> Result<Option<ErasureDone>, Error> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT destroyed_keys, tombstone FROM erased_portal WHERE portal_id = $1")
            .bind(portal_id.as_i64())
            .fetch_optional(database.pool())
            .await?;
    let Some((keys, tombstone)) = row.filter(|(_, tombstone)| !tombstone.is_empty()) else {
        return Ok(None);
    };
    let Tombstone {
        log,
        position,
        index,
        entry_id,
    } = serde_json::from_str(&tombstone)?;
    Ok(Some(ErasureDone {
        portal_id,
        log,
        position,
        index,
        entry_id,
        destroyed_keys: keys.split_whitespace().map(str::to_owned).collect(),
    }))
}
