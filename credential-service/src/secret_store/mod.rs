//! Where sealed secrets rest: the table `sealed_secret`. Nothing here can open one.

mod error;
mod store;

use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
};

pub use error::Error;

/// The place in which sealed bytes lie, for the associated data of their sealing.
pub const TABLE: &str = "sealed_secret";
/// The column, likewise.
pub const COLUMN: &str = "sealed";

/// Where sealed secrets rest.
#[derive(Clone, Debug)]
pub struct SecretStore {
    database: Database,
    clock: SharedClock,
}

impl SecretStore {
    /// The store in this database.
    pub fn build(database: Database, clock: SharedClock) -> Self {
        Self { database, clock }
    }

    /// Stores sealed bytes under a new id, as part of a transaction.
    ///
    /// # Errors
    /// If the id is taken, or the database fails.
    pub async fn put(
        &self,
        transaction: &mut Transaction,
        secret_id: &str,
        sealed: &[u8],
    ) -> Result<(), Error> {
        store::insert(transaction, secret_id, sealed, self.clock.now()).await
    }

    /// The sealed bytes with this id.
    ///
    /// # Errors
    /// If there are none, or the database fails.
    pub async fn get(&self, secret_id: &str) -> Result<Vec<u8>, Error> {
        let found = store::find(&self.database, secret_id).await?;
        found.ok_or_else(|| Error::Missing(secret_id.to_owned()))
    }
}
