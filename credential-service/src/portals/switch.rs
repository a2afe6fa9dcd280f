//! A token in the place of a credential's old one: examined at HubSpot, sealed, and switched to within a transaction of
//! the caller's, which also writes what follows from it.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{Draft, Operation};
use hubkeep_core::{
    database::Transaction,
    error::{ErrorReason, ServiceError as _},
    id::{ClientSlug, CredentialId, CredentialName, PortalId},
    secret::{PortalToken, TokenFingerprint},
};

use super::{
    CredentialKind, Error, Portal, PortalCredential, Portals, State, add::Sealed, identity::Identity,
    onboard::check_form, store,
};
use crate::{access_tokens::Fresh, record::Act, vault};

/// How long a question about a token may take, with the wait for room in the budget.
const PROBE: Duration = Duration::from_secs(25);

/// What HubSpot says of a token that may take the place of a credential's.
#[derive(Clone, Debug)]
pub struct CheckedToken {
    /// What it may do, sorted.
    pub scopes: Vec<String>,
    app_id: Option<u64>,
    /// What it gave, if it is a refresh token.
    fresh: Option<Arc<Fresh>>,
}

/// A token of a rotation, and whose it is.
#[derive(Debug)]
pub struct Probed<'a> {
    /// The token.
    pub token: &'a PortalToken,
    /// The token in whose budget it is asked: of two tokens of one app, which HubSpot counts together, only one has one.
    pub payer: &'a TokenFingerprint,
    /// The portal.
    pub portal_id: PortalId,
    /// The credential.
    pub credential_id: CredentialId,
}

/// A token that is sealed for its place, and waits to be put in force.
#[derive(Debug)]
pub struct Staged {
    portal: Portal,
    before: PortalCredential,
    after: PortalCredential,
    sealed: Sealed,
}

impl CheckedToken {
    /// As HubSpot described it.
    pub(super) fn new(identity: Identity, fresh: Option<Fresh>) -> Self {
        Self {
            scopes: identity.scopes,
            app_id: identity.app_id,
            fresh: fresh.map(Arc::new),
        }
    }
}

impl Staged {
    /// The credential as it is.
    pub const fn before(&self) -> &PortalCredential {
        &self.before
    }

    /// The credential as it will be.
    pub const fn after(&self) -> &PortalCredential {
        &self.after
    }

    /// The portal as it is.
    pub const fn portal(&self) -> &Portal {
        &self.portal
    }
}

impl Portals {
    /// A credential of a portal, with the portal.
    ///
    /// # Errors
    /// If there is no such portal, it was erased, or it has no credential of this name.
    pub async fn credential(
        &self,
        act: &Act,
        client_slug: &ClientSlug,
        name: &CredentialName,
    ) -> Result<(Portal, PortalCredential), Error> {
        let portal = self.get(act, client_slug).await?;
        // A portal that is suspended, or was restored from a backup, may get a new token; one that was erased stays so,
        // whatever a backup says.
        if portal.state == State::Erased || self.was_erased(portal.portal_id) {
            return Err(Error::Erased(client_slug.clone()));
        }
        match portal
            .credentials
            .iter()
            .find(|credential| credential.name == *name)
        {
            Some(credential) => {
                let credential = credential.clone();
                Ok((portal, credential))
            }
            None => Err(Error::CredentialUnknown {
                client_slug: client_slug.clone(),
                name: name.clone(),
            }),
        }
    }

    /// Asks HubSpot whether a token that shall take a credential's place is this portal's, and what it may do.
    ///
    /// # Errors
    /// If it cannot be a token, HubSpot refuses it, or says that it belongs to another portal.
    pub async fn check_token(
        &self,
        act: &Act,
        portal: &Portal,
        credential: &PortalCredential,
        token: &PortalToken,
    ) -> Result<CheckedToken, Error> {
        check_form(token)?;
        let presented = self
            .ask_of_new(act, credential.kind, token, Some(portal.portal_id))
            .await?;
        let identity = presented.identity;
        if identity.portal_id != portal.portal_id {
            return Err(Error::TokenOfAnotherPortal {
                expected: portal.portal_id,
                actual: identity.portal_id,
            });
        }
        Ok(CheckedToken::new(identity, presented.fresh))
    }

