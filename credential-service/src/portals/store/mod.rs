//! The tables `portal` and `portal_credential`. A portal is read whole, with all of its credentials, by one statement.

pub(super) mod credentials;
mod row;
pub(super) mod state;
mod words;

use std::collections::HashSet;

use hubkeep_core::{
    database::{Database, Transaction},
    id::{ClientSlug, PortalId},
};

use super::{Error, Portal};
use row::Row;

/// Every column of a [`Row`], named: a later one must not change what is read here. `$which` says which rows of
/// `portal`; those of one portal come one after the other, the first credential first.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT portal.client_slug, portal.portal_id, portal.account_type, portal.data_hosting_location, ",
            "portal.time_zone, portal.company_currency, portal.credential_version, portal.portal_generation, ",
            "portal.state, portal.store_version, portal.details, ",
            "portal.onboard_time, portal.verify_time, credential.credential_id, credential.credential_name, ",
            "credential.credential_kind, credential.scopes, credential.credential_version AS token_version, ",
            "credential.token_fingerprint, credential.onboard_time AS credential_onboard_time, credential.token_time, ",
            "credential.verify_time AS credential_verify_time FROM (SELECT * FROM portal ",
            $which,
            ") AS portal LEFT JOIN portal_credential AS credential ON credential.portal_id = portal.portal_id ",
            "ORDER BY portal.client_slug, credential.onboard_time, credential.credential_id"
        )
    };
}

pub(super) async fn by_slug(database: &Database, slug: &ClientSlug) -> Result<Option<Portal>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!("WHERE client_slug = $1"))
        .bind(slug.as_str())
        .fetch_all(database.pool())
        .await?;
    Ok(row::portals(rows)?.pop())
}

pub(super) async fn by_id(database: &Database, portal_id: PortalId) -> Result<Option<Portal>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!("WHERE portal_id = $1"))
        .bind(portal_id.as_i64())
        .fetch_all(database.pool())
        .await?;
    Ok(row::portals(rows)?.pop())
}

/// Every slug that there ever was.
pub(super) async fn slugs(database: &Database) -> Result<HashSet<String>, Error> {
    let slugs: Vec<String> = sqlx::query_scalar("SELECT client_slug FROM portal")
        .fetch_all(database.pool())
        .await?;
    Ok(slugs.into_iter().collect())
}

/// At most `limit` portals whose slug is greater than `after`, by slug.
pub(super) async fn page(database: &Database, after: &str, limit: usize) -> Result<Vec<Portal>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!("WHERE client_slug > $1 ORDER BY client_slug LIMIT $2"))
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(database.pool())
        .await?;
    row::portals(rows)
}

/// Stores a new portal without its credentials; `false` if its slug or its id is there already.
pub(super) async fn insert(transaction: &mut Transaction, portal: &Portal) -> Result<bool, Error> {
    let (facts, first) = (&portal.facts, portal.first_credential()?);
    let done = sqlx::query(
        "INSERT INTO portal (client_slug, portal_id, account_type, data_hosting_location, time_zone, \
         company_currency, scopes, credential_kind, credential_version, portal_generation, token_fingerprint, \
         onboard_time, verify_time, store_version, details) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT DO NOTHING",
    )
    .bind(portal.client_slug.as_str())
    .bind(portal.portal_id.as_i64())
    .bind(words::account_type(facts.account_type))
    .bind(&facts.data_hosting_location)
    .bind(&facts.time_zone)
    .bind(&facts.company_currency)
    .bind(first.scopes.join(" "))
    .bind(words::kind(first.kind))
    .bind(signed(portal.credential_version))
    .bind(signed(portal.portal_generation))
    .bind(first.token_fingerprint.as_str())
    .bind(portal.onboard_time.as_micros())
    .bind(portal.verify_time.as_micros())
    .bind(signed(portal.store_version))
    .bind(portal.sealed_details.as_deref())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records what HubSpot says now of a portal.
pub(super) async fn update_facts(transaction: &mut Transaction, portal: &Portal) -> Result<(), Error> {
    let facts = &portal.facts;
    sqlx::query(
        "UPDATE portal SET account_type = $1, data_hosting_location = $2, time_zone = $3, company_currency = $4, \
         verify_time = $5 WHERE portal_id = $6",
    )
    .bind(words::account_type(facts.account_type))
    .bind(&facts.data_hosting_location)
    .bind(&facts.time_zone)
    .bind(&facts.company_currency)
    .bind(portal.verify_time.as_micros())
    .bind(portal.portal_id.as_i64())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Notes the store version at which a portal was written.
pub(super) async fn written(
    transaction: &mut Transaction,
    portal_id: PortalId,
    store_version: u64,
) -> Result<(), Error> {
    sqlx::query("UPDATE portal SET store_version = $1 WHERE portal_id = $2")
        .bind(signed(store_version))
        .bind(portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Takes the version after `before` for a token of a portal; `false` if somebody else has.
pub(super) async fn take_version(
    transaction: &mut Transaction,
    portal_id: PortalId,
    before: u64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE portal SET credential_version = $1 WHERE portal_id = $2 AND credential_version = $3",
    )
    .bind(signed(before.saturating_add(1)))
    .bind(portal_id.as_i64())
    .bind(signed(before))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A number as databases keep it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
