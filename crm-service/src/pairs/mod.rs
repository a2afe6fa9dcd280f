//! Whose turn it is to change what two records are to each other.
//!
//! HubSpot replaces the labels of a pair as a whole, so whoever gives one reads those that are there first. Two who do that at once
//! would each write without the other's. So one after the other reads and writes, for each pair of records, in whichever direction it
//! is named; over all replicas that share a PostgreSQL. Whoever changes labels without us, in HubSpot itself or by another app, takes
//! no turn: HubSpot has no condition on writes by which that could be found out.
//!
//! A turn lasts until it is known what became of the write, or HubSpot cannot carry it out any more: it would take away what others
//! have set since. So it is also where a process of several is lost; where there is one, it is forgotten with its process.
//!
//! Within a process whoever came first goes first, at each pair. Who wants several stands in line at all of them, and has none before
//! it has all: nobody waits for somebody who waits.

mod error;
mod names;
mod queue;
mod shared;
mod store;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

pub use error::Error;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::Database,
    dying::watched,
    id::{ClientSlug, RequestId},
};
use hubkeep_seal::Keyring;

use self::{names::names, queue::Queue, shared::Shared};
use crate::crm::AssociationAsk;

/// Kept back from the deadline to refuse in time.
const TO_REFUSE: Duration = Duration::from_millis(50);

/// The turns at all pairs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pairs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Mutex<Queue>,
    /// Where replicas take turns, if there are several.
    shared: Option<Shared>,
    /// This process, and how many turns it has had.
    process: String,
    turns: AtomicU64,
    clock: SharedClock,
}

/// A turn. Dropping it gives the pairs to whoever waits for them.
#[derive(Debug)]
#[must_use = "the turn ends when it is dropped"]
pub struct Turn {
    pairs: Pairs,
    /// Its place in this process's line, and what it stands there for.
    number: u64,
    names: Vec<String>,
    /// The name under which other replicas see it.
    holder: Option<String>,
    /// Whether it can be seen in HubSpot that what was written for it has been carried out.
    shows: AtomicBool,
    /// Whether other replicas are to wait on when it is dropped.
    left: AtomicBool,
}

impl Turn {
    /// What is written gives both records of each pair something that they had not: when that is there, it was carried out.
    pub fn will_show(&self) {
        self.shows.store(true, Ordering::Relaxed);
    }

    /// Whether it can be seen in HubSpot that what was written has been carried out.
    pub fn shows(&self) -> bool {
        self.shows.load(Ordering::Relaxed)
    }

    /// Leaves it to time, for other replicas: they wait until HubSpot cannot carry out any more what was sent.
    pub fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }
}

impl Pairs {
    /// Turns among all processes over this database. `process` tells this one from every other. So long after it was sent
    /// HubSpot cannot carry out a write any more: `quiet_after`.
    pub fn new(
        database: Database,
        keyring: Keyring,
        (process, quiet_after): (RequestId, Duration),
        clock: SharedClock,
    ) -> Self {
        let shared = database.is_shared().then_some(Shared {
            database,
            keyring,
            quiet_after,
        });
        Self::among(shared, process.to_string(), clock)
    }

    fn among(shared: Option<Shared>, process: String, clock: SharedClock) -> Self {
        Self(Arc::new(Inner {
            queue: Mutex::default(),
            shared,
            process,
            turns: AtomicU64::default(),
            clock,
        }))
    }

    /// Waits for a turn at every pair of a portal that is asked for to be changed.
    ///
    /// # Errors
    /// If others have it until the deadline; or, soon, if nobody can say.
    pub async fn turn(
        &self,
        portal: &ClientSlug,
        ask: &AssociationAsk,
        deadline: Tick,
    ) -> Result<Turn, Error> {
        let waiting = self.wait(names(portal, ask), deadline);
        let until = deadline.minus(TO_REFUSE);
        let turn = self.0.clock.timeout_at(until, waiting).await;
        turn.unwrap_or(Err(Error::Taken))
    }

    async fn wait(&self, names: Vec<String>, deadline: Tick) -> Result<Turn, Error> {
        let (number, served) = self.queue().join(names.clone());
        // From here on it stands in line, and leaves it when it is dropped.
        let mut turn = Turn {
            pairs: self.clone(),
            number,
            names,
            holder: None,
            shows: AtomicBool::new(false),
            left: AtomicBool::new(false),
        };
        // Nobody but the line tells, and it tells everybody who has not left.
        let _ = served.await;
        if let Some(shared) = &self.0.shared {
            let keys = shared.keys(&turn.names).await?;
            let number = self.0.turns.fetch_add(1, Ordering::Relaxed);
            let holder = format!("{}/{number}", self.0.process);
            // From here on it may be taken, whatever is heard of that.
            turn.holder = Some(holder.clone());
            shared.take(&self.0.clock, (&holder, &keys), deadline).await?;
        }
        Ok(turn)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // What is done under the lock cannot panic half-way.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pairs.queue().leave(self.number, &self.names);
        let Some((holder, shared)) = self.holder.take().zip(self.pairs.0.shared.clone()) else {
            return;
        };
        if *self.left.get_mut() {
            return;
        }
        let giving_back = shared.give_back(self.pairs.0.clock.clone(), holder);
        // Without a runtime the process ends, and the turn by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(watched(giving_back)));
        }
    }
}
