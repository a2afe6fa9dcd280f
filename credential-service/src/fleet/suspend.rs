//! Suspends and resumes portals. Each moves the portal's generation: every handle that there was is dead.

use hubkeep_core::id::ClientSlug;

use super::{Error, Fleet};
use crate::{
    portals::{Portal, State},
    record::Act,
    revocations::Scope,
};

impl Fleet {
    /// Serves a portal no more, until it is resumed. Its tokens are kept. Suspending it again changes nothing.
    ///
    /// # Errors
    /// If there is none, it was erased, it is contained, or it is older than the log knows it.
    pub async fn suspend(&self, act: &Act, client_slug: &ClientSlug) -> Result<Portal, Error> {
        let portal = self.portals.get(act, client_slug).await?;
        portal.kept()?;
        not_contained(&portal)?;
        if portal.state == State::Suspended {
            return Ok(portal);
        }
        self.move_to(act, &portal, State::Suspended).await
    }

    /// Serves a portal again. One that is older than the log knows it, because a backup was restored, is served as it
    /// is from now on, if no token of it was replaced since and HubSpot accepts each; an erased one never. Resuming it
    /// again changes nothing.
    ///
    /// # Errors
    /// If there is none, it was erased, it is contained, or the vault holds a token of it that was replaced, or that HubSpot refuses.
    pub async fn resume(&self, act: &Act, client_slug: &ClientSlug) -> Result<Portal, Error> {
        let portal = self.portals.get(act, client_slug).await?;
        if portal.state == State::Erased || self.portals.was_erased(portal.portal_id) {
            return Err(crate::portals::Error::Erased(portal.client_slug).into());
        }
        not_contained(&portal)?;
        if portal.state == State::Active {
            return Ok(portal);
        }
        if portal.state == State::RollbackSuspected {
            self.portals.is_good(act, &portal).await?;
        }
        self.move_to(act, &portal, State::Active).await
    }

    async fn move_to(&self, act: &Act, before: &Portal, to: State) -> Result<Portal, Error> {
        let id = before.portal_id;
        let mut transaction = self.revocations.begin(act).await?;
        let moved = self.portals.set_state(&mut transaction, before, to).await?;
        let Some(portal) = moved else {
            transaction.rollback().await?;
            return Err(Error::Contended(before.client_slug.clone()));
        };
        let scope = Scope::PortalGeneration(id, portal.portal_generation);
        let seq = self.revocations.append(&mut transaction, scope).await?;
        transaction.commit().await?;
        self.revocations.announce(seq);
        self.portals.committed(&portal).await?;
        Ok(self.portals.get(act, &before.client_slug).await?)
    }
}

/// What is contained is lifted, and by nothing else.
fn not_contained(portal: &Portal) -> Result<(), Error> {
    match portal.state {
        State::Contained => Err(crate::portals::Error::Contained(portal.client_slug.clone()).into()),
        _ => Ok(()),
    }
}
