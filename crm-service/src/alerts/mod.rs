//! Alerts: what stands out in this service's own log, counted by rules in sliding windows.
//!
//! No call waits for any of this: one task reads the log as it grows, from a cursor that is kept in the same transaction as what
//! it has found, so that nothing is missed and nothing found twice, over restarts and replicas. Windows are not kept: they are
//! counted again from the log. What is to be told to others waits in a table until they have taken it.
//!
//! | file | does |
//! |---|---|
//! | `kind` | which entries count, and for whom |
//! | `rule` | when an alert fires: the deployment's rules, and those put for portals |
//! | `series` | one sliding window |
//! | `state` | all windows, and what they turn into |
//! | `evaluate` | reads the log on and keeps what was found: one replica at a time |
//! | `addressee`, `deliver`, `not_told` | who gets an alert: it is tried until they have taken it |
//! | `contain` | what an alert is about, contained |
//! | `overdue` | notes that tokens are older than they should be |
//! | `alert` | an alert, in words |
//! | `store` | the tables |

mod addressee;
mod alert;
mod contain;
mod deliver;
mod error;
mod evaluate;
mod kind;
mod not_told;
mod overdue;
mod rule;
mod series;
mod share;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use hubkeep_audit_log::AuditLog;
use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
    id::{CallerName, PortalId},
    random::SharedRandom,
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use addressee::Addressee;
pub use alert::Alert;
pub use error::Error;
pub use kind::Kind;
pub use rule::{Config, LONGEST, MOST, PutRule, Rule, SHORTEST, Severity};
pub use store::alerts::Which;

use crate::{credentials::Credentials, notify::Notify};
use evaluate::Evaluator;

/// What alerts are made with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where the tables are.
    pub database: Database,
    /// The log that is looked at.
    pub log: AuditLog,
    /// Who is told.
    pub notify: Notify,
    /// Where it is contained what an alert is about.
    pub credentials: Credentials,
    /// In whose name it is on record that somebody was told.
    pub caller: CallerName,
    /// This process, as the table names it.
    pub holder: String,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
}

/// What this process knows beside the tables.
#[derive(Debug)]
struct Shared {
    /// Moves when a rule was put here: it holds for every entry that is made afterwards.
    rules: AtomicU64,
    /// The number of the last change of an alert that was found here.
    change: watch::Sender<u64>,
}

/// Rules and alerts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Alerts {
    config: Arc<Config>,
    database: Database,
    shared: Arc<Shared>,
    stop: CancellationToken,
    under_way: TaskTracker,
}

impl Alerts {
    /// Begins to look at the log, until `stop` or [`close`](Self::close); where nothing was ever looked at, from its present
    /// end on.
    ///
    /// # Errors
    /// If the tables cannot be used.
    pub async fn start(config: Config, deps: Deps, stop: CancellationToken) -> Result<Self, Error> {
        store::evaluation::begin(&deps.database, deps.log.end().await?).await?;
        let alerts = Self {
            config: Arc::new(config),
            database: deps.database.clone(),
            shared: Arc::new(Shared {
                rules: AtomicU64::new(0),
                change: watch::Sender::new(0),
            }),
            stop,
            under_way: TaskTracker::new(),
        };
        let evaluator = Evaluator::new(&alerts, deps);
        alerts.under_way.spawn(evaluator.run(alerts.stop.clone()));
        Ok(alerts)
    }

    /// Looks no further, and lets another replica look. What was not told yet is told after the next start.
    pub async fn close(&self) {
        self.stop.cancel();
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// The deployment's rule of this kind.
    pub fn rule(&self, kind: Kind) -> &Rule {
        self.config.rule(kind)
    }

    /// What was put for portals, by slug and kind.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn put_rules(&self) -> Result<Vec<PutRule>, Error> {
        store::rules::all(&self.database).await
    }

    /// Puts a rule for a portal. It holds for what is recorded when this has returned; in other replicas a second later.
    ///
    /// # Errors
    /// If it is not known whether it was put.
    pub async fn put(&self, put: &PutRule) -> Result<(), Error> {
        store::rules::put(&self.database, put).await?;
        self.shared.rules.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Takes back what was put: the deployment's rule holds.
    ///
    /// # Errors
    /// If it is not known whether it was taken back.
    pub async fn take_back(&self, portal: PortalId, kind: Kind) -> Result<(), Error> {
        store::rules::take_back(&self.database, portal, kind).await?;
        self.shared.rules.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// A page of alerts, the newest first, older than this one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self, which: &Which, before: Option<u64>, limit: u32) -> Result<Vec<Alert>, Error> {
        store::alerts::list(&self.database, which, before.unwrap_or(u64::MAX), limit).await
    }

    /// The number of the last change of any alert.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn last_change(&self) -> Result<u64, Error> {
        store::evaluation::last_change(&self.database).await
    }

    /// Alerts whose last change lies behind the first number and not behind the second, in order of their changes.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn changes(&self, which: &Which, between: (u64, u64), limit: u32) -> Result<Vec<Alert>, Error> {
        store::alerts::changes(&self.database, which, between, limit).await
    }

    /// Moves when an alert was found here; what other replicas find is to be looked for.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.change.subscribe()
    }
}

/// Forgets the rules and alerts of a portal.
///
/// # Errors
/// If they are still there.
pub async fn forget(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
    store::forget_portal(transaction, portal).await
}
