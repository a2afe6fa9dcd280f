//! Where sealed secrets rest. Nothing here can open one.
//!
//! The table `sealed_secret` knows all of them. By default it holds their bytes, too; where another store is configured,
//! it holds the name under which they lie there. Such a store has no part in a transaction, so the order is: the bytes
//! first, under a name that is never used twice, and the row that names them after that. What a crash between the two
//! leaves is sealed bytes that no row names; they are swept.
//!
//! | file | holds |
//! |---|---|
//! | `config` | which stores there are |
//! | `store` | the table |
//! | `outside` | the contract of the other stores |
//! | `vault_kv`, `aws`, `gcp`, `pass` | each of them |
//! | `name` | names that are never used twice |
//! | `sweep` | what no row names is deleted |

#[cfg(feature = "aws")]
mod aws;
mod config;
mod error;
#[cfg(feature = "gcp")]
mod gcp;
mod name;
mod outside;
mod pass;
mod store;
mod sweep;
mod vault_kv;

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::{Database, Transaction},
    random::SharedRandom,
};
use hubkeep_seal::remote::RemoteError;
use thiserror::Error as ThisError;

pub use config::{AwsSecretsConfig, Config, GcpSecretsConfig, PassConfig, StoreKind, VaultKvConfig};
pub use error::Error;
use outside::Outside;

/// The place in which sealed bytes lie, for the associated data of their sealing.
pub const TABLE: &str = "sealed_secret";
/// The column, likewise.
pub const COLUMN: &str = "sealed";

/// How long after its bytes a row may be written: far less than after which bytes without a row are swept.
const NAMED_WITHIN: Duration = Duration::from_secs(10 * 60);

/// The stores cannot be used as they are configured.
#[derive(Debug, ThisError)]
pub enum BuildError {
    /// A store cannot be addressed.
    #[error("a secret store cannot be used")]
    Remote(#[from] RemoteError),
    /// This program was built without what it takes to speak to that store.
    #[error("the secret store {0} needs a build with the feature {0}")]
    NotBuilt(&'static str),
}

/// Where sealed secrets rest.
#[derive(Clone, Debug)]
pub struct SecretStore {
    database: Database,
    clock: SharedClock,
    random: SharedRandom,
    stores: Arc<Stores>,
}

#[derive(Debug)]
struct Stores {
    /// Where new secrets are put.
    new: StoreKind,
    sweep_after: Duration,
    outside: Vec<Outside>,
}

/// Sealed bytes on their way: written where they rest, or about to be with the row.
#[derive(Debug)]
pub struct Resting {
    secret_id: String,
    at: At,
}

#[derive(Debug)]
enum At {
    /// With the row.
    Row(Vec<u8>),
    /// In another store, since then.
    Outside { place: String, since: Tick },
}

impl SecretStore {
    /// The stores that the configuration names. Nothing is sent to them yet.
    ///
    /// # Errors
    /// If one cannot be addressed.
    pub async fn build(
        config: &Config,
        deployment: &str,
        database: Database,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self, BuildError> {
        let stores = Stores {
            new: config.store,
            sweep_after: config.sweep_after,
            outside: Outside::all(config, deployment, &clock).await?,
        };
        Ok(Self {
            database,
            clock,
            random,
            stores: Arc::new(stores),
        })
    }

    /// Writes sealed bytes where they will rest, unless that is the row itself. No transaction may be open.
    ///
    /// # Errors
    /// If the store denies it, fails, or does not answer. What it may have written all the same is swept.
    pub async fn lay(&self, secret_id: &str, sealed: Vec<u8>) -> Result<Resting, Error> {
        let secret_id = secret_id.to_owned();
        if self.stores.new == StoreKind::Sql {
            let at = At::Row(sealed);
            return Ok(Resting { secret_id, at });
        }
        let (since, kind) = (self.clock.tick(), self.stores.new.name());
        let name = name::new(self.clock.now(), &*self.random)?;
        let place = format!("{kind}/{name}");
        self.outside(&place)?.0.put(&name, &sealed).await?;
        let at = At::Outside { place, since };
        Ok(Resting { secret_id, at })
    }

    /// Writes the row of sealed bytes under a new id, as part of a transaction.
    ///
    /// # Errors
    /// If the id is taken, the database fails, or the bytes were laid down too long ago.
    pub async fn put(&self, transaction: &mut Transaction, resting: &Resting) -> Result<(), Error> {
        let now = self.clock.now();
        match &resting.at {
            At::Row(sealed) => store::insert(transaction, &resting.secret_id, sealed, "", now).await,
            At::Outside { since, .. } if self.clock.tick().since(*since) > NAMED_WITHIN => {
                Err(Error::TooLate(resting.secret_id.clone()))
            }
            At::Outside { place, .. } => {
                store::insert(transaction, &resting.secret_id, &[], place, now).await
            }
        }
    }

    /// Deletes the rows of everything whose id begins so, as [`delete`](Self::delete) deletes one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove(&self, transaction: &mut Transaction, prefix: &str) -> Result<(), Error> {
        store::delete_all(transaction, prefix).await
    }

    /// The sealed bytes with this id.
    ///
    /// # Errors
    /// If there are none, or the database or the store fails.
    pub async fn get(&self, secret_id: &str) -> Result<Vec<u8>, Error> {
        let found = store::find(&self.database, secret_id).await?;
        let (sealed, place) = found.ok_or_else(|| Error::Missing(secret_id.to_owned()))?;
        if place.is_empty() {
            return Ok(sealed);
        }
        let (outside, name) = self.outside(&place)?;
        match outside.get(name).await {
            Err(RemoteError::NotFound(_)) => Err(Error::Missing(secret_id.to_owned())),
            got => Ok(got?),
        }
    }

    /// Deletes the row with this id, as part of a transaction; `false` if there is none. Bytes in another store are swept
    /// when the transaction is committed, once they are old enough.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn delete(&self, transaction: &mut Transaction, secret_id: &str) -> Result<bool, Error> {
        store::delete(transaction, secret_id).await
    }

    /// The store that a place names, and the name there.
    fn outside<'a>(&self, place: &'a str) -> Result<(&Outside, &'a str), Error> {
        let named = place.split_once('/').and_then(|(kind, name)| {
            let store = self
                .stores
                .outside
                .iter()
                .find(|store| store.kind().name() == kind);
            Some((store?, name))
        });
        named.ok_or_else(|| Error::NoSuchStore(place.to_owned()))
    }
}
