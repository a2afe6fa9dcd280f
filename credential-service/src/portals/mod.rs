//! Portals: onboarded only when HubSpot itself has said whose the token is.
//!
//! | file | does |
//! |---|---|
//! | `onboard` | verifies a token, and stores portal and token together |
//! | `again` | a portal whose rows are gone, altered or old is onboarded a second time |
//! | `add` | a further credential of a portal |
//! | `import` | keeps the rows of one import apart |
//! | `verify` | asks HubSpot again |
//! | `switch` | puts another token in a credential's place |
//! | `examine` | asks HubSpot, and records nothing of it |
//! | `identity` | the two questions to HubSpot |
//! | `consent` | the same of refresh tokens, and what calls are made with |
//! | `budget`, `patience` | how often a token may be asked about, and for how long it is tried |
//! | `own_calls`, `reading` | who is told before it is asked about, and what the answers show |
//! | `scopes`, `narrowest` | what handles need of a token, and which one serves them |
//! | `credential` | what a portal's tokens are |
//! | `details` | what reports need to know of their clients |
//! | `adopt` | the key that authenticates their rows |
//! | `listed` | what a list shows of them: one whose rows were altered too |
//! | `state` | whether they are served, and how it is found that they are old |
//! | `store` | the tables |

mod add;
mod adopt;
mod again;
mod budget;
mod consent;
mod credential;
mod details;
mod error;
mod examine;
mod identity;
mod import;
mod listed;
mod narrowest;
mod onboard;
mod own_calls;
mod patience;
mod portal;
mod reading;
mod scopes;
mod state;
mod store;
mod switch;
mod verify;

use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
    id::{CallId, ClientSlug, PortalId},
    random::SharedRandom,
};
use hubkeep_hubspot::Client;
use hubkeep_seal::{Keyring, MacKey};

pub use credential::{CredentialKind, PortalCredential};
pub use details::Details;
pub(crate) use details::{WORDS, are_words};
pub use error::Error;
pub use examine::Examined;
pub use import::{ImportedRows, ROWS_AT_ONCE, Repeated, Turn};
pub use listed::{Altered, Listed};
pub use onboard::{NewPortal, Onboarded};
pub use portal::{Facts, Portal, State};
pub use scopes::Need;
pub use switch::{CheckedToken, Probed, Staged};
pub use verify::Verified;

use crate::{
    access_tokens::AccessTokens, record::Act, revocations::Revocations, store_version::StoreVersion,
    vault::Vault,
};
use budget::Budget;
use own_calls::OwnCalls;

/// What portals are made with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where their tables are.
    pub database: Database,
    /// Seals what is known of their clients.
    pub keyring: Keyring,
    /// Where their tokens are.
    pub vault: Vault,
    /// What their refresh tokens give.
    pub access_tokens: AccessTokens,
    /// How often the vault was written, and what the log was told of it.
    pub versions: StoreVersion,
    /// Begins the transactions of acts.
    pub revocations: Revocations,
    /// Who is asked whose a token is.
    pub hubspot: Client,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// The portals in the vault.
#[derive(Clone, Debug)]
pub struct Portals {
    database: Database,
    keyring: Keyring,
    /// Authenticates the rows of the tables.
    rows: MacKey,
    vault: Vault,
    access_tokens: AccessTokens,
    versions: StoreVersion,
    revocations: Revocations,
    hubspot: Client,
    budget: Budget,
    clock: SharedClock,
    random: SharedRandom,
}

impl Portals {
    /// The portals in this database, with their tokens in this vault.
    ///
    /// # Errors
    /// If the key that authenticates their rows cannot be used, or is gone.
    pub async fn build(deps: Deps) -> Result<Self, Error> {
        let Deps {
            database,
            keyring,
            vault,
            access_tokens,
            versions,
            revocations,
            hubspot,
            clock,
            random,
        } = deps;
        let own_calls = OwnCalls {
            database: database.clone(),
            revocations: revocations.clone(),
            replica: CallId::make(&*clock, &*random)?,
        };
        let budget = Budget::new(clock.clone(), Some(own_calls));
        let rows = adopt::open(&database, &keyring, &versions).await?;
        Ok(Self {
            database,
            keyring,
            rows,
            vault,
            access_tokens,
            versions,
            revocations,
            hubspot,
            budget,
            clock,
            random,
        })
    }

