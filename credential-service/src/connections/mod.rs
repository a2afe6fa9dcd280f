//! Connections: HubSpot accounts that users have connected, each with the user's own consent to our app.
//!
//! The refresh token of a connection lies in the vault like any other of its portal, under a version of its own, and
//! [`access_tokens`](crate::access_tokens) renews what it gives: ahead of its end, once for all replicas, stored before it is
//! used. A connection is ended by its user, by an operator, or by a newer one of the same user and portal; its handles end
//! with it.
//!
//! | file | does |
//! |---|---|
//! | `start` | gives the address to which a browser is sent, and remembers what was begun |
//! | `complete` | takes what the browser comes back with, and holds it against the user and the portal |
//! | `keep` | puts a connection in the place of the one before |
//! | `end` | ends a connection, here and at HubSpot |
//! | `serve` | which connection serves, and the token behind it |
//! | `handles` | the handles that were given for it |
//! | `connection` | what it is, and how that is sealed |
//! | `store` | the tables |

mod complete;
mod config;
mod connection;
mod end;
mod error;
mod handles;
mod keep;
mod serve;
mod start;
mod store;

use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
    id::PortalId,
    random::SharedRandom,
};
use hubkeep_seal::Keyring;

pub use config::Config;
pub use connection::{Connection, Details, State};
pub use end::Ended;
pub use error::Error;
pub use serve::{Listing, Page};
pub use start::Started;

use crate::{
    access::Access, access_tokens::AccessTokens, portals::Portals, revocations::Revocations, vault::Vault,
};

/// What connections are made with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where the tables are.
    pub database: Database,
    /// Seals what is in them.
    pub keyring: Keyring,
    /// Where refresh tokens are.
    pub vault: Vault,
    /// What they give.
    pub access_tokens: AccessTokens,
    /// The portals they are of.
    pub portals: Portals,
    /// Who may connect which.
    pub access: Access,
    /// Where the end of handles is announced.
    pub revocations: Revocations,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// The connections of all users. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections {
    config: Config,
    database: Database,
    keyring: Keyring,
    vault: Vault,
    access_tokens: AccessTokens,
    portals: Portals,
    access: Access,
    revocations: Revocations,
    clock: SharedClock,
    random: SharedRandom,
}

impl Connections {
    /// The connections in this database.
    pub fn build(config: Config, deps: Deps) -> Self {
        let Deps {
            database,
            keyring,
            vault,
            access_tokens,
            portals,
            access,
            revocations,
            clock,
            random,
        } = deps;
        Self {
            config,
            database,
            keyring,
            vault,
            access_tokens,
            portals,
            access,
            revocations,
            clock,
            random,
        }
    }

    /// Takes away every connection of a portal, as part of the transaction that erases it. Their tokens go with the portal's.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_of(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
        store::remove_of(transaction, portal_id).await
    }
}
