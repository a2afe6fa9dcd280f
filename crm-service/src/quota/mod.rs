//! How many calls a portal may still make now. Every attempt pays before it is sent.
//!
//! Three buckets. *Burst* (per app and portal; 100 in 10 s until HubSpot's headers say otherwise, less 4 that belong to
//! credential-service's own calls) and *search* (5 in 1 s, on top) are sliding windows, counted as HubSpot counts: a
//! call's place is free again an interval after it has arrived, which is no later than its answer. *Daily* is HubSpot's
//! own count, which all apps of the account share: it is heard from headers and the usage endpoint, and our own calls
//! are counted down from it until it is heard again.
//!
//! A call waits for room as long as its deadline allows, in the order of arrival, and is refused at once if it would
//! not be enough.

mod bucket;
mod budget;
mod config;
mod daily;
mod day;
mod error;
mod line;
mod portal;
mod state;
mod window;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

pub use bucket::Bucket;
pub use config::Config;
pub use error::Error;
use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    id::{ClientSlug, PortalId},
};
pub use portal::{PortalQuota, Slot};
pub use state::{BucketState, Known, State};

/// The quotas of all portals.
#[derive(Clone, Debug)]
pub struct Quota {
    clock: SharedClock,
    config: Config,
    portals: Arc<RwLock<HashMap<PortalId, PortalQuota>>>,
}

impl Quota {
    /// Full budgets for everybody.
    pub fn new(config: Config, clock: SharedClock) -> Self {
        Self {
            clock,
            config,
            portals: Arc::default(),
        }
    }

    /// The quota of a portal that a handle has proven, in this IANA time zone.
    pub fn of(&self, portal: &ProvenPortal, time_zone: &str) -> PortalQuota {
        let id = portal.portal_id();
        // A panic while a lock was held cannot leave the table half-changed.
        let known = self
            .portals
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if let Some(quota) = known {
            quota.is_in(time_zone);
            return quota;
        }
        let mut portals = self.portals.write().unwrap_or_else(PoisonError::into_inner);
        let new = || PortalQuota::new(portal.clone(), time_zone, self.config, self.clock.clone());
        portals.entry(id).or_insert_with(new).clone()
    }

    /// The quota of the portal of this name, if it was called through this process.
    pub fn find(&self, client_slug: &ClientSlug) -> Option<PortalQuota> {
        let portals = self.portals.read().unwrap_or_else(PoisonError::into_inner);
        portals
            .values()
            .find(|quota| quota.portal().client_slug() == client_slug)
            .cloned()
    }

    /// The time by which budgets are counted.
    pub fn now(&self) -> Tick {
        self.clock.tick()
    }
}

#[cfg(test)]
mod tests;
