//! Whether portals are served: what the room that suspends, resumes and erases them writes here.

use hubkeep_core::{
    database::Transaction,
    id::{ClientSlug, PortalId},
};

use super::{Error, Portal, Portals, State, store};

impl Portals {
    /// Moves a portal to a state and to its next generation, as part of a transaction; `false`, and nothing is moved, if
    /// it is not any more what it was. Gives the store version at which it was written.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn set_state(
        &self,
        transaction: &mut Transaction,
        before: &Portal,
        to: State,
    ) -> Result<Option<u64>, Error> {
        if !store::state::set(transaction, before, to, self.clock.now()).await? {
            return Ok(None);
        }
        self.written(transaction, before.portal_id).await.map(Some)
    }

    /// Takes a portal out of the vault, as part of the transaction that erases it: its tokens, its credentials, and
    /// what was known of it. Its row stays, as a tombstone.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn blank(&self, transaction: &mut Transaction, portal: &Portal) -> Result<(), Error> {
        store::state::blank(transaction, portal).await?;
        Ok(self.vault.remove(transaction, portal.portal_id).await?)
    }

    /// Moves the store version for a write to a portal, as part of its transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn written(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<u64, Error> {
        let store_version = self.versions.next(transaction).await?;
        store::written(transaction, portal_id, store_version).await?;
        Ok(store_version)
    }

    /// Tells the log that a portal was written. To be called when the write is committed, and before it is answered.
    ///
    /// # Errors
    /// If the log cannot be told: the write stands nevertheless.
    pub async fn committed(
        &self,
        portal_id: PortalId,
        store_version: u64,
        state: State,
    ) -> Result<(), Error> {
        let erased = state == State::Erased;
        Ok(self.versions.committed(portal_id, store_version, erased).await?)
    }

    /// The store version: moved by every write to the vault.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn store_version(&self) -> Result<u64, Error> {
        Ok(self.versions.newest().await?)
    }

    /// Compares every portal with what the log was told of it, and tells it what it has missed. Gives the portals that
    /// are older than the log knows them.
    ///
    /// # Errors
    /// If vault or log cannot be read.
    pub async fn compare(&self) -> Result<Vec<ClientSlug>, Error> {
        self.versions.look().await?;
        let (mut suspected, mut after) = (Vec::new(), String::new());
        loop {
            let portals = self.list(&after, PAGE).await?;
            let Some(last) = portals.last() else {
                return Ok(suspected);
            };
            last.client_slug.as_str().clone_into(&mut after);
            for portal in portals {
                let known = self
                    .versions
                    .head(portal.portal_id)
                    .map_or(0, |head| head.store_version);
                if portal.state == State::RollbackSuspected {
                    suspected.push(portal.client_slug);
                } else if known < portal.store_version {
                    self.committed(portal.portal_id, portal.store_version, portal.state)
                        .await?;
                }
            }
        }
    }

    /// The portal as it is served: if the log knows a newer state than its row holds, it is suspected.
    pub(super) fn held_against_log(&self, mut portal: Portal) -> Portal {
        if self.is_behind(&portal) {
            portal.state = State::RollbackSuspected;
        }
        portal
    }

    /// Whether the log knows a newer state of a portal than its row holds.
    pub(super) fn is_behind(&self, portal: &Portal) -> bool {
        let head = self.versions.head(portal.portal_id);
        head.is_some_and(|head| {
            head.store_version > portal.store_version || (head.erased && portal.state != State::Erased)
        })
    }

    /// Whether a portal that has no row was in the vault once.
    pub(super) fn is_missing(&self, portal_id: PortalId) -> bool {
        self.versions.head(portal_id).is_some()
    }

    /// Whether the log knows that a portal was erased.
    pub fn was_erased(&self, portal_id: PortalId) -> bool {
        self.versions.head(portal_id).is_some_and(|head| head.erased)
    }
}

/// Portals read at once.
const PAGE: usize = 500;
