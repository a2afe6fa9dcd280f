//! What is known of a portal.

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Timestamp,
    id::{ClientSlug, CredentialName, PortalId},
    secret::TokenFingerprint,
};
use hubkeep_hubspot::account::AccountType;

use super::{CredentialKind, Error, PortalCredential};
use crate::vault::Credential;

/// What the app of users' connections is called where it is none of a portal's credentials'.
const CONNECTIONS: &str = "connections";

/// Whether a portal is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Active,
    /// Not until somebody resumes it. Its tokens are kept.
    Suspended,
    /// Not until its containment is lifted. Its tokens are kept.
    Contained,
    /// Never again: its keys are destroyed, and only its name and number are left.
    Erased,
    /// Not until somebody has looked: the log knows a newer state of it than its row holds.
    RollbackSuspected,
}

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
    /// Whether it is served.
    pub state: State,
    /// When it came into this state; the beginning of time if it never changed.
    pub(super) state_time: Timestamp,
    /// The store version at which it was last written.
    pub store_version: u64,
    /// What reports need to know of its client, sealed.
    pub(super) sealed_details: Option<Vec<u8>>,
    /// When it was onboarded.
    pub onboard_time: Timestamp,
    /// When HubSpot last confirmed all of this.
    pub verify_time: Timestamp,
}

impl Portal {
    /// The portal, if it is served.
    ///
    /// # Errors
    /// If it is suspended, contained, erased, or older than the log knows it.
    pub fn served(&self) -> Result<(), Error> {
        let slug = || self.client_slug.clone();
        match self.state {
            State::Active => Ok(()),
            State::Suspended => Err(Error::Suspended(slug())),
            State::Contained => Err(Error::Contained(slug())),
            State::Erased => Err(Error::Erased(slug())),
            State::RollbackSuspected => Err(Error::RollbackSuspected(slug())),
        }
    }

    /// The portal, if its tokens may be looked at and added to: it is served, or merely
    /// suspended or contained.
    ///
    /// # Errors
    /// As [`served`](Self::served) otherwise.
    pub fn kept(&self) -> Result<(), Error> {
        match self.state {
            State::Suspended | State::Contained => Ok(()),
            _ => self.served(),
        }
    }

    /// When it came into the state in which it is; the beginning of time if it never changed.
    pub const fn state_time(&self) -> Timestamp {
        self.state_time
    }

    /// Takes everything out of it but its names, its numbers and its times.
    pub(super) fn blank(&mut self) {
        self.facts = Facts {
            account_type: AccountType::Other,
            data_hosting_location: String::new(),
            time_zone: String::new(),
            company_currency: String::new(),
        };
        self.credentials.clear();
        self.sealed_details = None;
    }

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

    /// The app that a credential's token belongs to, by the name of the first onboarded of its credentials here; `None` if that is
    /// the portal's first. So it stays the same whatever becomes known of the app of a portal with one credential.
    pub fn app_of(&self, credential: &PortalCredential) -> Option<&CredentialName> {
        let mut of_the_app = self
            .credentials
            .iter()
            .enumerate()
            .filter(|(_, one)| one.is_of_the_app_of(credential));
        let (nth, first) = of_the_app.next()?;
        (nth > 0).then_some(&first.name)
    }

    /// The same for the token of a user's connection, which is of the deployment's own app: `CONNECTIONS` where none of the
    /// portal's credentials is of it.
    pub fn app_of_connection(&self, app_id: Option<u64>) -> &str {
        let of_the_app = |one: &PortalCredential| {
            one.kind == CredentialKind::OAuth || (app_id.is_some() && one.app_id == app_id)
        };
        match self.credentials.iter().position(of_the_app) {
            Some(0) => "",
            Some(nth) => self.credentials.get(nth).map_or("", |one| one.name.as_str()),
            None => CONNECTIONS,
        }
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
    /// Of an account of which only the id is known.
    pub(super) const fn unknown() -> Self {
        Self {
            account_type: AccountType::Other,
            data_hosting_location: String::new(),
            time_zone: String::new(),
            company_currency: String::new(),
        }
    }

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
