//! A portal that is onboarded a second time: its rows are gone or were altered, or a restored backup made them old. HubSpot
//! has said whose the token is by then. The portal goes on with numbers that it cannot have had before, and is suspended:
//! whether it was when its rows were lost, nobody can tell, so that somebody must say that it shall be served.

use super::{CheckedToken, Error, NewPortal, Onboarded, Portal, Portals, State, identity::Identity, store};
use crate::{access_tokens::Fresh, record::Act};

impl Portals {
    /// Stores a verified portal in the place of what is left of it. Nothing of that is believed, and nothing kept.
    pub(super) async fn again(
        &self,
        act: &Act,
        new: &NewPortal,
        identity: Identity,
        fresh: Option<&Fresh>,
    ) -> Result<Onboarded, Error> {
        let mut portal = self.as_new(new, identity, &new.token.fingerprint())?;
        self.number(&mut portal).await?;
        portal.state = State::Suspended;
        portal.state_time = self.clock.now();
        if let Some(details) = &new.details {
            let sealed = self
                .seal_details(portal.portal_id, &portal.client_slug, details)
                .await?;
            portal.sealed_details = Some(sealed);
        }
        let sealed = self
            .seal(&portal.in_vault(portal.first_credential()?), &new.token, fresh)
            .await?;
        let mut transaction = self.revocations.begin(act).await?;
        if !store::clear(&mut transaction, &self.rows, &portal).await?
            || !store::insert(&mut transaction, &portal).await?
        {
            transaction.rollback().await?;
            return Err(Error::Contended(portal.client_slug));
        }
        self.access_tokens
            .remove(&mut transaction, portal.portal_id)
            .await?;
        self.vault.remove(&mut transaction, portal.portal_id).await?;
        self.put(&mut transaction, &sealed).await?;
        self.write(&mut transaction, &mut portal).await?;
        transaction.commit().await?;
        self.committed(&portal).await?;
        tracing::warn!(
            client_slug = %portal.client_slug,
            portal_id = portal.portal_id.get(),
            "a portal whose rows were gone or altered was onboarded again, and is suspended"
        );
        Ok(Onboarded::Now(portal))
    }

    /// Gives a portal a generation and a version that it cannot have had: each of those moved the store version.
    async fn number(&self, portal: &mut Portal) -> Result<(), Error> {
        // What other replicas have told the log counts too, and what this database has forgotten.
        self.versions.look().await?;
        if self.was_erased(portal.portal_id) {
            return Err(Error::Erased(portal.client_slug.clone()));
        }
        let known = self.versions.head(portal.portal_id);
        let newest = self.versions.newest().await?;
        let beyond = known
            .map_or(newest, |head| head.store_version.max(newest))
            .saturating_add(1);
        portal.credential_version = beyond;
        portal.portal_generation = beyond;
        for credential in &mut portal.credentials {
            credential.version = beyond;
        }
        Ok(())
    }

    /// Puts a credential in force that an old row holds, as HubSpot has just confirmed it, as if it were new.
    pub(super) async fn renew(
        &self,
        act: &Act,
        new: &NewPortal,
        portal: Portal,
        identity: Identity,
        fresh: Option<Fresh>,
    ) -> Result<Onboarded, Error> {
        let (portal_id, slug) = (portal.portal_id, portal.client_slug.clone());
        let held = portal.with_token(&new.token.fingerprint()).cloned();
        let before = held.ok_or_else(|| Error::Contended(slug.clone()))?;
        let checked = CheckedToken::new(identity, fresh);
        let staged = self.stage(portal, before, &new.token, checked).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let Some(store_version) = self.switch_credential(&mut transaction, &staged).await? else {
            transaction.rollback().await?;
            return Err(Error::Contended(slug));
        };
        transaction.commit().await?;
        self.switched(&staged, store_version).await?;
        let renewed = self.find(portal_id).await?;
        Ok(Onboarded::Now(renewed.ok_or(Error::Contended(slug))?))
    }
}
