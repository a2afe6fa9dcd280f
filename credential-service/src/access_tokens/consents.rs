//! Consents that people give in a browser: what a code gives, whose it is, and how it is taken back.

use hubkeep_audit_log::{Draft, Operation};
use hubkeep_core::{
    clock::{Tick, Timestamp},
    secret::PortalToken,
};
use hubkeep_hubspot::consent::{Code, Consent, TokenOwner};

use super::{AccessTokens, Error, Fresh, store};
use crate::vault::Credential;

impl AccessTokens {
    /// The address to which a browser is sent.
    ///
    /// # Errors
    /// If there is no app.
    pub fn consent_url(&self, consent: &Consent<'_>, state: &str, challenge: &str) -> Result<String, Error> {
        Ok(self.app()?.consent_url(consent, state, challenge))
    }

    /// Exchanges the code that a browser came back with. What comes of it must be kept, or [revoked](Self::revoke).
    ///
    /// # Errors
    /// If there is no app, or HubSpot does not take the code or the app, or does not answer.
    pub async fn redeem_code(&self, draft: Draft, code: &Code<'_>, deadline: Tick) -> Result<Fresh, Error> {
        let draft = draft.operation(Operation::ConsentExchange);
        // From before the question: HubSpot counts from some time after it.
        let asked = self.0.clock.now();
        let given = self.0.hubspot.redeem_code(draft, self.app()?, code, deadline);
        Ok(Fresh::of(given.await?, asked))
    }

    /// What HubSpot says of whose an access token is.
    ///
    /// # Errors
    /// [`Error::ConsentLost`] if HubSpot does not know it; else as [`exchange`](Self::exchange).
    pub async fn owner_of(
        &self,
        draft: Draft,
        access: &PortalToken,
        deadline: Tick,
    ) -> Result<TokenOwner, Error> {
        let draft = draft.operation(Operation::TokenRead).token(&access.fingerprint());
        let owner = self.0.hubspot.owner_of(draft, self.app()?, access, deadline);
        owner.await?.ok_or(Error::ConsentLost)
    }

    /// Tells HubSpot to refuse a refresh token from now on. What it gave lives on to its end.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub async fn revoke(&self, draft: Draft, refresh: &PortalToken, deadline: Tick) -> Result<(), Error> {
        let draft = draft
            .operation(Operation::ConsentRevoke)
            .token(&refresh.fingerprint());
        let app = self.app()?;
        Ok(self
            .0
            .hubspot
            .revoke_refresh_token(draft, app, refresh, deadline)
            .await?)
    }

    /// The refresh token of a consent that is in force, and when the last access token that it gave ends.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn in_force(&self, consent: &Credential) -> Result<(PortalToken, Option<Timestamp>), Error> {
        let row = self.row(consent).await?;
        match self.opened(consent, &row).await? {
            Some(pair) => Ok((pair.refresh, Some(pair.ends))),
            None => Ok((self.0.vault.open(consent).await?, None)),
        }
    }

    /// Whether HubSpot has refused a consent for good.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_lost(&self, consent: &Credential) -> Result<bool, Error> {
        let row = store::find(&self.0.database, &consent.secret_id()).await?;
        Ok(row.is_some_and(|row| row.lost_time > 0))
    }
}
