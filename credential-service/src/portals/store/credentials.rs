//! What is written to the table `portal_credential`.

use hubkeep_core::{database::Transaction, id::PortalId};

use super::{
    super::{Error, PortalCredential},
    signed, words,
};

/// Stores a new credential of a portal.
///
/// # Errors
/// If the portal has one of this name or version, or the database fails.
pub(in super::super) async fn insert(
    transaction: &mut Transaction,
    portal_id: PortalId,
    credential: &PortalCredential,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO portal_credential (credential_id, portal_id, credential_name, credential_kind, scopes, \
         credential_version, token_fingerprint, onboard_time, token_time, verify_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(credential.credential_id.to_string())
    .bind(portal_id.as_i64())
    .bind(credential.name.as_str())
    .bind(words::kind(credential.kind))
    .bind(credential.scopes.join(" "))
    .bind(signed(credential.version))
    .bind(credential.token_fingerprint.as_str())
    .bind(credential.onboard_time.as_micros())
    .bind(credential.token_time.as_micros())
    .bind(credential.verify_time.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Records what HubSpot says now of a credential, unless its token was replaced since it was asked.
pub(in super::super) async fn update_scopes(
    transaction: &mut Transaction,
    credential: &PortalCredential,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE portal_credential SET scopes = $1, verify_time = $2 \
         WHERE credential_id = $3 AND credential_version = $4",
    )
    .bind(credential.scopes.join(" "))
    .bind(credential.verify_time.as_micros())
    .bind(credential.credential_id.to_string())
    .bind(signed(credential.version))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Writes a credential with another token over what it was; `false` if it is not that any more.
pub(in super::super) async fn replace(
    transaction: &mut Transaction,
    before: &PortalCredential,
    after: &PortalCredential,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE portal_credential SET scopes = $1, credential_version = $2, token_fingerprint = $3, token_time = $4, \
         verify_time = $5 WHERE credential_id = $6 AND credential_version = $7",
    )
    .bind(after.scopes.join(" "))
    .bind(signed(after.version))
    .bind(after.token_fingerprint.as_str())
    .bind(after.token_time.as_micros())
    .bind(after.verify_time.as_micros())
    .bind(before.credential_id.to_string())
    .bind(signed(before.version))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a credential of this portal has this version.
pub(in super::super) async fn is_in_force(
    transaction: &mut Transaction,
    portal_id: PortalId,
    version: u64,
) -> Result<bool, Error> {
    let rows: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM portal_credential WHERE portal_id = $1 AND credential_version = $2",
    )
    .bind(portal_id.as_i64())
    .bind(signed(version))
    .fetch_one(&mut *transaction)
    .await?;
    Ok(rows > 0)
}
