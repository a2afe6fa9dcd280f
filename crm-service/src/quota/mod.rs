//! How many calls a portal may still make now. Every attempt pays before it is sent.
//!
//! Two buckets, both sliding windows counted as HubSpot counts: *burst* (per app and portal; 100 in 10 s until
//! HubSpot's headers say otherwise, less 5 that belong to credential-service's own calls) and *search* (5 in 1 s,
//! on top). A call waits for room as long as its deadline allows, and is refused at once if it would not be enough.

mod budget;
mod error;
mod window;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use budget::Bucket;
use budget::Budget;
pub use error::Error;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    id::PortalId,
};
use hubkeep_hubspot::Limits;

/// The budgets of all portals.
#[derive(Clone, Debug)]
pub struct Quota {
    clock: SharedClock,
    budgets: Arc<Mutex<HashMap<PortalId, Budget>>>,
}

impl Quota {
    /// Full budgets for everybody.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            budgets: Arc::default(),
        }
    }

    /// Pays for one attempt, waiting for room until `deadline`.
    ///
    /// # Errors
    /// If there is no room before the deadline; nothing is paid then.
    pub async fn pay(&self, portal: PortalId, bucket: Bucket, deadline: Tick) -> Result<(), Error> {
        loop {
            let now = self.clock.tick();
            let Err(wait) = self.with(portal, |budget| budget.take(bucket, now)) else {
                return Ok(());
            };
            let free_at = now.plus(wait);
            if free_at > deadline {
                return Err(Error {
                    portal,
                    bucket,
                    retry_after: wait,
                });
            }
            self.clock.sleep_until(free_at).await;
        }
    }

    /// The time by which budgets are counted.
    pub fn now(&self) -> Tick {
        self.clock.tick()
    }

    /// Takes up what HubSpot's headers said.
    pub fn learn(&self, portal: PortalId, limits: &Limits) {
        self.with(portal, |budget| budget.learn(limits));
    }

    /// Stops a portal's calls for a while: HubSpot has refused one for its limit.
    pub fn pause(&self, portal: PortalId, pause: Duration) {
        let until = self.clock.tick().plus(pause);
        self.with(portal, |budget| budget.pause_until(until));
    }

    fn with<T>(&self, portal: PortalId, work: impl FnOnce(&mut Budget) -> T) -> T {
        // A panic while the lock was held cannot leave a budget half-changed: counting cannot panic.
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        work(budgets.entry(portal).or_default())
    }
}

#[cfg(test)]
mod tests;