    /// The portal with this slug.
    ///
    /// # Errors
    /// If there is none, or its rows were altered.
    pub async fn get(&self, act: &Act, client_slug: &ClientSlug) -> Result<Portal, Error> {
        act.claims(client_slug);
        let portal = self.named(client_slug).await?;
        let portal = portal.ok_or_else(|| Error::Unknown(client_slug.clone()))?;
        act.concerns(portal.proven());
        Ok(portal)
    }

    /// The portal with this id, if there is one.
    ///
    /// # Errors
    /// If its rows were altered, or the database fails.
    pub async fn find(&self, portal_id: PortalId) -> Result<Option<Portal>, Error> {
        match store::by_id(&self.database, &self.rows, portal_id).await? {
            // Somebody may have written it, and told the log, since it was read.
            Some(portal) if self.is_behind(&portal) => {
                let again = store::by_id(&self.database, &self.rows, portal_id).await?;
                Ok(again.map(|portal| self.held_against_log(portal)))
            }
            portal => Ok(portal),
        }
    }

    /// Which of these slugs name no portal, erased ones aside.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn unknown_of(&self, slugs: &[ClientSlug]) -> Result<Vec<ClientSlug>, Error> {
        if slugs.is_empty() {
            return Ok(Vec::new());
        }
        let known = store::slugs(&self.database).await?;
        let unknown = slugs.iter().filter(|slug| !known.contains(slug.as_str()));
        Ok(unknown.cloned().collect())
    }

    /// The portal with this slug, if there is one. Nothing is noted of it.
    ///
    /// # Errors
    /// If its rows were altered, or the database fails.
    pub async fn named(&self, client_slug: &ClientSlug) -> Result<Option<Portal>, Error> {
        match store::by_slug(&self.database, &self.rows, client_slug).await? {
            Some(portal) => self.find(portal.portal_id).await,
            None => Ok(None),
        }
    }

    /// At most `limit` portals with a slug greater than `after`, by slug. One whose rows were altered hides no other.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list(&self, after: &str, limit: usize) -> Result<Vec<Listed>, Error> {
        let portals = store::page(&self.database, &self.rows, after, limit).await?;
        Ok(portals
            .into_iter()
            .map(|listed| match listed {
                Listed::Intact(portal) => Listed::Intact(Box::new(self.held_against_log(*portal))),
                altered @ Listed::Altered(_) => altered,
            })
            .collect())
    }

    /// Every portal, by slug.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn all(&self) -> Result<Vec<Listed>, Error> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.list(&after, PAGE).await?;
            let next = page.iter().map(Listed::client_slug).max().unwrap_or_default();
            // Slugs that are none may stand anywhere in the order: what does not go forward is the end.
            let ends = page.len() < PAGE || next <= after.as_str();
            next.clone_into(&mut after);
            all.extend(page);
            if ends {
                return Ok(all);
            }
        }
    }

    /// The portal as it is now, for a transaction that writes it: whoever else wants to waits until that has ended.
    /// `None` if it is gone, or has become older than the log knows it since `before` was read.
    async fn held(&self, transaction: &mut Transaction, before: &Portal) -> Result<Option<Portal>, Error> {
        let held = store::held(transaction, &self.rows, before.portal_id).await?;
        Ok(held.filter(|now| before.state == State::RollbackSuspected || !self.is_behind(now)))
    }

    /// Writes a portal, as part of a transaction, at the next store version, which it gives.
    async fn write(&self, transaction: &mut Transaction, portal: &mut Portal) -> Result<u64, Error> {
        portal.store_version = self.versions.next(transaction).await?;
        store::save(transaction, &self.rows, portal).await?;
        Ok(portal.store_version)
    }
}

/// Portals read at once.
const PAGE: usize = 500;
