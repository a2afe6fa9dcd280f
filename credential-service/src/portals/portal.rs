//! What is known of a portal.

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Timestamp,
    id::{ClientSlug, PortalId},
    secret::TokenFingerprint,
};
use hubkeep_hubspot::account::AccountType;

use super::{Error, PortalCredential};
use crate::vault::Credential;

/// What HubSpot says of a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What kind of account it is.
    pub account_type: AccountType,
    /// Where HubSpot keeps its data.
    pub data_hosting_location: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// ISO 4217 code of its currency.
    pub company_currency: String,
}

/// A portal in the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// The agency's name for it.
    pub client_slug: ClientSlug,
    /// HubSpot's id of it.
    pub portal_id: PortalId,
    /// What HubSpot said of it when it was last asked.
    pub facts: Facts,
    /// Its credentials, the first onboarded first. There is always one.
    pub credentials: Vec<PortalCredential>,
    /// Moves when a token is added, or takes the place of an old one: the version of the newest.
    pub credential_version: u64,
    /// Moves when all handles of the portal die.
    pub portal_generation: u64,
    /// When it was onboarded.
    pub onboard_time: Timestamp,
    /// When HubSpot last confirmed all of this.
    pub verify_time: Timestamp,
}

impl Portal {
    /// The place of a credential's token in the vault.
    pub fn in_vault(&self, credential: &PortalCredential) -> Credential {
        Credential {
            portal_id: self.portal_id,
            client_slug: self.client_slug.clone(),
            version: credential.version,
        }
    }

    /// The credential that has this token.
    pub fn with_token(&self, token: &TokenFingerprint) -> Option<&PortalCredential> {
        self.credentials
            .iter()
            .find(|credential| credential.token_fingerprint == *token)
    }

    /// Its first credential.
    ///
    /// # Errors
    /// If it has none, which only somebody who altered the database can bring about.
    pub fn first_credential(&self) -> Result<&PortalCredential, Error> {
        let broken = Error::BrokenRow(self.portal_id.as_i64());
        self.credentials.first().ok_or(broken)
    }

    /// The proof that opens its log.
    pub fn proven(&self) -> ProvenPortal {
        ProvenPortal::by_vault_row(self.portal_id, self.client_slug.clone())
    }
}

impl Facts {
    /// The names of the fields that differ, as the wire calls them.
    pub fn changed_from(&self, before: &Self) -> Vec<&'static str> {
        let fields = [
            ("account_type", self.account_type != before.account_type),
            (
                "data_hosting_location",
                self.data_hosting_location != before.data_hosting_location,
            ),
            ("time_zone", self.time_zone != before.time_zone),
            (
                "company_currency",
                self.company_currency != before.company_currency,
            ),
        ];
        fields
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }
}
