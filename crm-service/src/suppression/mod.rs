//! Addresses of contacts that were erased for good, so that nobody creates them again through us: HubSpot's own API would
//! let them; and their ids, so that nobody is shown any more what was written to them. Only keyed hashes are kept, and they mean
//! nothing without the portal's key.
//!
//! What a contact is known by is there for each erasure of it by itself until it is known what became of that: then for good, or not for that one
//! any more. What a call has not said itself, [`sweep`] learns from the account of writes. What lies sealed beside
//! audit entries about a contact goes when it was erased ([`payloads`]).

mod error;
mod payloads;
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

/// Something by which a contact is known. It is personal: it is never printed.
#[derive(Clone, Copy)]
pub enum Known<'a> {
    /// One of its addresses, in whatever letters.
    Address(&'a str),
    /// Its id in HubSpot.
    Id(&'a str),
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

    /// Puts what a contact is known by on the list for the erasure that this call makes.
    ///
    /// # Errors
    /// If it could not be put there: none of it was, as far as the database says.
    pub async fn add(
        &self,
        portal: PortalId,
        contact: &[Known<'_>],
        erasure: CallId,
    ) -> Result<Added, Error> {
        let mut references = BTreeSet::new();
        for known in contact {
            references.insert(self.reference(portal, *known).await?);
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

    /// The places of those of these that are on the list.
    ///
    /// # Errors
    /// If nobody can say.
    pub async fn places_of(&self, portal: PortalId, asked: &[Known<'_>]) -> Result<Vec<usize>, Error> {
        if asked.is_empty() || store::is_empty(&self.database, portal).await? {
            return Ok(Vec::new());
        }
        let mut references = Vec::with_capacity(asked.len());
        for known in asked {
            references.push(self.reference(portal, *known).await?);
        }
        let listed = store::listed(&self.database, portal, &references).await?;
        let places = references.iter().enumerate();
        let places = places.filter_map(|(place, reference)| listed.contains(reference).then_some(place));
        Ok(places.collect())
    }

    /// Forgets the list of a portal.
    ///
    /// # Errors
    /// If it is still there.
    pub async fn forget(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
        store::forget_portal(transaction, portal).await
    }

    async fn reference(&self, portal: PortalId, known: Known<'_>) -> Result<String, Error> {
        let content = match known {
            // As HubSpot compares them.
            Known::Address(address) => address.trim().to_lowercase(),
            // No address begins so.
            Known::Id(id) => format!("\0id\0{id}"),
        };
        let owner = Owner::Portal(portal);
        let mac = self
            .keyring
            .mac(owner, Purpose::Suppression, content.as_bytes())
            .await?;
        Ok(hex::encode(mac))
    }
}
