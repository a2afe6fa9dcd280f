//! A further credential for a portal that is there already.

use hubkeep_core::{database::Transaction, secret::PortalToken};

use super::{Error, NewPortal, Onboarded, Portal, PortalCredential, Portals, identity::Identity};
use crate::{
    access_tokens::{Fresh, SealedPair},
    record::Act,
    vault::{Credential, SealedToken},
};

/// A token, and what it gave if it is a refresh token, sealed on their way.
#[derive(Debug)]
pub(super) struct Sealed {
    token: SealedToken,
    access: Option<SealedPair>,
}

/// How often another credential of the same portal may be quicker before it is given up.
const TRIES: usize = 8;

impl Portals {
    /// Adds a verified credential to a portal. Its token takes the portal's next version.
    pub(super) async fn add(
        &self,
        act: &Act,
        new: &NewPortal,
        mut portal: Portal,
        identity: Identity,
        fresh: Option<&Fresh>,
    ) -> Result<Onboarded, Error> {
        let fingerprint = &new.token.fingerprint();
        let mut credential = self.as_credential(new, &identity, fingerprint)?;
        for _ in 0..TRIES {
            credential.version = portal.credential_version.saturating_add(1);
            if let Some(added) = self
                .store_added(act, (&portal, &credential), &new.token, fresh)
                .await?
            {
                return Ok(Onboarded::Now(added));
            }
            // Somebody was quicker: what is stored now decides.
            let slug = &portal.client_slug;
            let now = self.named(slug).await?;
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
        act: &Act,
        (before, credential): (&Portal, &PortalCredential),
        token: &PortalToken,
        fresh: Option<&Fresh>,
    ) -> Result<Option<Portal>, Error> {
        let sealed = self.seal(&before.in_vault(credential), token, fresh).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let held = self.held(&mut transaction, before).await?;
        let same = held.filter(|now| now.credential_version == before.credential_version);
        let Some(mut portal) = same else {
            transaction.rollback().await?;
            return Ok(None);
        };
        portal.credential_version = credential.version;
        portal.credentials.push(credential.clone());
        self.put(&mut transaction, &sealed).await?;
        self.write(&mut transaction, &mut portal).await?;
        transaction.commit().await?;
        self.committed(&portal).await?;
        Ok(Some(portal))
    }

    /// Seals a token for its place, and what it gave. No transaction may be open.
    pub(super) async fn seal(
        &self,
        place: &Credential,
        token: &PortalToken,
        fresh: Option<&Fresh>,
    ) -> Result<Sealed, Error> {
        let token = self.vault.seal(place, token).await?;
        let access = match fresh {
            Some(fresh) => Some(self.access_tokens.seal(place, fresh).await?),
            None => None,
        };
        Ok(Sealed { token, access })
    }

    /// Puts both, as part of a transaction.
    pub(super) async fn put(&self, transaction: &mut Transaction, sealed: &Sealed) -> Result<(), Error> {
        self.vault.put(transaction, &sealed.token).await?;
        if let Some(access) = &sealed.access {
            self.access_tokens.put(transaction, access).await?;
        }
        Ok(())
    }
}
