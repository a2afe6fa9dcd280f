//! The tables `portal_erasure` and `signing_key`, and in `containments` the table `portal_containment`.

pub(super) mod containments;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{ClientSlug, PortalId},
};
use sqlx::FromRow;

use super::{Error, Tombstone};

/// The table's name, for the associated data of the key in it.
pub(super) const SIGNING_KEY: &str = "signing_key";

/// A portal that is erased here, and perhaps in crm-service.
#[derive(Clone, Debug)]
pub(super) struct Erasure {
    pub(super) portal_id: PortalId,
    pub(super) client_slug: ClientSlug,
    pub(super) portal_generation: u64,
    pub(super) store_version: u64,
    pub(super) erase_time: Timestamp,
    /// The purposes of the keys that were destroyed here.
    pub(super) own_keys: Vec<String>,
    pub(super) own_tombstone: Option<Tombstone>,
    pub(super) crm_tombstone: Option<Tombstone>,
    pub(super) certificate: Option<String>,
}

#[derive(FromRow)]
struct Row {
    portal_id: i64,
    client_slug: String,
    portal_generation: i64,
    store_version: i64,
    erase_time: i64,
    own_keys: String,
    own_tombstone: String,
    crm_tombstone: String,
    certificate: String,
}

/// Notes an erasure. One that was noted before is begun anew: it was undone by a restored backup.
pub(super) async fn insert(transaction: &mut Transaction, erasure: &Erasure) -> Result<(), Error> {
    sqlx::query("DELETE FROM portal_erasure WHERE portal_id = $1")
        .bind(erasure.portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO portal_erasure (portal_id, client_slug, portal_generation, store_version, erase_time, own_keys, \
         own_tombstone, crm_tombstone, certificate) VALUES ($1, $2, $3, $4, $5, $6, '', '', '')",
    )
    .bind(erasure.portal_id.as_i64())
    .bind(erasure.client_slug.as_str())
    .bind(signed(erasure.portal_generation))
    .bind(signed(erasure.store_version))
    .bind(erasure.erase_time.as_micros())
    .bind(erasure.own_keys.join(" "))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) async fn find(database: &Database, portal_id: PortalId) -> Result<Option<Erasure>, Error> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT portal_id, client_slug, portal_generation, store_version, erase_time, own_keys, own_tombstone, \
         crm_tombstone, certificate FROM portal_erasure WHERE portal_id = $1",
    )
    .bind(portal_id.as_i64())
    .fetch_optional(database.pool())
    .await?;
    row.map(|row| read(row).ok_or(Error::Unreadable(portal_id)))
        .transpose()
}

fn read(row: Row) -> Option<Erasure> {
    let tombstone = |text: &str| match text {
        "" => Some(None),
        text => serde_json::from_str(text).ok().map(Some),
    };
    Some(Erasure {
        portal_id: PortalId::from_i64(row.portal_id)?,
        client_slug: row.client_slug.parse().ok()?,
        portal_generation: u64::try_from(row.portal_generation).ok()?,
        store_version: u64::try_from(row.store_version).ok()?,
        erase_time: Timestamp::from_micros(row.erase_time),
        own_keys: row.own_keys.split_whitespace().map(str::to_owned).collect(),
        own_tombstone: tombstone(&row.own_tombstone)?,
        crm_tombstone: tombstone(&row.crm_tombstone)?,
        certificate: (!row.certificate.is_empty()).then_some(row.certificate),
    })
}

/// Notes where this service's tombstone stands, if that is not noted.
pub(super) async fn entomb(
    database: &Database,
    portal_id: PortalId,
    tombstone: &Tombstone,
) -> Result<(), Error> {
    sqlx::query("UPDATE portal_erasure SET own_tombstone = $1 WHERE portal_id = $2 AND own_tombstone = ''")
        .bind(serde_json::to_string(tombstone)?)
        .bind(portal_id.as_i64())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Notes where crm-service's tombstone stands, if that is not noted.
pub(super) async fn confirm(
    database: &Database,
    portal_id: PortalId,
    tombstone: &Tombstone,
) -> Result<(), Error> {
    sqlx::query("UPDATE portal_erasure SET crm_tombstone = $1 WHERE portal_id = $2 AND crm_tombstone = ''")
        .bind(serde_json::to_string(tombstone)?)
        .bind(portal_id.as_i64())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Keeps a certificate, unless one is kept, and gives the one that is.
pub(super) async fn certify(
    database: &Database,
    portal_id: PortalId,
    certificate: &str,
) -> Result<String, Error> {
    let kept = sqlx::query_scalar(
        "UPDATE portal_erasure SET certificate = CASE WHEN certificate = '' THEN $1 ELSE certificate END \
         WHERE portal_id = $2 RETURNING certificate",
    )
    .bind(certificate)
    .bind(portal_id.as_i64())
    .fetch_one(database.pool())
    .await?;
    Ok(kept)
}

pub(super) async fn signing_key(database: &Database) -> Result<Option<Vec<u8>>, Error> {
    let sealed = sqlx::query_scalar("SELECT sealed FROM signing_key WHERE key_id = 1")
        .fetch_optional(database.pool())
        .await?;
    Ok(sealed)
}

/// Keeps the key, unless another replica has kept one.
pub(super) async fn insert_signing_key(
    database: &Database,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO signing_key (key_id, sealed, create_time) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(sealed)
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
