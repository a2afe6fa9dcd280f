//! A further credential for a portal that is there already.

use hubkeep_core::secret::{PortalToken, TokenFingerprint};

use super::{Error, NewPortal, Onboarded, Portal, PortalCredential, Portals, identity::Identity, store};

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
            if self.store_added(&mut portal, &credential, &new.token).await? {
                portal.credential_version = credential.version;
                portal.credentials.push(credential);
                return Ok(Onboarded::Now(portal));
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

    /// Stores credential and token together; `false`, and nothing stored, if the portal has a newer version by now.
    async fn store_added(
        &self,
        portal: &mut Portal,
        credential: &PortalCredential,
        token: &PortalToken,
    ) -> Result<bool, Error> {
        let sealed = self.vault.seal(&portal.in_vault(credential), token).await?;
        let mut transaction = self.database.begin().await?;
        let (id, before) = (portal.portal_id, portal.credential_version);
        if !store::take_version(&mut transaction, id, before).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        store::credentials::insert(&mut transaction, id, credential).await?;
        self.vault.put(&mut transaction, &sealed).await?;
        portal.store_version = self.written(&mut transaction, id).await?;
        transaction.commit().await?;
        self.committed(id, portal.store_version, portal.state).await?;
        Ok(true)
    }
}
