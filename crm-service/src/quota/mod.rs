//! How many calls a portal may still make now. Every attempt pays before it is sent.
//!
//! Four buckets. *Burst* (for each app of the portal; 100 in 10 s until HubSpot's headers say otherwise, less up to 4 that are
//! kept for credential-service's own calls), *search* (of the portal; 5 in 1 s, on top) and *associations* (the associations API, of
//! the portal: 100 in 10 s, in burst's place) are sliding windows, counted as HubSpot counts: a call's place is free again an interval
//! after it has arrived, which is no later than its answer. *Daily* is HubSpot's own count, which all apps of the account share: it is
//! heard from headers and the usage endpoint, and our own calls are counted down from it until it is heard again.
//!
//! Which app a call counts for is told with its token ([`App`]): what is heard of one app's limit is believed of no other. Calls of an
//! OAuth app count in no day, and its searches in no burst ([`Kind`]).
//!
//! A call waits for room as long as its deadline allows, and is refused at once if it would not be enough. Who is served
//! next is told by weights of callers ([`queue`]): nobody is held up by the many calls of another.
//!
//! | file | holds |
//! |---|---|
//! | `window`, `paced`, `daily`, `day` | one limit: in an interval, and in a day |
//! | `lending` | what is kept free for credential-service, and lent while it does not call |
//! | `app`, `kind` | one app of a portal: what it may still do; and how HubSpot counts what it calls |
//! | `budget`, `bucket`, `limit`, `paid` | all limits of a portal, and what a call has taken of them |
//! | `learning` | what HubSpot's answers say of them |
//! | `class`, `queue`, `line`, `pay`, `slot` | who waits, who is served, what was paid |
//! | `portal`, `state` | one portal, and what is told of it |
//! | `lease`, `share`, `keeper` | what replicas share, by leases |
//! | `callers`, `demand`, `fair`, `here` | what each caller wants, gets of what replicas share, and weighs in this one's lines |
//! | `gate`, `about` | whether calls are sent at all, and what they are about |
//! | `breaker`, `haste` | a portal that does not answer: at all, or nobody who has little time |
//! | `moving`, `moves` | a portal that HubSpot moves, which is told to other processes |
//! | `keeping` | whether all processes have kept what they have made |
//! | `peak`, `peers` | which of the calls that HubSpot counts other replicas have made |
//! | `outside`, `tally`, `notes`, `forecast` | what others use of a token and of a day, and how long a day's calls will do |
//! | `store` | the tables |

mod about;
mod app;
mod breaker;
mod bucket;
mod budget;
mod callers;
mod class;
mod config;
mod crowd;
mod daily;
mod day;
mod demand;
mod error;
mod fair;
mod forecast;
mod gate;
mod haste;
mod here;
mod keeper;
mod keeping;
mod kind;
mod learning;
mod lease;
mod lending;
mod limit;
mod line;
mod moves;
mod moving;
mod notes;
mod order;
mod outside;
mod paced;
mod paid;
mod pay;
mod peak;
mod peers;
mod portal;
mod queue;
mod share;
mod slot;
mod state;
mod store;
mod tally;
mod window;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, atomic::AtomicU64},
};

pub use about::About;
pub use app::App;
pub use breaker::Health;
pub use bucket::Bucket;
pub use class::Class;
pub use config::Config;
pub use error::{Error, ShareError};
use hubkeep_audit_log::{AuditLog, ProvenPortal};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::Database,
    id::{CallId, CallerName, ClientSlug, PortalId},
    random::SharedRandom,
};
use keeper::Keeper;
use keeping::Kept;
pub use kind::Kind;
use lease::Lease;
pub use lending::Lends;
pub use moves::Movable;
use moves::{Moved, Moves};
use notes::Notes;
pub use outside::Unaccounted;
pub use pay::Payer;
pub use portal::PortalQuota;
use portal::Sharing;
pub use slot::Slot;
pub use state::{BucketState, Known, State};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What the room stands on.
pub struct Deps {
    /// Where replicas share, if it is a database that several processes share.
    pub database: Database,
    /// Where it is noted that somebody else uses a token.
    pub log: AuditLog,
    /// In whose name that is noted.
    pub caller: CallerName,
    /// Whether credential-service leaves its places to others.
    pub lends: Lends,
    /// The time.
    pub clock: SharedClock,
    /// Randomness for names and ids.
    pub random: SharedRandom,
}

