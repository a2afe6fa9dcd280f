//! Addresses of contacts that were erased for good, so that nobody creates them again through us: HubSpot's own API would
//! let them. Only keyed hashes are kept, and they mean nothing without the portal's key.

mod error;
mod store;

use hubkeep_core::{clock::SharedClock, database::Database, id::PortalId};
use hubkeep_seal::{Keyring, Owner, Purpose};

pub use error::Error;

/// The addresses of all portals.
#[derive(Clone, Debug)]
pub struct Suppression {
    database: Database,
    keyring: Keyring,
    clock: SharedClock,
}

/// What was put on the list now, and was not on it before.
#[derive(Clone, Debug)]
pub struct Added {
    portal: PortalId,
    references: Vec<String>,
}

impl Suppression {
    /// The list is kept here, by keys of this ring.
    pub const fn new(database: Database, keyring: Keyring, clock: SharedClock) -> Self {
        Self {
            database,
            keyring,
            clock,
        }
    }

    /// Puts addresses on the list.
    ///
    /// # Errors
    /// If they could not be put there: then some may be.
    pub async fn add(&self, portal: PortalId, addresses: &[String]) -> Result<Added, Error> {
        let mut references = Vec::with_capacity(addresses.len());
        for address in addresses {
            let reference = self.reference(portal, address).await?;
            if store::insert(&self.database, portal, &reference, self.clock.now()).await? {
                references.push(reference);
            }
        }
        Ok(Added { portal, references })
    }

    /// Takes from the list what was put there for an erasure that did not happen.
    ///
    /// # Errors
    /// If it is still there.
    pub async fn take_back(&self, added: &Added) -> Result<(), Error> {
        for reference in &added.references {
            store::delete(&self.database, added.portal, reference).await?;
        }
        Ok(())
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
