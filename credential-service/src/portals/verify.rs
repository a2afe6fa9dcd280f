//! Asks HubSpot again about a portal that is in the vault.

use hubkeep_core::id::ClientSlug;

use super::{Error, Portal, Portals, identity, store};
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
    /// Asks HubSpot whose the stored token is and what it may do, and records what it says.
    ///
    /// # Errors
    /// If HubSpot refuses the token, or says that it belongs to another portal: then nothing is changed.
    pub async fn verify(&self, act: &Act, client_slug: &ClientSlug) -> Result<Verified, Error> {
        let before = self.get(act, client_slug).await?;
        act.credential(before.credential_version, &before.token_fingerprint);
        let token = self.vault.open(&before.credential()).await?;
        let identity = identity::ask(&self.hubspot, &self.budget, act, &token).await?;
        if identity.portal_id != before.portal_id {
            return Err(Error::TokenOfAnotherPortal {
                expected: before.portal_id,
                actual: identity.portal_id,
            });
        }
        let changed_fields = identity.facts.changed_from(&before.facts);
        let portal = Portal {
            facts: identity.facts,
            verify_time: self.clock.now(),
            ..before
        };
        store::update_facts(&self.database, &portal).await?;
        Ok(Verified {
            portal,
            changed_fields,
        })
    }
}
