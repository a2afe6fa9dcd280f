//! What is written to `portal` and `portal_credential`: a portal as a whole, with its mac. So nothing that somebody else
//! put into the rows meanwhile is made true by writing.

use hubkeep_core::database::Transaction;
use hubkeep_seal::MacKey;

use super::{
    super::{Error, Portal},
    row::{CredentialRow, PortalRow, Rows},
};

/// Stores the bare row of a new portal; `false` if its slug or its id is there already. It counts for nothing before it
/// is [saved](save).
pub(in super::super) async fn insert(transaction: &mut Transaction, portal: &Portal) -> Result<bool, Error> {
    let row = Rows::of(portal).portal;
    let done = sqlx::query(
        "INSERT INTO portal (client_slug, portal_id, account_type, data_hosting_location, time_zone, \
         company_currency, credential_version, portal_generation, onboard_time, verify_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(row.client_slug)
    .bind(row.portal_id)
    .bind(row.account_type)
    .bind(row.data_hosting_location)
    .bind(row.time_zone)
    .bind(row.company_currency)
    .bind(row.credential_version)
    .bind(row.portal_generation)
    .bind(row.onboard_time)
    .bind(row.verify_time)
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    // Whatever stands there is nobody's.
    remove_credentials(transaction, portal.portal_id.as_i64()).await?;
    Ok(true)
}

/// Takes away the rows that have this id, or this slug.
pub(super) async fn remove(transaction: &mut Transaction, portal_id: i64, slug: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM portal WHERE portal_id = $1 OR client_slug = $2")
        .bind(portal_id)
        .bind(slug)
        .execute(&mut *transaction)
        .await?;
    remove_credentials(transaction, portal_id).await
}

/// Writes a portal that has a row, and all of its credentials. The one place where what is in these tables is made true.
pub(in super::super) async fn save(
    transaction: &mut Transaction,
    key: &MacKey,
    portal: &Portal,
) -> Result<(), Error> {
    let rows = Rows::of(portal);
    let mac = key.mac(&rows.message());
    let Rows { portal, credentials } = rows;
    let portal_id = portal.portal_id;
    if !update(transaction, portal, &mac).await? {
        return Err(Error::BrokenRow(portal_id));
    }
    if credentials.is_empty() {
        remove_credentials(transaction, portal_id).await?;
    }
    for credential in credentials {
        put(transaction, portal_id, credential).await?;
    }
    Ok(())
}

/// Gives a mac to rows that have none yet.
pub(super) async fn adopt(transaction: &mut Transaction, key: &MacKey, rows: &Rows) -> Result<(), Error> {
    sqlx::query("UPDATE portal SET row_mac = $1 WHERE portal_id = $2 AND row_mac IS NULL")
        .bind(key.mac(&rows.message()).to_vec())
        .bind(rows.portal.portal_id)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

async fn update(transaction: &mut Transaction, row: PortalRow, mac: &[u8]) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE portal SET account_type = $1, data_hosting_location = $2, time_zone = $3, company_currency = $4, \
         credential_version = $5, portal_generation = $6, state = $7, state_time = $8, written_version = $9, \
         details = $10, onboard_time = $11, verify_time = $12, row_mac = $13 \
         WHERE portal_id = $14 AND client_slug = $15",
    )
    .bind(row.account_type)
    .bind(row.data_hosting_location)
    .bind(row.time_zone)
    .bind(row.company_currency)
    .bind(row.credential_version)
    .bind(row.portal_generation)
    .bind(row.state)
    .bind(row.state_time)
    .bind(row.written_version)
    .bind(row.details)
    .bind(row.onboard_time)
    .bind(row.verify_time)
    .bind(mac.to_vec())
    .bind(row.portal_id)
    .bind(row.client_slug)
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn put(transaction: &mut Transaction, portal_id: i64, row: CredentialRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO portal_credential (credential_id, portal_id, credential_name, credential_kind, scopes, \
         credential_version, token_fingerprint, onboard_time, token_time, verify_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (credential_id) DO UPDATE SET portal_id = excluded.portal_id, \
         credential_name = excluded.credential_name, credential_kind = excluded.credential_kind, \
         scopes = excluded.scopes, credential_version = excluded.credential_version, \
         token_fingerprint = excluded.token_fingerprint, onboard_time = excluded.onboard_time, \
         token_time = excluded.token_time, verify_time = excluded.verify_time",
    )
    .bind(&row.credential_id)
    .bind(portal_id)
    .bind(row.credential_name)
    .bind(row.credential_kind)
    .bind(row.scopes)
    .bind(row.credential_version)
    .bind(row.token_fingerprint)
    .bind(row.onboard_time)
    .bind(row.token_time)
    .bind(row.verify_time)
    .execute(&mut *transaction)
    .await?;
    let Some(app_id) = row.app_id else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO credential_app (credential_id, portal_id, credential_version, app_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (credential_id) DO UPDATE SET portal_id = excluded.portal_id, \
         credential_version = excluded.credential_version, app_id = excluded.app_id",
    )
    .bind(row.credential_id)
    .bind(portal_id)
    .bind(row.credential_version)
    .bind(app_id)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

async fn remove_credentials(transaction: &mut Transaction, portal_id: i64) -> Result<(), Error> {
    for sql in [
        "DELETE FROM portal_credential WHERE portal_id = $1",
        "DELETE FROM credential_app WHERE portal_id = $1",
    ] {
        sqlx::query(sql)
            .bind(portal_id)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