    /// Seals a token for the portal's next version. Nothing is written but the portal's key, where it has none.
    ///
    /// # Errors
    /// If the portal's key cannot be used or made.
    pub async fn stage(
        &self,
        portal: Portal,
        before: PortalCredential,
        token: &PortalToken,
        checked: CheckedToken,
    ) -> Result<Staged, Error> {
        let now = self.clock.now();
        let after = PortalCredential {
            scopes: checked.scopes,
            app_id: checked.app_id,
            version: self.next_of(&portal, portal.credential_version),
            token_fingerprint: token.fingerprint(),
            token_time: now,
            verify_time: now,
            ..before.clone()
        };
        let fresh = checked.fresh.as_deref();
        let sealed = self.seal(&portal.in_vault(&after), token, fresh).await?;
        Ok(Staged {
            portal,
            before,
            after,
            sealed,
        })
    }

    /// Puts a staged token in force, as part of a transaction. Gives the store version of that; `None`, and nothing is
    /// written, if any credential of the portal has changed since it was read. Whoever comes at the same time waits
    /// here. When it is committed, the log must be [told](Self::switched).
    ///
    /// # Errors
    /// If the portal's rows were altered, or the database fails.
    pub async fn switch_credential(
        &self,
        transaction: &mut Transaction,
        staged: &Staged,
    ) -> Result<Option<u64>, Error> {
        let Staged {
            portal,
            before,
            after,
            sealed,
        } = staged;
        let Some(mut now) = self.held(transaction, portal).await? else {
            return Ok(None);
        };
        let same = now.credential_version == portal.credential_version;
        let mut credentials = now.credentials.iter_mut().filter(|_| same);
        let is_it = |one: &&mut PortalCredential| {
            one.credential_id == before.credential_id && one.version == before.version
        };
        let Some(credential) = credentials.find(is_it) else {
            return Ok(None);
        };
        credential.clone_from(after);
        now.credential_version = after.version;
        if self.is_behind(&now) && now.state != State::Contained {
            // The new token is good, and whether the rest of an old row is must still be said by somebody.
            now.state = State::Suspended;
            now.state_time = self.clock.now();
        }
        self.put(transaction, sealed).await?;
        self.write(transaction, &mut now).await.map(Some)
    }

    /// Whether this version is in force for any credential of the portal, and stays so until the transaction has ended.
    ///
    /// # Errors
    /// If the portal's rows were altered, or the database fails.
    pub async fn has_in_force(
        &self,
        transaction: &mut Transaction,
        credential: &vault::Credential,
    ) -> Result<bool, Error> {
        let portal = store::held(transaction, &self.rows, credential.portal_id).await?;
        let credentials = portal.into_iter().flat_map(|portal| portal.credentials);
        Ok(credentials
            .into_iter()
            .any(|one| one.version == credential.version))
    }

    /// Tells the log of a switch that is committed, before it is answered.
    ///
    /// # Errors
    /// If the log cannot be told: the switch stands nevertheless.
    pub async fn switched(&self, staged: &Staged, store_version: u64) -> Result<(), Error> {
        let mut portal = staged.portal.clone();
        portal.store_version = store_version;
        for credential in &mut portal.credentials {
            if credential.credential_id == staged.after.credential_id {
                credential.clone_from(&staged.after);
            } else if portal.state == State::RollbackSuspected {
                self.suspect(credential).await?;
            }
        }
        self.committed(&portal).await
    }

    /// Asks HubSpot whether it still accepts a token of a rotation.
    ///
    /// # Errors
    /// If HubSpot gives no answer from which that can be told.
    pub async fn accepts(&self, draft: Draft, probed: Probed<'_>) -> Result<bool, Error> {
        let Probed { token, payer, .. } = probed;
        let deadline = self.clock.tick().plus(PROBE);
        let portal = Some(probed.portal_id);
        self.budget.take(payer, portal, deadline).await?;
        if self.is_consent(&probed).await? {
            return self.accepts_consent(draft, token, deadline).await;
        }
        let draft = draft
            .operation(Operation::AccountRead)
            .token(&token.fingerprint());
        match self.hubspot.account_details(draft, token, deadline).await {
            Ok(answer) => {
                self.budget.left(payer, &answer.limits);
                Ok(true)
            }
            Err(error) if error.reason() == ErrorReason::TokenRefused => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_consent(&self, probed: &Probed<'_>) -> Result<bool, Error> {
        let portal = self.find(probed.portal_id).await?;
        let credentials = portal.into_iter().flat_map(|portal| portal.credentials);
        let mut same = credentials.filter(|one| one.credential_id == probed.credential_id);
        Ok(same.any(|one| one.kind == CredentialKind::OAuth))
    }
}
