//! The tables `portal` and `portal_credential`. A portal is read whole, with all of its credentials, by one statement,
//! and is a [`Portal`] only if it is what was written; it is written whole too.
//!
//! | file | does |
//! |---|---|
//! | `read` | what the database gives, checked |
//! | `write` | a portal, with its mac |
//! | `mac` | the bytes that are authenticated |
//! | `row` | rows to portals, and back |
//! | `words` | the words by which the tables name kinds |

mod mac;
pub(super) mod own_call;
mod read;
mod row;
mod words;
mod write;

use std::collections::HashSet;

use hubkeep_core::{
    database::{Database, Transaction},
    id::{ClientSlug, PortalId},
};
use hubkeep_seal::MacKey;

pub(super) use write::{insert, save};

use super::{Error, Listed, Portal};

pub(super) async fn by_slug(
    database: &Database,
    key: &MacKey,
    slug: &ClientSlug,
) -> Result<Option<Portal>, Error> {
    let found = read::by_slug(database, slug).await?;
    found.map(|found| intact(found.checked(key), slug)).transpose()
}

pub(super) async fn by_id(
    database: &Database,
    key: &MacKey,
    portal_id: PortalId,
) -> Result<Option<Portal>, Error> {
    let found = read::by_id(database, portal_id).await?;
    found
        .map(|found| intact(found.checked(key), portal_id))
        .transpose()
}

/// Every slug that there ever was.
pub(super) async fn slugs(database: &Database) -> Result<HashSet<String>, Error> {
    let slugs: Vec<String> = sqlx::query_scalar("SELECT client_slug FROM portal")
        .fetch_all(database.pool())
        .await?;
    Ok(slugs.into_iter().collect())
}

/// Whether a portal has a row.
pub(super) async fn is_there(database: &Database, portal_id: PortalId) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar("SELECT portal_id FROM portal WHERE portal_id = $1")
        .bind(portal_id.as_i64())
        .fetch_optional(database.pool())
        .await?;
    Ok(found.is_some())
}

/// The id of every portal that has a row.
pub(super) async fn ids(database: &Database) -> Result<HashSet<i64>, Error> {
    let ids: Vec<i64> = sqlx::query_scalar("SELECT portal_id FROM portal")
        .fetch_all(database.pool())
        .await?;
    Ok(ids.into_iter().collect())
}

/// At most `limit` portals whose slug is greater than `after`, by slug; altered ones among them.
pub(super) async fn page(
    database: &Database,
    key: &MacKey,
    after: &str,
    limit: usize,
) -> Result<Vec<Listed>, Error> {
    let found = read::page(database, after, limit).await?;
    Ok(found.into_iter().map(|found| found.checked(key)).collect())
}

/// A portal as it is, for a transaction that writes it: whoever else wants to waits until that has ended.
pub(super) async fn held(
    transaction: &mut Transaction,
    key: &MacKey,
    portal_id: PortalId,
) -> Result<Option<Portal>, Error> {
    lock(transaction, portal_id.as_i64()).await?;
    let found = read::within(transaction, portal_id.as_i64()).await?;
    found
        .map(|found| intact(found.checked(key), portal_id))
        .transpose()
}

/// Takes away what is left of a portal that is onboarded again; `false`, and nothing is taken, if its slug or its id
/// belongs to a portal as it was written.
pub(super) async fn clear(
    transaction: &mut Transaction,
    key: &MacKey,
    portal: &Portal,
) -> Result<bool, Error> {
    let portal_id = portal.portal_id.as_i64();
    lock(transaction, portal_id).await?;
    let by_id = read::within(transaction, portal_id).await?;
    let by_slug = read::within_by_slug(transaction, &portal.client_slug).await?;
    let mut found = by_id.into_iter().chain(by_slug);
    if found.any(|found| matches!(found.checked(key), Listed::Intact(_))) {
        return Ok(false);
    }
    write::remove(transaction, portal_id, portal.client_slug.as_str()).await?;
    Ok(true)
}

/// Gives its mac to a portal that has none, as it is. What cannot be read stays without.
pub(super) async fn adopt(transaction: &mut Transaction, key: &MacKey, portal_id: i64) -> Result<(), Error> {
    lock(transaction, portal_id).await?;
    let found = read::within(transaction, portal_id).await?;
    match found.and_then(|found| found.rows) {
        Some(rows) => write::adopt(transaction, key, &rows).await,
        None => Ok(()),
    }
}

/// The ids of the portals that have no mac.
pub(super) async fn without_mac(database: &Database) -> Result<Vec<i64>, Error> {
    let ids = sqlx::query_scalar("SELECT portal_id FROM portal WHERE row_mac IS NULL ORDER BY portal_id")
        .fetch_all(database.pool())
        .await?;
    Ok(ids)
}

/// How many portals there are, erased ones too.
pub(super) async fn count(database: &Database) -> Result<i64, Error> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM portal")
        .fetch_one(database.pool())
        .await?;
    Ok(count)
}

async fn lock(transaction: &mut Transaction, portal_id: i64) -> Result<(), Error> {
    Ok(transaction.lock(&format!("portal/{portal_id}")).await?)
}

/// The portal that was asked for by slug or id.
fn intact(listed: Listed, asked_for: impl ToString) -> Result<Portal, Error> {
    match listed {
        Listed::Intact(portal) => Ok(*portal),
        Listed::Altered(_) => Err(Error::Altered(asked_for.to_string())),
    }
}

/// A number as databases keep it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