/// The quotas of all portals.
#[derive(Clone, Debug)]
pub struct Quota {
    clock: SharedClock,
    config: Arc<Config>,
    portals: Arc<RwLock<HashMap<PortalId, PortalQuota>>>,
    sharing: Option<Sharing>,
    lends: Lends,
    moved: Moved,
    work: Arc<Work>,
}

/// What goes on beside the calls.
#[derive(Debug, Default)]
struct Work {
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Quota {
    /// Full budgets for everybody, of which nobody else has a part.
    pub fn new(config: Config, clock: SharedClock) -> Self {
        Self {
            clock,
            config: Arc::new(config),
            portals: Arc::default(),
            sharing: None,
            lends: Lends::default(),
            moved: Moved::default(),
            work: Arc::default(),
        }
    }

    /// Budgets that are shared with every other process over the same database. It must be closed.
    ///
    /// # Errors
    /// If the shares cannot be had.
    pub async fn start(config: Config, deps: Deps) -> Result<Self, ShareError> {
        let Deps {
            database,
            log,
            caller,
            lends,
            clock,
            random,
        } = deps;
        let mut quota = Self::new(config, clock.clone());
        quota.lends = lends;
        quota.moved = Moved::told_in(database.clone());
        let process = CallId::make(&*clock, &*random)?.to_string();
        if database.is_shared() {
            let (lease, wanted) = (Arc::<Lease>::default(), Arc::<Notify>::default());
            quota.sharing = Some(Sharing {
                lease: lease.clone(),
                wanted: wanted.clone(),
            });
            let keeper = Keeper {
                quota: quota.without_work(),
                database: database.clone(),
                clock: clock.clone(),
                replica: process.clone(),
                lease,
                wanted,
                renewals: AtomicU64::default(),
            };
            keeper.renew().await?;
            quota.begin(keeper.run(quota.work.stop.clone()));
        }
        let moves = Moves {
            quota: quota.without_work(),
            database: database.clone(),
            clock: clock.clone(),
        };
        moves.exchange().await?;
        quota.begin(moves.run(quota.work.stop.clone()));
        store::processes::begin(&database, &process, clock.now()).await?;
        let notes = Notes {
            quota: quota.without_work(),
            database,
            log,
            caller,
            clock,
            random,
            process,
            kept: Kept::default(),
        };
        quota.begin(notes.run(quota.work.stop.clone()));
        Ok(quota)
    }

    /// The same portals, for what goes on beside the calls: it ends when everybody else is gone.
    fn without_work(&self) -> Self {
        Self {
            work: Arc::default(),
            ..self.clone()
        }
    }

    fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(work);
        self.tasks().push(task);
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.work.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives all shares back; what still counts is others' when it counts no more. Nothing can be paid afterwards where
    /// limits are shared.
    pub async fn close(&self) {
        self.work.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "work beside the calls was lost");
            }
        }
    }

    fn all(&self) -> Vec<PortalQuota> {
        let portals = self.portals.read().unwrap_or_else(PoisonError::into_inner);
        portals.values().cloned().collect()
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
        let new = || {
            let new = PortalQuota::new(
                portal.clone(),
                time_zone,
                self.config.clone(),
                (self.sharing.clone(), self.lends.clone()),
                self.clock.clone(),
            );
            if let Some(told) = self.moved.of(id) {
                new.hears_of_moving(told);
            }
            new
        };
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
