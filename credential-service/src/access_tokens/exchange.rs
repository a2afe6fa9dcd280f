//! The two questions to HubSpot: what does a refresh token give, and whose is it.

use std::time::Duration;

use hubkeep_audit_log::{Draft, Operation};
use hubkeep_core::{
    clock::{Tick, Timestamp},
    id::PortalId,
    secret::PortalToken,
};
use hubkeep_hubspot::{App, account::TokenInfo, oauth::Exchanged};

use super::{AccessTokens, Error};
use crate::vault::Credential;

/// The shortest life of an access token with which anything can be done.
const SHORTEST: Duration = Duration::from_secs(60);

/// What a refresh token gave, not yet stored.
#[derive(Debug)]
pub struct Fresh {
    /// The portal whose consent it is.
    pub portal_id: PortalId,
    /// The access token.
    pub access: PortalToken,
    /// The refresh token from now on.
    pub refresh: PortalToken,
    /// When HubSpot stops to accept the access token.
    pub ends: Timestamp,
    /// How long it lives in all.
    pub(super) lives_for: Duration,
    /// What the access token may do, sorted.
    pub scopes: Vec<String>,
}

impl Fresh {
    /// What HubSpot gave, when it was asked at this time.
    pub(super) fn of(given: Exchanged, asked: Timestamp) -> Self {
        Self {
            portal_id: given.portal_id,
            access: given.access_token,
            refresh: given.refresh_token,
            ends: asked.plus(given.lives_for),
            lives_for: given.lives_for,
            scopes: given.scopes,
        }
    }
}

impl AccessTokens {
    /// Exchanges a refresh token. What comes of it must be stored before it is used.
    ///
    /// # Errors
    /// If there is no app, or HubSpot refuses the token or the app, or does not answer.
    pub async fn exchange(
        &self,
        draft: Draft,
        refresh: &PortalToken,
        deadline: Tick,
    ) -> Result<Fresh, Error> {
        let draft = draft
            .operation(Operation::AccessTokenRefresh)
            .token(&refresh.fingerprint());
        // From before the question: HubSpot counts from some time after it.
        let asked = self.0.clock.now();
        let given = self.0.hubspot.exchange(draft, self.app()?, refresh, deadline);
        let given = given.await?;
        if given.lives_for < SHORTEST {
            return Err(Error::TooShort(given.lives_for));
        }
        Ok(Fresh::of(given, asked))
    }

    /// What HubSpot says of a refresh token, without asking for an access token by it.
    ///
    /// # Errors
    /// [`Error::ConsentLost`] if HubSpot does not know it, or not any more; else as [`exchange`](Self::exchange).
    pub async fn introspect(
        &self,
        draft: Draft,
        refresh: &PortalToken,
        deadline: Tick,
    ) -> Result<TokenInfo, Error> {
        let draft = draft
            .operation(Operation::TokenRead)
            .token(&refresh.fingerprint());
        let app = self.app()?;
        let info = self.0.hubspot.introspect(draft, app, refresh, deadline).await?;
        info.ok_or(Error::ConsentLost)
    }

    /// The same of a consent that is stored, by the refresh token that is in force.
    ///
    /// # Errors
    /// As [`introspect`](Self::introspect). It is not noted as lost: whoever merely looks changes nothing.
    pub async fn introspect_consent(
        &self,
        draft: Draft,
        consent: &Credential,
        deadline: Tick,
    ) -> Result<TokenInfo, Error> {
        let row = self.row(consent).await?;
        let refresh = self.refresh_token(consent, &row).await?;
        self.introspect(draft, &refresh, deadline).await
    }

    pub(super) fn app(&self) -> Result<&App, Error> {
        self.0.app.as_ref().ok_or(Error::NoApp)
    }
}
