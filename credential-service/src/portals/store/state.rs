//! What is written to `portal` when a portal is suspended, resumed, erased or described.

use hubkeep_core::{clock::Timestamp, database::Transaction};

use super::{
    super::{Error, Portal, State},
    signed, words,
};

/// Moves a portal to a state and to its next generation, if both are still what they were; else `false`.
pub(in super::super) async fn set(
    transaction: &mut Transaction,
    before: &Portal,
    to: State,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE portal SET state = $1, state_time = $2, portal_generation = $3 \
         WHERE portal_id = $4 AND portal_generation = $5 AND state <> 'erased'",
    )
    .bind(words::state(to))
    .bind(now.as_micros())
    .bind(signed(before.portal_generation.saturating_add(1)))
    .bind(before.portal_id.as_i64())
    .bind(signed(before.portal_generation))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes everything out of a portal's row but its names, its numbers and its times, and its credentials with it.
pub(in super::super) async fn blank(transaction: &mut Transaction, portal: &Portal) -> Result<(), Error> {
    for statement in [
        "DELETE FROM portal_credential WHERE portal_id = $1",
        "UPDATE portal SET account_type = 'other', data_hosting_location = '', time_zone = '', \
         company_currency = '', scopes = '', credential_kind = '', token_fingerprint = '', details = NULL \
         WHERE portal_id = $1",
    ] {
        sqlx::query(statement)
            .bind(portal.portal_id.as_i64())
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// Replaces what is kept of a portal's client, if nobody has written the portal since it was read; else `false`.
pub(in super::super) async fn describe(
    transaction: &mut Transaction,
    portal: &Portal,
    sealed: &[u8],
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE portal SET details = $1 WHERE portal_id = $2 AND store_version = $3 AND state <> 'erased'",
    )
    .bind(sealed)
    .bind(portal.portal_id.as_i64())
    .bind(signed(portal.store_version))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}
