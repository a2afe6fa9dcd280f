//! Credentials that are a consent: their token is a refresh token, and what calls are made with is an access token.

use hubkeep_audit_log::{Draft, Operation};
use hubkeep_core::{
    clock::Tick,
    database::Transaction,
    id::PortalId,
    secret::{PortalToken, TokenFingerprint},
};

use super::{
    CredentialKind, Error, Facts, NewPortal, Portal, PortalCredential, Portals,
    identity::{self, Identity},
};
use crate::{
    access_tokens::{Fresh, Live},
    record::Act,
    vault::Credential,
};

/// What HubSpot says of a token that is not stored yet.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) identity: Identity,
    /// What it gave, if it is a refresh token that was exchanged.
    pub(super) fresh: Option<Fresh>,
}

impl Portals {
    /// What calls are made with for a credential now, and for how long if that ends by itself. Of a consent something else than
    /// HubSpot is said to have `refused`, where there may be.
    ///
    /// # Errors
    /// If the token cannot be opened; or of a consent, if HubSpot gives no access token.
    pub async fn token_to_call_with(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
        refused: Option<&TokenFingerprint>,
    ) -> Result<(PortalToken, Option<std::time::Duration>), Error> {
        let opened = self.opened(act, portal, credential, refused).await;
        opened.map_err(|error| error.of_token(portal, credential))
    }

    async fn opened(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
        refused: Option<&TokenFingerprint>,
    ) -> Result<(PortalToken, Option<std::time::Duration>), Error> {
        let place = portal.in_vault(credential);
        if credential.kind != CredentialKind::OAuth {
            return Ok((self.vault.open(&place).await?, None));
        }
        let draft = act.draft(Operation::AccessTokenRefresh);
        let deadline = act.context().deadline;
        let live = self.access_tokens.obtain(&draft, &place, refused, deadline);
        let Live { token, time_left } = live.await?;
        Ok((token, Some(time_left)))
    }

    /// Asks HubSpot about a credential that is stored, and gives the token with which it was asked.
    pub(super) async fn ask_of_stored(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
    ) -> Result<(Identity, PortalToken), Error> {
        let (token, _) = self.token_to_call_with(act, portal, credential, None).await?;
        if credential.kind != CredentialKind::OAuth {
            if let Some(app) = credential.app_id {
                let token = &credential.token_fingerprint;
                self.budget.learn(token, portal.portal_id, Some(app));
            }
            let identity =
                identity::ask(&self.hubspot, &self.budget, act, &token, Some(portal.portal_id)).await?;
            return Ok((identity, token));
        }
        let (draft, deadline) = (act.draft(Operation::TokenRead), act.context().deadline);
        let place = portal.in_vault(credential);
        let info = self.access_tokens.introspect_consent(draft, &place, deadline);
        let account = self
            .account(act, &token, &credential.token_fingerprint, Some(portal.portal_id))
            .await?;
        Ok((identity::agree(account, info.await?)?, token))
    }

    /// Asks HubSpot about a token that is not stored yet. A refresh token is exchanged by that.
    pub(super) async fn ask_of_new(
        &self,
        act: &Act,
        kind: CredentialKind,
        token: &PortalToken,
        portal: Option<PortalId>,
    ) -> Result<Presented, Error> {
        if kind != CredentialKind::OAuth {
            let identity = identity::ask(&self.hubspot, &self.budget, act, token, portal).await?;
            return Ok(Presented {
                identity,
                fresh: None,
            });
        }
        let (draft, deadline) = (act.draft(Operation::AccessTokenRefresh), act.context().deadline);
        let fresh = self.access_tokens.exchange(draft, token, deadline).await?;
        let portal = Some(fresh.portal_id);
        let account = self
            .account(act, &fresh.access, &token.fingerprint(), portal)
            .await?;
        let info = hubkeep_hubspot::account::TokenInfo {
            portal_id: fresh.portal_id,
            scopes: fresh.scopes.clone(),
            app_id: None,
            user_id: None,
        };
        Ok(Presented {
            identity: identity::agree(account, info)?,
            fresh: Some(fresh),
        })
    }

    /// Asks HubSpot about a token that shall be onboarded, or only be looked at.
    pub(super) async fn ask_of_onboarded(&self, act: &Act, new: &NewPortal) -> Result<Presented, Error> {
        if !new.validate_only {
            return self.ask_of_new(act, new.kind, &new.token, new.expected).await;
        }
        Ok(Presented {
            identity: self.ask_of_possible(act, new).await?,
            fresh: None,
        })
    }

    /// The same for who only wants to see what would become of it. A refresh token is not exchanged: HubSpot may give
    /// another in its place, and nobody would keep that. Of the account itself nothing is known then but its id.
    async fn ask_of_possible(&self, act: &Act, new: &NewPortal) -> Result<Identity, Error> {
        if new.kind != CredentialKind::OAuth {
            return identity::ask(&self.hubspot, &self.budget, act, &new.token, new.expected).await;
        }
        let (draft, deadline) = (act.draft(Operation::TokenRead), act.context().deadline);
        let info = self.access_tokens.introspect(draft, &new.token, deadline).await?;
        Ok(identity::of_token(Facts::unknown(), info))
    }

    /// Whether HubSpot still accepts a refresh token, in force or not.
    pub(super) async fn accepts_consent(
        &self,
        draft: Draft,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<bool, Error> {
        match self.access_tokens.introspect(draft, token, deadline).await {
            Ok(_) => Ok(true),
            Err(crate::access_tokens::Error::ConsentLost) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes away what a refresh token gave that nothing is in force by, as part of a transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_access_token(
        &self,
        transaction: &mut Transaction,
        consent: &Credential,
    ) -> Result<(), Error> {
        Ok(self.access_tokens.remove_one(transaction, consent).await?)
    }

    /// The versions of a portal's credentials whose consent is lost.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn lost_consents(&self, portal: &Portal) -> Result<Vec<u64>, Error> {
        Ok(self.access_tokens.lost_of(portal.portal_id).await?)
    }
}
