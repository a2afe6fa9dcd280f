//! Rows of `portal` joined with `portal_credential`, as the database gives them: perhaps altered, so that nothing about
//! them is taken for granted, and one that is not as it must be hides no other.

use hubkeep_core::{
    database::{Database, Transaction},
    id::{ClientSlug, PortalId},
};
use hubkeep_seal::MacKey;
use sqlx::{Any, Decode, FromRow, Row as _, Type, any::AnyRow};

use super::{
    super::{Altered, Error, Listed},
    row::{CredentialRow, PortalRow, Rows},
};

/// Every column of a [`Joined`], named: a later one must not change what is read here. `$which` says which rows of
/// `portal`; those of one portal come one after the other.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT portal.client_slug, portal.portal_id, portal.account_type, portal.data_hosting_location, ",
            "portal.time_zone, portal.company_currency, portal.credential_version, portal.portal_generation, ",
            "portal.state, portal.state_time, portal.written_version, portal.details, portal.row_mac, ",
            "portal.onboard_time, portal.verify_time, credential.credential_id, credential.credential_name, ",
            "credential.credential_kind, credential.scopes, credential.credential_version AS token_version, ",
            "credential.token_fingerprint, app.app_id, credential.onboard_time AS credential_onboard_time, credential.token_time, ",
            "credential.verify_time AS credential_verify_time FROM (SELECT * FROM portal ",
            $which,
            ") AS portal LEFT JOIN portal_credential AS credential ON credential.portal_id = portal.portal_id ",
            "LEFT JOIN credential_app AS app ON app.credential_id = credential.credential_id ",
            "AND app.credential_version = credential.credential_version ",
            "ORDER BY portal.client_slug, credential.credential_id"
        )
    };
}

/// A portal's row with one of its credentials, or with none.
struct Joined {
    /// As far as it can be read at all.
    altered: Altered,
    row_mac: Option<Vec<u8>>,
    portal: Option<PortalRow>,
    credential: Option<Result<CredentialRow, Unreadable>>,
}

/// A column holds what it cannot hold: SQLite keeps texts in columns of numbers.
struct Unreadable;

/// A portal as its rows have it.
pub(super) struct Found {
    pub(super) altered: Altered,
    pub(super) row_mac: Option<Vec<u8>>,
    /// `None` if any column cannot be read.
    pub(super) rows: Option<Rows>,
}

pub(super) async fn by_slug(database: &Database, slug: &ClientSlug) -> Result<Option<Found>, Error> {
    let rows = sqlx::query_as::<_, Joined>(select!("WHERE client_slug = $1"))
        .bind(slug.as_str())
        .fetch_all(database.pool())
        .await?;
    Ok(grouped(rows).pop())
}

pub(super) async fn by_id(database: &Database, portal_id: PortalId) -> Result<Option<Found>, Error> {
    let rows = sqlx::query_as::<_, Joined>(select!("WHERE portal_id = $1"))
        .bind(portal_id.as_i64())
        .fetch_all(database.pool())
        .await?;
    Ok(grouped(rows).pop())
}

/// The same within a transaction.
pub(super) async fn within(transaction: &mut Transaction, portal_id: i64) -> Result<Option<Found>, Error> {
    let rows = sqlx::query_as::<_, Joined>(select!("WHERE portal_id = $1"))
        .bind(portal_id)
        .fetch_all(&mut *transaction)
        .await?;
    Ok(grouped(rows).pop())
}

