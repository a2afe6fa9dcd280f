//! Addresses of contacts that were erased for good, so that nobody creates them again through us: HubSpot's own API would
//! let them. Only keyed hashes are kept, and they mean nothing without the portal's key.
//!
//! An address is there for each erasure of it by itself until it is known what became of that: then for good, or not for that one
//! any more. What a call has not said itself, [`sweep`] learns from the account of writes.

mod error;
mod store;
mod sweep;

use std::collections::BTreeSet;

use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
    id::{CallId, PortalId},
};
use hubkeep_seal::{Keyring, Owner, Purpose};

pub use error::Error;

/// The addresses of all portals.
#[derive(Clone, Debug)]
pub struct Suppression {
    database: Database,
    keyring: Keyring,
    clock: SharedClock,
}

/// What was put on the list for one erasure.
#[derive(Clone, Debug)]
pub struct Added(store::Of);

impl Suppression {
    /// The list is kept here, by keys of this ring.
    pub const fn new(database: Database, keyring: Keyring, clock: SharedClock) -> Self {
        Self {
            database,
            keyring,
            clock,
        }
    }

    /// Puts addresses on the list for the erasure that this call makes.
    ///
    /// # Errors
    /// If they could not be put there: none was, as far as the database says.
    pub async fn add(&self, portal: PortalId, addresses: &[String], erasure: CallId) -> Result<Added, Error> {
        let mut references = BTreeSet::new();
        for address in addresses {
            references.insert(self.reference(portal, address).await?);
        }
        let of = store::Of { portal, erasure };
        store::insert(&self.database, &of, &references, self.clock.now()).await?;
        Ok(Added(of))
    }

    /// The erasure has happened: what was put on the list for it stays there.
    ///
    /// # Errors
    /// If that is not noted: then it stays there as if this erasure had not ended.
    pub async fn keep(&self, added: &Added) -> Result<(), Error> {
        store::keep(&self.database, &added.0, self.clock.now()).await
    }

    /// The erasure did not happen: what was put on the list for it is taken from it, but for what is there for others too.
    ///
    /// # Errors
    /// If it is still there.
    pub async fn take_back(&self, added: &Added) -> Result<(), Error> {
        store::delete(&self.database, &added.0).await
    }

    /// The place of the first of these addresses that is on the list.
    ///
    /// # Errors
    /// If nobody can say.
    pub async fn first_of(&self, portal: PortalId, addresses: &[&str]) -> Result<Option<usize>, Error> {
        if store::is_empty(&self.database, portal).await? {
            return Ok(None);
        }
        for (place, address) in addresses.iter().enumerate() {
            let reference = self.reference(portal, address).await?;
            if store::has(&self.database, portal, &reference).await? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Forgets the list of a portal.
    ///
    /// # Errors
    /// If it is still there.
    pub async fn forget(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
        store::forget_portal(transaction, portal).await
    }

    async fn reference(&self, portal: PortalId, address: &str) -> Result<String, Error> {
        // As HubSpot compares them.
        let address = address.trim().to_lowercase();
        let owner = Owner::Portal(portal);
        let mac = self
            .keyring
            .mac(owner, Purpose::Suppression, address.as_bytes())
            .await?;
        Ok(hex::encode(mac))
    }
}
