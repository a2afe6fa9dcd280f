//! Asks HubSpot again about a portal that is in the vault.

use hubkeep_core::id::ClientSlug;

use super::{
    Error, Portal, PortalCredential, Portals,
    identity::{self, Identity},
    store,
};
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
            credential.verify_time = self.clock.now();
            portal.facts = identity.facts;
            portal.verify_time = credential.verify_time;
        }
        self.record(&portal).await?;
        let mut changed_fields = portal.facts.changed_from(&before.facts);
        if scopes(&portal).ne(scopes(&before)) {
            changed_fields.push("scopes");
        }
        Ok(Verified {
            portal,
            changed_fields,
        })
    }

    /// What HubSpot says of a credential's token; refused if it is not this portal's.
    async fn identify(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
    ) -> Result<Identity, Error> {
        act.credential(credential.version, &credential.token_fingerprint);
        let token = self.vault.open(&portal.in_vault(credential)).await?;
        let identity = identity::ask(&self.hubspot, &self.budget, act, &token).await?;
        if identity.portal_id == portal.portal_id {
            return Ok(identity);
        }
        Err(Error::TokenOfAnotherPortal {
            expected: portal.portal_id,
            actual: identity.portal_id,
        })
    }

    async fn record(&self, portal: &Portal) -> Result<(), Error> {
        let mut transaction = self.database.begin().await?;
        store::update_facts(&mut transaction, portal).await?;
        for credential in &portal.credentials {
            store::credentials::update_scopes(&mut transaction, credential).await?;
        }
        Ok(transaction.commit().await?)
    }
}

fn scopes(portal: &Portal) -> impl Iterator<Item = &[String]> {
    portal
        .credentials
        .iter()
        .map(|credential| credential.scopes.as_slice())
}
