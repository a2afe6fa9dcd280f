//! What a developer and an account's administrator do about OAuth apps.

use std::sync::Arc;

use super::Control;
use crate::accounts::WorldError;
use crate::oauth::Install;
use crate::world::{AppSpec, InstallSpec, TokenKind};

impl Control {
    /// Adds an OAuth app, or gives one another secret.
    pub fn add_app(&self, app: AppSpec) {
        self.state.apps.add(app);
    }

    /// Installs an app in an account.
    ///
    /// # Errors
    /// If there is no such account, or the refresh token is in use.
    pub fn install_app(&self, portal_id: u64, install: InstallSpec) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        self.state.apps.install(portal, install)
    }

    /// Uninstalls an app: its refresh token and all access tokens of it are refused from here on.
    ///
    /// # Errors
    /// If there is no such refresh token.
    pub fn uninstall_app(&self, refresh_token: &str) -> Result<(), WorldError> {
        self.install_of(refresh_token).map(|install| install.uninstall())
    }

    /// Revokes a refresh token. Access tokens that it gave live on to their end.
    ///
    /// # Errors
    /// If there is no such refresh token.
    pub fn revoke_refresh_token(&self, refresh_token: &str) -> Result<(), WorldError> {
        self.install_of(refresh_token).map(|install| install.revoke())
    }

    /// Ends every access token that an account has given by now, before its time; what refresh tokens give from then on lives.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn end_access_tokens(&self, portal_id: u64) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let tokens = self.state.accounts.tokens_of(portal.id);
        let given = tokens.iter().filter(|(_, token)| token.kind == TokenKind::OAuth);
        given.for_each(|(_, token)| token.set_revoked(true));
        Ok(())
    }

    /// Changes what an account has consented to.
    ///
    /// # Errors
    /// If there is no such refresh token.
    pub fn set_consent<S: Into<String>>(
        &self,
        refresh_token: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(), WorldError> {
        let install = self.install_of(refresh_token)?;
        install.set_scopes(scopes.into_iter().map(Into::into).collect());
        Ok(())
    }

    /// Whether each refresh gives another refresh token, and the one that was used dies. HubSpot repeats the same one,
    /// and says that it need not.
    pub fn rotate_refresh_tokens(&self, rotating: bool) {
        self.state.apps.set_rotating(rotating);
    }

    /// The refresh tokens that an account's installs have now, revoked or not: codes give ones that nobody has chosen.
    pub fn refresh_tokens(&self, portal_id: u64) -> Vec<String> {
        self.state.apps.refresh_tokens_of(portal_id)
    }

    fn install_of(&self, refresh_token: &str) -> Result<Arc<Install>, WorldError> {
        self.state
            .apps
            .by_refresh_token(refresh_token)
            .ok_or(WorldError::NoSuchToken)
    }
}
