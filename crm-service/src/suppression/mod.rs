//! Addresses of contacts that were erased for good, so that nobody creates them again through us: HubSpot's own API would
//! let them. Only keyed hashes are kept, and they mean nothing without the portal's key.
//!
//! An address is there for each erasure of it by itself until that has ended: then for good, or not for that one any more. One
//! whose process was lost in between leaves it there: nobody knows whether HubSpot carried it out.

mod error;
mod store;

use std::collections::BTreeSet;

use hubkeep_core::{
    clock::SharedClock,
    database::Database,
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
pub struct Added(store::Stand);

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
        let stand = store::Stand {
            portal,
            erasure: erasure.to_string(),
            references,
        };
        store::insert(&self.database, &stand, self.clock.now()).await?;
        Ok(Added(stand))
    }

    /// The erasure has happened, or may have: what was put on the list for it stays there.
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
