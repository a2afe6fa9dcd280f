//! Asks HubSpot again about a portal that is in the vault.

use hubkeep_core::id::ClientSlug;

use super::{CredentialKind, Error, Portal, PortalCredential, Portals, State, identity::Identity, store};
use crate::record::Act;

/// A portal as HubSpot describes it now.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The portal.
    pub portal: Portal,
    /// The fields that differ from what was recorded before.
    pub changed_fields: Vec<&'static str>,
}

impl Portals {
    /// Asks HubSpot whose the stored tokens are and what they may do, and records what it says.
    ///
    /// # Errors
    /// If HubSpot refuses a token, or says that it belongs to another portal: then nothing is changed.
    pub async fn verify(&self, act: &Act, client_slug: &ClientSlug) -> Result<Verified, Error> {
        let before = self.get(act, client_slug).await?;
        before.kept()?;
        let mut portal = before.clone();
        for credential in &mut portal.credentials {
            let identity = self.identify(act, &before, credential).await?;
            credential.scopes = identity.scopes;
            credential.app_id = identity.app_id.or(credential.app_id);
            credential.verify_time = self.clock.now();
            portal.facts = identity.facts;
            portal.verify_time = credential.verify_time;
        }
        let portal = self.record(&before, &portal).await?;
        Ok(Verified {
            changed_fields: changed(&before, &portal),
            portal,
        })
    }

    /// What HubSpot says of a credential's token; refused if it is not this portal's.
    pub(super) async fn identify(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
    ) -> Result<Identity, Error> {
        act.credential(credential.version, &credential.token_fingerprint);
        if credential.kind == CredentialKind::OAuth {
            // Who asks to verify wants to know whether a consent that was lost is there again.
            self.access_tokens
                .look_again(&portal.in_vault(credential))
                .await?;
        }
        let (identity, _) = self.ask_of_stored(act, portal, credential).await?;
        if identity.portal_id == portal.portal_id {
            return Ok(identity);
        }
        Err(Error::TokenOfAnotherPortal {
            expected: portal.portal_id,
            actual: identity.portal_id,
        })
    }

    /// Records what HubSpot said, but of tokens that were replaced since it was asked. Gives the portal as it is now.
    async fn record(&self, before: &Portal, told: &Portal) -> Result<Portal, Error> {
        let mut transaction = self.database.begin().await?;
        let held = self.held(&mut transaction, before).await?;
        let kept = held.filter(|now| now.state != State::Erased);
        let Some(mut portal) = kept else {
            transaction.rollback().await?;
            return Err(Error::Contended(before.client_slug.clone()));
        };
        let stored = portal.clone();
        portal.facts = told.facts.clone();
        portal.verify_time = told.verify_time;
        for credential in &mut portal.credentials {
            let said = told
                .credentials
                .iter()
                .find(|one| one.credential_id == credential.credential_id);
            if let Some(said) = said.filter(|said| said.version == credential.version) {
                credential.clone_from(said);
            }
        }
        // That HubSpot confirmed what is there moves no version: it is written, and nobody need fear its loss.
        if changed(&stored, &portal).is_empty() {
            store::save(&mut transaction, &self.rows, &portal).await?;
            transaction.commit().await?;
            return Ok(portal);
        }
        self.write(&mut transaction, &mut portal).await?;
        transaction.commit().await?;
        self.committed(&portal).await?;
        Ok(portal)
    }
}

/// The fields that HubSpot says otherwise now.
fn changed(before: &Portal, now: &Portal) -> Vec<&'static str> {
    let mut fields = now.facts.changed_from(&before.facts);
    if scopes(now).ne(scopes(before)) {
        fields.push("scopes");
    }
    fields
}

fn scopes(portal: &Portal) -> impl Iterator<Item = &[String]> {
    portal
        .credentials
        .iter()
        .map(|credential| credential.scopes.as_slice())
}
