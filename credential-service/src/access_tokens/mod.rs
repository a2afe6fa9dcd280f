//! Access tokens: what the refresh token of a consent gives, for half an hour each time.
//!
//! A consent is a refresh token in the vault. What it has given rests here, sealed, where all replicas find it. A new
//! access token is asked for ahead of the old one's end by whoever needs one first, while the old one still serves; one
//! replica asks at a time, and what HubSpot gives is stored before anybody uses it. A refresh token that HubSpot refuses
//! for good is not asked with again.
//!
//! | file | does |
//! |---|---|
//! | `obtain` | gives the access token of a consent, and waits for one where there is none |
//! | `renew` | asks HubSpot for the next one, and writes down what it said |
//! | `exchange` | the two questions to HubSpot |
//! | `consents` | the same of consents that people give in a browser, and how those are taken back |
//! | `pair` | the two tokens, and how they are sealed |
//! | `store` | the table `access_token` |

mod consents;
mod error;
mod exchange;
#[cfg(test)]
mod models;
mod obtain;
mod pair;
mod renew;
mod store;

use std::sync::Arc;

use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
    id::PortalId,
};
use hubkeep_hubspot::{App, Client};
use hubkeep_seal::Keyring;
use tokio::sync::watch;

pub use error::Error;
pub use exchange::Fresh;
pub use obtain::Live;
pub use pair::SealedPair;

use crate::vault::{Credential, Vault};

/// What access tokens are asked for and kept with.
#[derive(Debug)]
pub struct Deps {
    /// Where the table is.
    pub database: Database,
    /// Seals what is in it.
    pub keyring: Keyring,
    /// Where refresh tokens are.
    pub vault: Vault,
    /// Who is asked.
    pub hubspot: Client,
    /// The app that asks, if the deployment has one.
    pub app: Option<App>,
    /// The time.
    pub clock: SharedClock,
}

/// The access tokens of all consents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessTokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    keyring: Keyring,
    vault: Vault,
    hubspot: Client,
    app: Option<App>,
    clock: SharedClock,
    /// Wakes who waits in this process for what HubSpot is asked for.
    news: watch::Sender<u64>,
}

impl AccessTokens {
    /// The access tokens in this database.
    pub fn build(deps: Deps) -> Self {
        let Deps {
            database,
            keyring,
            vault,
            hubspot,
            app,
            clock,
        } = deps;
        Self(Arc::new(Inner {
            database,
            keyring,
            vault,
            hubspot,
            app,
            clock,
            news: watch::Sender::new(0),
        }))
    }

    /// The versions of a portal's credentials whose consent is lost.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn lost_of(&self, portal_id: PortalId) -> Result<Vec<u64>, Error> {
        store::lost_of(&self.0.database, portal_id).await
    }

    /// Takes away all access tokens of a portal, as part of the transaction that erases it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
        store::remove(transaction, portal_id).await
    }

    /// Takes away the access token of one consent, as part of a transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_one(&self, transaction: &mut Transaction, consent: &Credential) -> Result<(), Error> {
        store::remove_one(transaction, &consent.secret_id()).await
    }

    /// Puts what a new refresh token gave, as part of the transaction that puts that into the vault.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn put(&self, transaction: &mut Transaction, sealed: &SealedPair) -> Result<(), Error> {
        store::insert(transaction, sealed).await
    }
}
