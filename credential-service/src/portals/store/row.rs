//! A portal as its tables have it, in clear, and as the rooms know it.

use hubkeep_core::{clock::Timestamp, id::PortalId, secret::TokenFingerprint};

use super::{
    super::{Facts, Portal, PortalCredential, State},
    signed, words,
};

/// A row of `portal`, without the mac.
pub(super) struct PortalRow {
    pub(super) client_slug: String,
    pub(super) portal_id: i64,
    pub(super) account_type: String,
    pub(super) data_hosting_location: String,
    pub(super) time_zone: String,
    pub(super) company_currency: String,
    pub(super) credential_version: i64,
    pub(super) portal_generation: i64,
    pub(super) state: String,
    pub(super) state_time: i64,
    pub(super) written_version: i64,
    pub(super) details: Option<Vec<u8>>,
    pub(super) onboard_time: i64,
    pub(super) verify_time: i64,
}

/// A row of `portal_credential`. Its portal is that of the row it stands with.
pub(super) struct CredentialRow {
    pub(super) credential_id: String,
    pub(super) credential_name: String,
    pub(super) credential_kind: String,
    pub(super) scopes: String,
    pub(super) credential_version: i64,
    /// From a table of its own.
    pub(super) app_id: Option<i64>,
    pub(super) token_fingerprint: String,
    pub(super) onboard_time: i64,
    pub(super) token_time: i64,
    pub(super) verify_time: i64,
}

/// A portal's row with those of its credentials.
pub(super) struct Rows {
    pub(super) portal: PortalRow,
    pub(super) credentials: Vec<CredentialRow>,
}

impl Rows {
    /// The rows in which this portal is written.
    pub(super) fn of(portal: &Portal) -> Self {
        Self {
            portal: PortalRow::of(portal),
            credentials: portal.credentials.iter().map(CredentialRow::of).collect(),
        }
    }

    /// The portal that is written in them; `None` if they cannot be read.
    pub(super) fn into_portal(self) -> Option<Portal> {
        let credentials = self.credentials.into_iter().map(CredentialRow::into_credential);
        let mut credentials: Vec<PortalCredential> = credentials.collect::<Option<_>>()?;
        credentials.sort_by_key(|one| (one.onboard_time, one.credential_id.to_string()));
        let portal = self.portal.into_portal(credentials)?;
        // Erasing takes the credentials, and nothing else does.
        (portal.credentials.is_empty() == (portal.state == State::Erased)).then_some(portal)
    }
}

impl PortalRow {
    fn of(portal: &Portal) -> Self {
        let facts = &portal.facts;
        Self {
            client_slug: portal.client_slug.to_string(),
            portal_id: portal.portal_id.as_i64(),
            account_type: words::account_type(facts.account_type).to_owned(),
            data_hosting_location: facts.data_hosting_location.clone(),
            time_zone: facts.time_zone.clone(),
            company_currency: facts.company_currency.clone(),
            credential_version: signed(portal.credential_version),
            portal_generation: signed(portal.portal_generation),
            state: words::state(portal.state).to_owned(),
            state_time: portal.state_time.as_micros(),
            written_version: signed(portal.store_version),
            details: portal.sealed_details.clone(),
            onboard_time: portal.onboard_time.as_micros(),
            verify_time: portal.verify_time.as_micros(),
        }
    }

    fn into_portal(self, credentials: Vec<PortalCredential>) -> Option<Portal> {
        Some(Portal {
            client_slug: self.client_slug.parse().ok()?,
            portal_id: PortalId::from_i64(self.portal_id)?,
            credentials,
            credential_version: u64::try_from(self.credential_version).ok()?,
            portal_generation: u64::try_from(self.portal_generation).ok()?,
            state: words::state_of(&self.state)?,
            state_time: Timestamp::from_micros(self.state_time),
            store_version: u64::try_from(self.written_version).ok()?,
            sealed_details: self.details,
            onboard_time: Timestamp::from_micros(self.onboard_time),
            verify_time: Timestamp::from_micros(self.verify_time),
            facts: Facts {
                account_type: words::account_type_of(&self.account_type),
                data_hosting_location: self.data_hosting_location,
                time_zone: self.time_zone,
                company_currency: self.company_currency,
            },
        })
    }
}

impl CredentialRow {
    fn of(credential: &PortalCredential) -> Self {
        Self {
            credential_id: credential.credential_id.to_string(),
            credential_name: credential.name.to_string(),
            credential_kind: words::kind(credential.kind).to_owned(),
            scopes: credential.scopes.join(" "),
            credential_version: signed(credential.version),
            app_id: credential.app_id.map(signed),
            token_fingerprint: credential.token_fingerprint.to_string(),
            onboard_time: credential.onboard_time.as_micros(),
            token_time: credential.token_time.as_micros(),
            verify_time: credential.verify_time.as_micros(),
        }
    }

    fn into_credential(self) -> Option<PortalCredential> {
        Some(PortalCredential {
            credential_id: self.credential_id.parse().ok()?,
            name: self.credential_name.parse().ok()?,
            kind: words::kind_of(&self.credential_kind),
            scopes: self.scopes.split_whitespace().map(str::to_owned).collect(),
            version: u64::try_from(self.credential_version).ok()?,
            app_id: self.app_id.and_then(|app| u64::try_from(app).ok()),
            token_fingerprint: TokenFingerprint::from_stored(self.token_fingerprint),
            onboard_time: Timestamp::from_micros(self.onboard_time),
            token_time: Timestamp::from_micros(self.token_time),
            verify_time: Timestamp::from_micros(self.verify_time),
        })
    }
}
