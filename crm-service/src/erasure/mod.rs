//! Carries out orders of credential-service to erase a portal: this service's own keys of it are destroyed, a tombstone is
//! written to its log, and credential-service is told where it stands.
//!
//! Orders come with the feed of revocations, from its beginning at each start. What was carried out is only told again.

mod error;
mod store;

use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Draft, Filter, Operation, Outcome, Position, ProvenPortal};
use hubkeep_core::{
    clock::SharedClock,
    database::Database,
    id::{CallId, CallerName},
    random::SharedRandom,
};
use hubkeep_seal::{Keyring, Owner};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use error::Error;

use crate::{
    alerts,
    credentials::{Credentials, ErasureDone, ErasureOrder},
    suppression::Suppression,
    writes::Writes,
};
use store::Tombstone;

/// How soon an order that could not be carried out is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What portals are erased with.
#[derive(Clone, Debug)]
pub struct Erasures {
    /// What was written, and what came of it.
    pub writes: Writes,
    /// Where the table is.
    pub database: Database,
    /// The keys.
    pub keyring: Keyring,
    /// Where tombstones stand.
    pub log: AuditLog,
    /// Who is told.
    pub credentials: Credentials,
    /// In whose name tombstones stand.
    pub caller: CallerName,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

impl Erasures {
    /// Carries out each order as it comes, until `stop`. One that fails holds up no other.
    pub async fn run(self, mut orders: mpsc::UnboundedReceiver<ErasureOrder>, stop: CancellationToken) {
        let under_way = TaskTracker::new();
        while let Some(Some(order)) = stop.run_until_cancelled(orders.recv()).await {
            let (erasures, stop) = (self.clone(), stop.clone());
            under_way.spawn(stop.run_until_cancelled_owned(async move { erasures.insist(&order).await }));
        }
        under_way.close();
        under_way.wait().await;
    }

    async fn insist(&self, order: &ErasureOrder) {
        while let Err(error) = self.carry_out(order).await {
            tracing::warn!(%error, portal_id = %order.portal_id, "a portal could not be erased yet");
            self.clock.sleep(RETRY).await;
        }
    }

    async fn carry_out(&self, order: &ErasureOrder) -> Result<(), Error> {
        let owner = Owner::Portal(order.portal_id);
        let mut transaction = self.database.begin().await?;
        let destroyed = self.keyring.destroy(&mut transaction, owner).await?;
        store::insert(&mut transaction, order.portal_id, &destroyed).await?;
        self.writes.forget(&mut transaction, order.portal_id).await?;
        Suppression::forget(&mut transaction, order.portal_id).await?;
        alerts::forget(&mut transaction, order.portal_id).await?;
        transaction.commit().await?;
        // In each replica: each has unwrapped them for itself.
        self.keyring.forget(owner);
        // Unreadable already: the rows go too.
        self.log.forget_payloads(order.portal_id).await?;
        let done = self.entomb(order).await?;
        Ok(self.credentials.confirm_erasure(&done).await?)
    }

    /// Writes the tombstone, if it is not written, and says where it stands.
    async fn entomb(&self, order: &ErasureOrder) -> Result<ErasureDone, Error> {
        let id = order.portal_id;
        if let Some(done) = store::find(&self.database, id).await? {
            return Ok(done);
        }
        let portal = ProvenPortal::by_erasure(id, order.client_slug.clone());
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let draft = Draft::portal(&portal, Operation::PortalTombstone, call_id).caller(&self.caller);
        let position = self.log.admin(draft, Outcome::ok()).await?;
        let before = Position(position.get().saturating_sub(1));
        let mut found = self.log.list(&Filter::all(), before, 1).await?;
        let event = found.pop().ok_or(Error::Unreadable(id))?;
        let tombstone = Tombstone {
            log: event.log,
            position: event.position,
            index: event.index,
            entry_id: event.entry.unwrap_or_default().entry_id,
        };
        store::entomb(&self.database, id, &tombstone).await?;
        // Read again rather than told as written: another replica may have been quicker, and its tombstone is the one.
        let done = store::find(&self.database, id).await?;
        done.ok_or(Error::Unreadable(id))
    }
}
