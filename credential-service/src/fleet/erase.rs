//! Erases a portal: its keys are destroyed here and in crm-service, and with them all that was sealed or hashed under
//! them, in every backup too. A tombstone is left in each log, and a certificate names both.

use std::time::Duration;

use hubkeep_audit_log::{Filter, Operation, Outcome, Position};
use hubkeep_core::{
    clock::Tick,
    id::{ClientSlug, PortalId},
};
use hubkeep_seal::Owner;

use super::{
    Error, Fleet, Tombstone, certificate,
    store::{self, Erasure},
};
use crate::{
    portals::{Portal, State},
    record::Act,
    revocations::Scope,
};

/// How often it is looked whether crm-service has confirmed, where nobody says so: it may have told another replica.
const LOOK: Duration = Duration::from_millis(200);
/// The longest that a caller waits for it. Asking again goes on waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// Kept back from the caller's deadline, to write the entry and to answer.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// A portal that was erased in both services.
#[derive(Clone, Debug)]
pub struct Erased {
    /// What is left of it.
    pub portal: Portal,
    /// The certificate: a signed note.
    pub certificate: String,
    /// What the certificate's signature is verified with.
    pub verifier_key: String,
}

impl Fleet {
    /// Erases a portal, for good, and gives the certificate of it. Erasing it again changes nothing, and gives the same.
    ///
    /// # Errors
    /// If there is no such portal, or its id is not the one that was named; or if crm-service has not confirmed in time
    /// that its keys are destroyed too: those of this service are by then, and asking again gives the certificate.
    pub async fn erase(
        &self,
        act: &Act,
        client_slug: &ClientSlug,
        confirmed: PortalId,
    ) -> Result<Erased, Error> {
        let portal = self.portals.get(act, client_slug).await?;
        if portal.portal_id != confirmed {
            return Err(Error::OtherPortal(portal.client_slug));
        }
        if portal.state != State::Erased {
            self.destroy(act, &portal).await?;
        }
        self.entomb(act, portal.portal_id).await?;
        let deadline = act.context().deadline.minus(TO_ANSWER);
        let deadline = deadline.min(self.clock.tick().plus(PATIENCE));
        let certificate = self.certify(&portal, deadline).await?;
        Ok(Erased {
            portal: self.portals.get(act, client_slug).await?,
            verifier_key: self.signer.verifier_key().await?,
            certificate,
        })
    }

    /// crm-service says that its keys are destroyed, and where its tombstone stands. What is known already is not
    /// changed; what nobody asked to be erased is not noted.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn confirm(&self, portal_id: PortalId, tombstone: &Tombstone) -> Result<(), Error> {
        store::confirm(&self.database, portal_id, tombstone).await?;
        self.confirmed.send_modify(|times| *times = times.wrapping_add(1));
        Ok(())
    }

    /// Everything at once or nothing: keys, tokens, handles, what was known of it, and the word to crm-service.
    async fn destroy(&self, act: &Act, portal: &Portal) -> Result<(), Error> {
        let (id, slug) = (portal.portal_id, &portal.client_slug);
        let mut transaction = self.revocations.begin(act).await?;
        let erased = self
            .portals
            .set_state(&mut transaction, portal, State::Erased)
            .await?;
        let Some(erased) = erased else {
            transaction.rollback().await?;
            return Err(Error::Contended(slug.clone()));
        };
        let (generation, store_version) = (erased.portal_generation, erased.store_version);
        self.handles.remove_of(&mut transaction, id).await?;
        self.rotations.remove_of(&mut transaction, id).await?;
        let keys = self.keyring.destroy(&mut transaction, Owner::Portal(id)).await?;
        let erasure = Erasure {
            portal_id: id,
            client_slug: slug.clone(),
            portal_generation: generation,
            store_version,
            erase_time: self.clock.now(),
            own_keys: keys,
            own_tombstone: None,
            crm_tombstone: None,
            certificate: None,
        };
        store::insert(&mut transaction, &erasure).await?;
        let scope = Scope::PortalErasure(id, slug.clone(), generation);
        let seq = self.revocations.append(&mut transaction, scope).await?;
        transaction.commit().await?;
        self.keyring.forget(Owner::Portal(id));
        self.revocations.announce(seq);
        Ok(self.portals.committed(&erased).await?)
    }

    /// Writes this service's tombstone, if it is not written.
    async fn entomb(&self, act: &Act, portal_id: PortalId) -> Result<(), Error> {
        let erasure = self.erasure(portal_id).await?;
        if erasure.own_tombstone.is_some() {
            return Ok(());
        }
        let draft = act.draft(Operation::PortalTombstone);
        let position = self.log.admin(draft, Outcome::ok()).await?;
        let tombstone = self.tombstone(position, &erasure).await?;
        store::entomb(&self.database, portal_id, &tombstone).await
    }

    /// The tombstone that was written at this place.
    async fn tombstone(&self, position: Position, erasure: &Erasure) -> Result<Tombstone, Error> {
        let before = Position(position.get().saturating_sub(1));
        let mut found = self.log.list(&Filter::all(), before, 1).await?;
        let event = found.pop().ok_or(Error::Unreadable(erasure.portal_id))?;
        Ok(Tombstone {
            log: event.log,
            position: event.position,
            index: event.index,
            entry_id: event.entry.unwrap_or_default().entry_id,
            keys: erasure.own_keys.clone(),
        })
    }

    /// The certificate, made as soon as crm-service has confirmed.
    async fn certify(&self, portal: &Portal, deadline: Tick) -> Result<String, Error> {
        let mut confirmed = self.confirmed.subscribe();
        loop {
            // Marked as seen before reading: what is confirmed meanwhile wakes the wait.
            confirmed.borrow_and_update();
            let erasure = self.erasure(portal.portal_id).await?;
            if let Some(certificate) = erasure.certificate {
                return Ok(certificate);
            }
            if let Some(text) = certificate::text(self.signer.deployment(), &erasure) {
                let signed = self.signer.sign(&text).await?;
                return store::certify(&self.database, portal.portal_id, &signed).await;
            }
            if self.clock.tick() >= deadline {
                return Err(Error::Pending(portal.client_slug.clone()));
            }
            let until = deadline.min(self.clock.tick().plus(LOOK));
            tokio::select! {
                Ok(()) = confirmed.changed() => {}
                () = self.clock.sleep_until(until) => {}
            }
        }
    }

    async fn erasure(&self, portal_id: PortalId) -> Result<Erasure, Error> {
        let erasure = store::find(&self.database, portal_id).await?;
        erasure.ok_or(Error::Unreadable(portal_id))
    }
}
