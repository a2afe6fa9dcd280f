//! The list of suppressed addresses: `suppressed_address` has what is there for good, `suppressed_for_erasure` what is there for
//! one erasure that may happen yet. Whatever is in either is on the list. `payload_erasure` has the erasures that have happened, and
//! about which something may lie sealed yet.
//!
//! An older version had both in the first; what it has left there for an erasure (`pending_for`) stays on the list.

use std::collections::BTreeSet;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallId, PortalId},
};
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::Error;

/// How many are looked up in one statement.
const AT_ONCE: usize = 500;

/// Whose erasure: what stands or falls together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of {
    pub(super) portal: PortalId,
    /// The call that erases.
    pub(super) erasure: CallId,
}

/// Puts all on the list for an erasure that is only about to happen, or none if it fails. In order: two that have the same ones to
/// write do not wait for each other in a ring.
pub(super) async fn insert(
    database: &Database,
    of: &Of,
    references: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    for reference in references {
        sqlx::query(
            "INSERT INTO suppressed_for_erasure (portal_id, reference, erasure, create_time) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(of.portal.as_i64())
        .bind(reference)
        .bind(of.erasure.to_string())
        .bind(now.as_micros())
        .execute(&mut transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Has what is on the list for this erasure there for good.
pub(super) async fn keep(database: &Database, of: &Of, now: Timestamp) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    // In order, as `insert`. An older version may have it there for an erasure of its own, which then takes nothing away.
    sqlx::query(
        "INSERT INTO suppressed_address (portal_id, reference, create_time, pending_for) \
         SELECT portal_id, reference, CAST($3 AS BIGINT), '' FROM suppressed_for_erasure \
         WHERE portal_id = $1 AND erasure = $2 ORDER BY reference \
         ON CONFLICT (portal_id, reference) DO UPDATE SET pending_for = ''",
    )
    .bind(of.portal.as_i64())
    .bind(of.erasure.to_string())
    .bind(now.as_micros())
    .execute(&mut transaction)
    .await?;
    sqlx::query(
        "INSERT INTO payload_erasure (portal_id, erasure, create_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(of.portal.as_i64())
    .bind(of.erasure.to_string())
    .bind(now.as_micros())
    .execute(&mut transaction)
    .await?;
    delete_in(&mut transaction, of).await?;
    transaction.commit().await?;
    Ok(())
}

/// A page of the erasures that have happened, and about which something may lie sealed yet, in order of their calls.
pub(super) async fn with_payloads(database: &Database, after: &str, limit: u32) -> Result<Vec<Of>, Error> {
    let rows = sqlx::query(
        "SELECT portal_id, erasure FROM payload_erasure WHERE erasure > $1 ORDER BY erasure LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(of).collect()
}

/// Nothing lies sealed about that one any more.
pub(super) async fn without_payloads(database: &Database, of: &Of) -> Result<(), Error> {
    sqlx::query("DELETE FROM payload_erasure WHERE portal_id = $1 AND erasure = $2")
        .bind(of.portal.as_i64())
        .bind(of.erasure.to_string())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Takes from the list what is there for this erasure and for nothing else.
pub(super) async fn delete(database: &Database, of: &Of) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    delete_in(&mut transaction, of).await?;
    transaction.commit().await?;
    Ok(())
}

async fn delete_in(transaction: &mut Transaction, of: &Of) -> Result<(), Error> {
    sqlx::query("DELETE FROM suppressed_for_erasure WHERE portal_id = $1 AND erasure = $2")
        .bind(of.portal.as_i64())
        .bind(of.erasure.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// A page of the erasures that something is on the list for since before this, in order of their calls.
pub(super) async fn open(
    database: &Database,
    before: Timestamp,
    after: &str,
    limit: u32,
) -> Result<Vec<Of>, Error> {
    let rows = sqlx::query(
        "SELECT DISTINCT portal_id, erasure FROM suppressed_for_erasure \
         WHERE create_time < $1 AND erasure > $2 ORDER BY erasure LIMIT $3",
    )
    .bind(before.as_micros())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(of).collect()
}

fn of(row: &AnyRow) -> Result<Of, Error> {
    let broken = |what: &str| sqlx::Error::Decode(format!("{what} of an erasure is none").into());
    let portal = PortalId::from_i64(row.try_get("portal_id")?).ok_or_else(|| broken("portal_id"))?;
    let erasure: String = row.try_get("erasure")?;
    let erasure = erasure.parse().map_err(|_| broken("erasure"))?;
    Ok(Of { portal, erasure })
}

/// Forgets a portal's list.
pub(super) async fn forget_portal(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
    for forget in [
        "DELETE FROM suppressed_address WHERE portal_id = $1",
        "DELETE FROM suppressed_for_erasure WHERE portal_id = $1",
        "DELETE FROM payload_erasure WHERE portal_id = $1",
    ] {
        sqlx::query(forget)
            .bind(portal.as_i64())
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// Those of these that are on the list.
pub(super) async fn listed(
    database: &Database,
    portal: PortalId,
    references: &[String],
) -> Result<BTreeSet<String>, Error> {
    let mut listed = BTreeSet::new();
    for asked in references.chunks(AT_ONCE) {
        let places: Vec<String> = (0..asked.len()).map(|place| format!("${}", place + 2)).collect();
        let places = places.join(", ");
        // In one statement: what is kept between two would be in neither. Of what was given only the number is in its text.
        let mut query = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT reference FROM suppressed_address WHERE portal_id = $1 AND reference IN ({places}) \
             UNION SELECT reference FROM suppressed_for_erasure WHERE portal_id = $1 AND reference IN ({places})"
        )))
        .bind(portal.as_i64());
        for reference in asked {
            query = query.bind(reference);
        }
        let found: Vec<String> = query.fetch_all(database.pool()).await?;
        listed.extend(found);
    }
    Ok(listed)
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
