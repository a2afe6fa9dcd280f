//! The table `portal`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{ClientSlug, PortalId},
    secret::TokenFingerprint,
};
use hubkeep_hubspot::account::AccountType;
use sqlx::FromRow;

use super::{CredentialKind, Error, Facts, Portal};

#[derive(FromRow)]
struct Row {
    client_slug: String,
    portal_id: i64,
    account_type: String,
    data_hosting_location: String,
    time_zone: String,
    company_currency: String,
    scopes: String,
    credential_kind: String,
    credential_version: i64,
    portal_generation: i64,
    token_fingerprint: String,
    onboard_time: i64,
    verify_time: i64,
}

/// Every column of a [`Row`], named: a later one must not change what is read here.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT client_slug, portal_id, account_type, data_hosting_location, time_zone, company_currency, ",
            "scopes, credential_kind, credential_version, portal_generation, token_fingerprint, onboard_time, ",
            "verify_time FROM portal ",
            $rest
        )
    };
}

pub(super) async fn by_slug(database: &Database, slug: &ClientSlug) -> Result<Option<Portal>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE client_slug = $1"))
        .bind(slug.as_str())
        .fetch_optional(database.pool())
        .await?;
    row.map(Portal::try_from).transpose()
}

pub(super) async fn by_id(database: &Database, portal_id: PortalId) -> Result<Option<Portal>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE portal_id = $1"))
        .bind(portal_id.as_i64())
        .fetch_optional(database.pool())
        .await?;
    row.map(Portal::try_from).transpose()
}

/// At most `limit` portals whose slug is greater than `after`, by slug.
pub(super) async fn page(database: &Database, after: &str, limit: usize) -> Result<Vec<Portal>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!("WHERE client_slug > $1 ORDER BY client_slug LIMIT $2"))
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(database.pool())
        .await?;
    rows.into_iter().map(Portal::try_from).collect()
}

/// Stores a new portal; `false` if its slug or its id is there already.
pub(super) async fn insert(transaction: &mut Transaction, portal: &Portal) -> Result<bool, Error> {
    let facts = &portal.facts;
    let done = sqlx::query(
        "INSERT INTO portal (client_slug, portal_id, account_type, data_hosting_location, time_zone, \
         company_currency, scopes, credential_kind, credential_version, portal_generation, token_fingerprint, \
         onboard_time, verify_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT DO NOTHING",
    )
    .bind(portal.client_slug.as_str())
    .bind(portal.portal_id.as_i64())
    .bind(account_type_name(facts.account_type))
    .bind(&facts.data_hosting_location)
    .bind(&facts.time_zone)
    .bind(&facts.company_currency)
    .bind(facts.scopes.join(" "))
    .bind(kind_name(portal.credential_kind))
    .bind(signed(portal.credential_version))
    .bind(signed(portal.portal_generation))
    .bind(portal.token_fingerprint.as_str())
    .bind(portal.onboard_time.as_micros())
    .bind(portal.verify_time.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records what HubSpot says now of a portal and the credential that it was asked with.
pub(super) async fn update_facts(database: &Database, portal: &Portal) -> Result<(), Error> {
    let facts = &portal.facts;
    sqlx::query(
        "UPDATE portal SET account_type = $1, data_hosting_location = $2, time_zone = $3, company_currency = $4, \
         scopes = $5, verify_time = $6 WHERE portal_id = $7 AND credential_version = $8",
    )
    .bind(account_type_name(facts.account_type))
    .bind(&facts.data_hosting_location)
    .bind(&facts.time_zone)
    .bind(&facts.company_currency)
    .bind(facts.scopes.join(" "))
    .bind(portal.verify_time.as_micros())
    .bind(portal.portal_id.as_i64())
    .bind(signed(portal.credential_version))
    .execute(database.pool())
    .await?;
    Ok(())
}

impl TryFrom<Row> for Portal {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let broken = || Error::BrokenRow(row.portal_id);
        Ok(Self {
            client_slug: row.client_slug.parse().map_err(|_| broken())?,
            portal_id: PortalId::from_i64(row.portal_id).ok_or_else(broken)?,
            credential_kind: kind_of(&row.credential_kind),
            credential_version: u64::try_from(row.credential_version).map_err(|_| broken())?,
            portal_generation: u64::try_from(row.portal_generation).map_err(|_| broken())?,
            token_fingerprint: TokenFingerprint::from_stored(row.token_fingerprint),
            onboard_time: Timestamp::from_micros(row.onboard_time),
            verify_time: Timestamp::from_micros(row.verify_time),
            facts: Facts {
                account_type: account_type_of(&row.account_type),
                data_hosting_location: row.data_hosting_location,
                time_zone: row.time_zone,
                company_currency: row.company_currency,
                scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            },
        })
    }
}

const fn account_type_name(kind: AccountType) -> &'static str {
    match kind {
        AccountType::Standard => "standard",
        AccountType::DeveloperTest => "developer-test",
        AccountType::Sandbox => "sandbox",
        AccountType::AppDeveloper => "app-developer",
        AccountType::Other => "other",
    }
}

fn account_type_of(name: &str) -> AccountType {
    match name {
        "standard" => AccountType::Standard,
        "developer-test" => AccountType::DeveloperTest,
        "sandbox" => AccountType::Sandbox,
        "app-developer" => AccountType::AppDeveloper,
        _ => AccountType::Other,
    }
}

const fn kind_name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Unspecified => "",
        CredentialKind::ServiceKey => "service-key",
        CredentialKind::PrivateApp => "private-app",
    }
}

fn kind_of(name: &str) -> CredentialKind {
    match name {
        "service-key" => CredentialKind::ServiceKey,
        "private-app" => CredentialKind::PrivateApp,
        _ => CredentialKind::Unspecified,
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
