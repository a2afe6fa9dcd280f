//! What is known of a portal.

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Timestamp,
    id::{ClientSlug, PortalId},
    secret::TokenFingerprint,
};
use hubkeep_hubspot::account::AccountType;

use crate::vault::Credential;

/// What sort of credential a token is, as its operator stated it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialKind {
    /// Not stated.
    #[default]
    Unspecified,
    /// A service key of the account.
    ServiceKey,
    /// A legacy private app of the account.
    PrivateApp,
}

/// What HubSpot says of a portal and its token.
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
    /// What the token may do, sorted.
    pub scopes: Vec<String>,
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
    /// What sort of credential its token is.
    pub credential_kind: CredentialKind,
    /// Moves when a new token takes the place of the old.
    pub credential_version: u64,
    /// Moves when all handles of the portal die.
    pub portal_generation: u64,
    /// Tells its token from others.
    pub token_fingerprint: TokenFingerprint,
    /// When it was onboarded.
    pub onboard_time: Timestamp,
    /// When HubSpot last confirmed all of this.
    pub verify_time: Timestamp,
}

impl Portal {
    /// Its token in the vault.
    pub fn credential(&self) -> Credential {
        Credential {
            portal_id: self.portal_id,
            client_slug: self.client_slug.clone(),
            version: self.credential_version,
        }
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
            ("scopes", self.scopes != before.scopes),
        ];
        fields
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }
}
