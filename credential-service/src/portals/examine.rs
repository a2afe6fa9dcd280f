//! Asks HubSpot about a credential without recording what it says: for whoever compares.

use hubkeep_audit_log::Operation;
use hubkeep_core::secret::PortalToken;
use hubkeep_hubspot::{ApiVersion, DailyUsage, Lease, RecordRefs, Request, usage};

use super::{CredentialKind, Error, Facts, Portal, PortalCredential, Portals};
use crate::record::Act;

/// What HubSpot says of a credential now.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Of the portal.
    pub facts: Facts,
    /// What the token may do, sorted.
    pub scopes: Vec<String>,
    /// The calls of today, by all apps of the account; `None` if HubSpot gave no count.
    pub usage: Option<DailyUsage>,
}

impl Portals {
    /// Asks HubSpot whose a credential's token is, what it may do, and how much of the day's quota is used.
    ///
    /// # Errors
    /// If HubSpot refuses the token, says that it belongs to another portal, or does not answer.
    pub async fn examine(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
    ) -> Result<Examined, Error> {
        act.credential(credential.version, &credential.token_fingerprint);
        let (identity, token) = self.ask_of_stored(act, portal, credential).await?;
        if identity.portal_id != portal.portal_id {
            return Err(Error::TokenOfAnotherPortal {
                expected: portal.portal_id,
                actual: identity.portal_id,
            });
        }
        let usage = match credential.kind {
            // HubSpot counts an OAuth app's calls by no day.
            CredentialKind::OAuth => None,
            _ => self.usage(act, &token).await?,
        };
        Ok(Examined {
            facts: identity.facts,
            scopes: identity.scopes,
            usage,
        })
    }

    /// The calls of today.
    async fn usage(&self, act: &Act, token: &PortalToken) -> Result<Option<DailyUsage>, Error> {
        let deadline = act.context().deadline;
        // What was just said of the token tells whose budget it is.
        self.budget.take(&token.fingerprint(), None, deadline).await?;
        let request = Request {
            ask: usage::daily(self.hubspot.version()),
            token,
            draft: act.draft(Operation::QuotaGet),
            deadline,
            lease: Lease::default(),
            refs: RecordRefs::default(),
        };
        // A count that HubSpot does not give is no fault of the portal's.
        Ok(self.hubspot.call(request).await.ok().map(|answer| answer.value))
    }

    /// The version of HubSpot's API that is spoken.
    pub const fn api_version(&self) -> ApiVersion {
        self.hubspot.version()
    }
}