/// By slug, within a transaction.
pub(super) async fn within_by_slug(
    transaction: &mut Transaction,
    slug: &ClientSlug,
) -> Result<Option<Found>, Error> {
    let rows = sqlx::query_as::<_, Joined>(select!("WHERE client_slug = $1"))
        .bind(slug.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    Ok(grouped(rows).pop())
}

/// At most `limit` portals whose slug is greater than `after`, by slug.
pub(super) async fn page(database: &Database, after: &str, limit: usize) -> Result<Vec<Found>, Error> {
    let rows = sqlx::query_as::<_, Joined>(select!("WHERE client_slug > $1 ORDER BY client_slug LIMIT $2"))
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(database.pool())
        .await?;
    Ok(grouped(rows))
}

impl Found {
    /// The portal, if its rows are those that were written.
    pub(super) fn checked(self, key: &MacKey) -> Listed {
        let Self {
            altered,
            row_mac,
            rows,
        } = self;
        let written = |rows: &Rows| {
            let message = rows.message();
            row_mac.as_ref().is_some_and(|mac| key.is_mac_of(&message, mac))
        };
        match rows.filter(written).and_then(Rows::into_portal) {
            Some(portal) => Listed::Intact(Box::new(portal)),
            None => Listed::Altered(altered),
        }
    }
}

/// The portals in these rows, of which those of one portal come one after the other.
fn grouped(rows: Vec<Joined>) -> Vec<Found> {
    let mut portals: Vec<Found> = Vec::new();
    for row in rows {
        let Joined {
            altered,
            row_mac,
            portal,
            credential,
        } = row;
        if portals.last().is_none_or(|last| last.altered != altered) {
            let rows = portal.map(|portal| Rows {
                portal,
                credentials: Vec::new(),
            });
            portals.push(Found {
                altered,
                row_mac,
                rows,
            });
        }
        let Some(last) = portals.last_mut() else { continue };
        match (credential, &mut last.rows) {
            (Some(Ok(credential)), Some(rows)) => rows.credentials.push(credential),
            (Some(Err(Unreadable)), rows) => *rows = None,
            (Some(Ok(_)) | None, _) => {}
        }
    }
    portals
}

impl<'r> FromRow<'r, AnyRow> for Joined {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        let portal = portal(row).ok();
        let credential = match cell::<Option<String>>(row, "credential_id") {
            Ok(None) => None,
            _ => Some(credential(row).map_err(|_| Unreadable)),
        };
        Ok(Self {
            altered: Altered {
                client_slug: cell(row, "client_slug").unwrap_or_default(),
                portal_id: cell(row, "portal_id").unwrap_or_default(),
            },
            row_mac: cell(row, "row_mac").unwrap_or_default(),
            portal,
            credential,
        })
    }
}

fn portal(row: &AnyRow) -> Result<PortalRow, sqlx::Error> {
    Ok(PortalRow {
        client_slug: cell(row, "client_slug")?,
        portal_id: cell(row, "portal_id")?,
        account_type: cell(row, "account_type")?,
        data_hosting_location: cell(row, "data_hosting_location")?,
        time_zone: cell(row, "time_zone")?,
        company_currency: cell(row, "company_currency")?,
        credential_version: cell(row, "credential_version")?,
        portal_generation: cell(row, "portal_generation")?,
        state: cell(row, "state")?,
        state_time: cell(row, "state_time")?,
        written_version: cell(row, "written_version")?,
        details: cell(row, "details")?,
        onboard_time: cell(row, "onboard_time")?,
        verify_time: cell(row, "verify_time")?,
    })
}

fn credential(row: &AnyRow) -> Result<CredentialRow, sqlx::Error> {
    Ok(CredentialRow {
        credential_id: cell(row, "credential_id")?,
        credential_name: cell(row, "credential_name")?,
        credential_kind: cell(row, "credential_kind")?,
        scopes: cell(row, "scopes")?,
        credential_version: cell(row, "token_version")?,
        // It is not authenticated, and nobody is refused for it.
        app_id: cell(row, "app_id").unwrap_or_default(),
        token_fingerprint: cell(row, "token_fingerprint")?,
        onboard_time: cell(row, "credential_onboard_time")?,
        token_time: cell(row, "token_time")?,
        verify_time: cell(row, "credential_verify_time")?,
    })
}

fn cell<'r, T: Decode<'r, Any> + Type<Any>>(row: &'r AnyRow, name: &str) -> Result<T, sqlx::Error> {
    row.try_get(name)
}
