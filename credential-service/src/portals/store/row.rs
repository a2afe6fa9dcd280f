//! Rows of `portal` joined with `portal_credential`, as portals.

use hubkeep_core::{clock::Timestamp, id::PortalId, secret::TokenFingerprint};
use sqlx::FromRow;

use super::{
    super::{Error, Facts, Portal, PortalCredential, State},
    words,
};

/// A portal with one of its credentials, or with none.
#[derive(FromRow)]
pub(super) struct Row {
    client_slug: String,
    portal_id: i64,
    account_type: String,
    data_hosting_location: String,
    time_zone: String,
    company_currency: String,
    credential_version: i64,
    portal_generation: i64,
    state: String,
    store_version: i64,
    details: Option<Vec<u8>>,
    onboard_time: i64,
    verify_time: i64,
    credential_id: Option<String>,
    credential_name: Option<String>,
    credential_kind: Option<String>,
    scopes: Option<String>,
    token_version: Option<i64>,
    token_fingerprint: Option<String>,
    credential_onboard_time: Option<i64>,
    token_time: Option<i64>,
    credential_verify_time: Option<i64>,
}

/// The portals in these rows, of which those of one portal come one after the other.
pub(super) fn portals(rows: Vec<Row>) -> Result<Vec<Portal>, Error> {
    let mut portals: Vec<Portal> = Vec::new();
    for mut row in rows {
        let (number, credential) = (row.portal_id, credential(&mut row));
        let broken = || Error::BrokenRow(number);
        match portals.last_mut() {
            Some(last) if last.portal_id.as_i64() == number => {
                last.credentials.push(credential.ok_or_else(broken)?);
            }
            _ => {
                let mut portal = portal(row).ok_or_else(broken)?;
                // Erasing takes the credentials, and nothing else does.
                if portal.state != State::Erased {
                    portal.credentials.push(credential.ok_or_else(broken)?);
                }
                portals.push(portal);
            }
        }
    }
    Ok(portals)
}

/// The portal in a row, without credentials.
fn portal(row: Row) -> Option<Portal> {
    let state = words::state_of(&row.state)?;
    Some(Portal {
        client_slug: row.client_slug.parse().ok()?,
        portal_id: PortalId::from_i64(row.portal_id)?,
        credentials: Vec::new(),
        credential_version: u64::try_from(row.credential_version).ok()?,
        portal_generation: u64::try_from(row.portal_generation).ok()?,
        state,
        store_version: u64::try_from(row.store_version).ok()?,
        sealed_details: row.details,
        onboard_time: Timestamp::from_micros(row.onboard_time),
        verify_time: Timestamp::from_micros(row.verify_time),
        facts: Facts {
            account_type: words::account_type_of(&row.account_type),
            data_hosting_location: row.data_hosting_location,
            time_zone: row.time_zone,
            company_currency: row.company_currency,
        },
    })
}

/// The credential in a row.
fn credential(row: &mut Row) -> Option<PortalCredential> {
    let scopes = row.scopes.take()?;
    Some(PortalCredential {
        credential_id: row.credential_id.take()?.parse().ok()?,
        name: row.credential_name.take()?.parse().ok()?,
        kind: words::kind_of(&row.credential_kind.take()?),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        version: u64::try_from(row.token_version?).ok()?,
        token_fingerprint: TokenFingerprint::from_stored(row.token_fingerprint.take()?),
        onboard_time: Timestamp::from_micros(row.credential_onboard_time?),
        token_time: Timestamp::from_micros(row.token_time?),
        verify_time: Timestamp::from_micros(row.credential_verify_time?),
    })
}
