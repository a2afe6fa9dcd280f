//! Rotation: a new token in, everywhere; and the checklist of everybody who must run on it.
//!
//! | file | does |
//! |---|---|
//! | `state` | where a rotation stands and what may happen to it then: knows nothing else |
//! | `switch` | verifies a new token and puts it in force, in one transaction with all that follows |
//! | `end` | goes back to the old token; closes what is not done |
//! | `probe` | asks HubSpot about old and new tokens, in the background |
//! | `sweep` | takes sealed tokens out of the vault that nothing can put in force any more, in the background |
//! | `consumers`, `tags` | who must hear of rotations |
//! | `tell`, `tasks` | tells them by webhook, in the background; what they watch and acknowledge |
//! | `background`, `lanes` | when what is due is done, and that nothing waits for what is slow |
//! | `store` | the tables |

mod background;
mod config;
mod consumers;
mod end;
mod error;
mod lanes;
mod probe;
#[expect(clippy::module_inception, reason = "the thing that the room is named after")]
mod rotation;
mod state;
mod store;
mod sweep;
mod switch;
mod tags;
mod tasks;
mod tell;

use std::sync::Arc;

use hubkeep_audit_log::AuditLog;
use hubkeep_core::{
    clock::SharedClock,
    database::{Database, Transaction},
    id::{CallerName, ClientSlug, PortalId, RotationId},
    random::SharedRandom,
};
use hubkeep_seal::Keyring;
use hubkeep_webhook::Sender;
use tokio::sync::watch;

pub use background::Background;
pub use config::Config;
pub use consumers::{
    Consumer, DEFAULT_DEADLINE, Listed, Portals as ConsumerPortals, Registered, Registration,
};
pub use error::Error;
pub use rotation::{Checklist, End, Retired, Rotation, Task, TaskEnding};
pub use state::{Standing, State, Token};
pub use switch::{Rotated, Wish};
pub use tasks::{Notice, Watch};

use crate::{portals::Portals, record::Act, revocations::Revocations, vault::Vault};
use store::rotations::Wanted;

/// More rotations of one portal than this are not open at once: a credential has one.
const OPEN_AT_MOST: usize = 100;

/// What rotations are made with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where their tables are.
    pub database: Database,
    /// Seals addresses and secrets of webhooks.
    pub keyring: Keyring,
    /// Whose tokens are rotated.
    pub portals: Portals,
    /// Where the tokens are.
    pub vault: Vault,
    /// Where the end of redeemed tokens is announced.
    pub revocations: Revocations,
    /// Tells consumers.
    pub sender: Sender,
    /// Where what is done in the background is recorded.
    pub log: AuditLog,
    /// The name under which it is.
    pub name: CallerName,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// The rotations of all portals.
#[derive(Clone, Debug)]
pub struct Rotations {
    config: Config,
    database: Database,
    keyring: Keyring,
    portals: Portals,
    vault: Vault,
    revocations: Revocations,
    sender: Sender,
    log: AuditLog,
    name: CallerName,
    /// Moves when there is something to do or to tell.
    wake: Arc<watch::Sender<u64>>,
    clock: SharedClock,
    random: SharedRandom,
}

impl Rotations {
    /// The rotations in this database. What follows them up in the background is [started](Self::start) apart.
    pub fn build(config: Config, deps: Deps) -> Self {
        let Deps {
            database,
            keyring,
            portals,
            vault,
            revocations,
            sender,
            log,
            name,
            clock,
            random,
        } = deps;
        Self {
            config,
            database,
            keyring,
            portals,
            vault,
            revocations,
            sender,
            log,
            name,
            wake: Arc::new(watch::Sender::new(0)),
            clock,
            random,
        }
    }

    /// The rotation with this id.
    ///
    /// # Errors
    /// If there is none.
    pub async fn get(&self, act: &Act, rotation_id: RotationId) -> Result<Rotation, Error> {
        act.subject(&rotation_id.to_string());
        let found = store::rotations::by_id(&self.database, rotation_id, self.clock.now()).await?;
        let rotation = found.ok_or(Error::Unknown(rotation_id))?;
        act.concerns(rotation.proven());
        Ok(rotation)
    }

    /// The tasks of a rotation, by consumer.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn tasks(&self, rotation: &Rotation) -> Result<Vec<Task>, Error> {
        store::tasks::of_rotation(&self.database, rotation.rotation_id).await
    }

    /// At most `limit` rotations older than `before`, the newest first; those that are over only where they are asked for.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list(
        &self,
        before: Option<String>,
        limit: usize,
        client_slug: Option<ClientSlug>,
        include_ended: bool,
    ) -> Result<Vec<Rotation>, Error> {
        let wanted = Wanted {
            client_slug,
            include_ended,
            // Greater than every id.
            before: before.unwrap_or_else(|| "g".to_owned()),
            limit,
        };
        store::rotations::page(&self.database, &wanted, self.clock.now()).await
    }

    /// The rotations of a portal that wait for something still, the newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn open_of(&self, client_slug: &ClientSlug) -> Result<Vec<Rotation>, Error> {
        self.list(None, OPEN_AT_MOST, Some(client_slug.clone()), false)
            .await
    }

    /// Removes every trace of a portal's rotations, as part of a transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_of(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
        store::rotations::remove_of(transaction, portal_id).await
    }

    /// When tasks are due, and whether: the service's time.
    pub fn now(&self) -> hubkeep_core::clock::Timestamp {
        self.clock.now()
    }

    /// Tells of a switch: whoever follows the feed of revocations, and whoever watches tasks.
    fn announce(&self, seq: u64) {
        self.revocations.announce(seq);
        self.announce_state();
    }

    fn announce_state(&self) {
        self.wake.send_modify(|count| *count = count.wrapping_add(1));
    }
}
