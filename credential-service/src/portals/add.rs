//! A further credential for a portal that is there already.

use hubkeep_core::secret::{PortalToken, TokenFingerprint};

use super::{Error, NewPortal, Onboarded, Portal, PortalCredential, Portals, identity::Identity};

/// How often another credential of the same portal may be quicker before it is given up.
const TRIES: usize = 8;

impl Portals {
    /// Adds a verified credential to a portal. Its token takes the portal's next version.
    pub(super) async fn add(
        &self,
        new: &NewPortal,
        mut portal: Portal,
        identity: Identity,
        fingerprint: &TokenFingerprint,
    ) -> Result<Onboarded, Error> {
        let mut credential = self.as_credential(new, identity.scopes, fingerprint)?;
        for _ in 0..TRIES {
            credential.version = portal.credential_version.saturating_add(1);
            if let Some(added) = self.store_added(&portal, &credential, &new.token).await? {
                return Ok(Onboarded::Now(added));
            }
            // Somebody was quicker: what is stored now decides.
            let slug = &portal.client_slug;
            let now = self.by_slug(slug).await?;
            portal = now.ok_or_else(|| Error::Unknown(slug.clone()))?;
            portal.kept()?;
            if let Some(before) = new.before(&portal, fingerprint)? {
                return Ok(Onboarded::Before(before));
            }
        }
        Err(Error::Contended(portal.client_slug))
    }

    /// Stores credential and token together; `None`, and nothing stored, if the portal has a newer version by now.
    async fn store_added(
        &self,
        before: &Portal,
        credential: &PortalCredential,
        token: &PortalToken,
    ) -> Result<Option<Portal>, Error> {
        let sealed = self.vault.seal(&before.in_vault(credential), token).await?;
        let mut transaction = self.database.begin().await?;
        let held = self.held(&mut transaction, before).await?;
        let same = held.filter(|now| now.credential_version == before.credential_version);
        let Some(mut portal) = same else {
            transaction.rollback().await?;
            return Ok(None);
        };
        portal.credential_version = credential.version;
        portal.credentials.push(credential.clone());
        self.vault.put(&mut transaction, &sealed).await?;
        let store_version = self.write(&mut transaction, &mut portal).await?;
        transaction.commit().await?;
        self.committed(portal.portal_id, store_version, portal.state)
            .await?;
        Ok(Some(portal))
    }
}
