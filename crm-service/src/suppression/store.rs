//! The list of suppressed addresses: `suppressed_address` has what is there for good, `suppressed_for_erasure` what is there for
//! one erasure that may happen yet. Whatever is in either is on the list.
//!
//! An older version had both in the first; what it has left there for an erasure (`pending_for`) stays on the list.

use std::collections::BTreeSet;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
};

use super::Error;

/// What stands or falls with one erasure. In order: two that have the same ones to write do not wait for each other in a ring.
#[derive(Clone, Debug)]
pub(super) struct Stand {
    pub(super) portal: PortalId,
    /// The call that erases.
    pub(super) erasure: String,
    pub(super) references: BTreeSet<String>,
}

/// Puts all on the list for an erasure that is only about to happen, or none if it fails.
pub(super) async fn insert(database: &Database, stand: &Stand, now: Timestamp) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    for reference in &stand.references {
        sqlx::query(
            "INSERT INTO suppressed_for_erasure (portal_id, reference, erasure, create_time) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(stand.portal.as_i64())
        .bind(reference)
        .bind(&stand.erasure)
        .bind(now.as_micros())
        .execute(&mut transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Has all on the list for good.
pub(super) async fn keep(database: &Database, stand: &Stand, now: Timestamp) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    for reference in &stand.references {
        // An older version may have it there for an erasure of its own, which then takes nothing away.
        sqlx::query(
            "INSERT INTO suppressed_address (portal_id, reference, create_time, pending_for) VALUES ($1, $2, $3, '') \
             ON CONFLICT (portal_id, reference) DO UPDATE SET pending_for = ''",
        )
        .bind(stand.portal.as_i64())
        .bind(reference)
        .bind(now.as_micros())
        .execute(&mut transaction)
        .await?;
    }
    delete_in(&mut transaction, stand).await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes from the list what is there for this erasure and for nothing else.
pub(super) async fn delete(database: &Database, stand: &Stand) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    delete_in(&mut transaction, stand).await?;
    transaction.commit().await?;
    Ok(())
}

async fn delete_in(transaction: &mut Transaction, stand: &Stand) -> Result<(), Error> {
    for reference in &stand.references {
        sqlx::query(
            "DELETE FROM suppressed_for_erasure WHERE portal_id = $1 AND reference = $2 AND erasure = $3",
        )
        .bind(stand.portal.as_i64())
        .bind(reference)
        .bind(&stand.erasure)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

/// Whether one is on the list. In one statement: what is kept between two would be in neither.
pub(super) async fn has(database: &Database, portal: PortalId, reference: &str) -> Result<bool, Error> {
    let first: Option<i64> = sqlx::query_scalar(
        "SELECT portal_id FROM suppressed_address WHERE portal_id = $1 AND reference = $2 \
         UNION ALL SELECT portal_id FROM suppressed_for_erasure WHERE portal_id = $1 AND reference = $2 LIMIT 1",
    )
    .bind(portal.as_i64())
    .bind(reference)
    .fetch_optional(database.pool())
    .await?;
    Ok(first.is_some())
}

/// Whether none is on a portal's list.
pub(super) async fn is_empty(database: &Database, portal: PortalId) -> Result<bool, Error> {
    let first: Option<i64> = sqlx::query_scalar(
        "SELECT portal_id FROM suppressed_address WHERE portal_id = $1 \
         UNION ALL SELECT portal_id FROM suppressed_for_erasure WHERE portal_id = $1 LIMIT 1",
    )
    .bind(portal.as_i64())
    .fetch_optional(database.pool())
    .await?;
    Ok(first.is_none())
}

#[cfg(test)]
mod tests;
