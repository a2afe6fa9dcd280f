//! OAuth apps, and their installs in accounts.

use serde::{Deserialize, Serialize};

use super::token::{all_scopes, default_user};

/// An OAuth app of a developer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSpec {
    /// Its public id.
    pub client_id: String,
    /// What proves that it is the app.
    pub client_secret: String,
    /// HubSpot's number for it.
    pub app_id: u64,
    /// Where codes may be sent; none for everywhere that HubSpot allows: https, or http on localhost.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// What every install must ask for in `scope`.
    #[serde(default)]
    pub required_scopes: Vec<String>,
    /// Whether its tokens follow the permissions of the user who installs it.
    #[serde(default)]
    pub user_level: bool,
}

impl AppSpec {
    /// An app.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>, app_id: u64) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            app_id,
            redirect_uris: Vec::new(),
            required_scopes: Vec::new(),
            user_level: false,
        }
    }

    /// Codes are sent here, too.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Every install must ask for these.
    #[must_use]
    pub fn requires<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Its tokens follow the permissions of whoever installs it.
    #[must_use]
    pub fn user_level(mut self) -> Self {
        self.user_level = true;
        self
    }
}

/// An app that an account has installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSpec {
    /// What the app got for it.
    pub refresh_token: String,
    /// Which app.
    pub client_id: String,
    /// What the account has consented to.
    #[serde(default = "all_scopes")]
    pub scopes: Vec<String>,
    /// The user who installed it.
    #[serde(default = "default_user")]
    pub user_id: u64,
    /// Whether the refresh token is refused.
    #[serde(default)]
    pub revoked: bool,
}

impl InstallSpec {
    /// An install with every scope.
    pub fn new(client_id: impl Into<String>, refresh_token: impl Into<String>) -> Self {
        Self {
            refresh_token: refresh_token.into(),
            client_id: client_id.into(),
            scopes: all_scopes(),
            user_id: default_user(),
            revoked: false,
        }
    }

    /// These scopes instead.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }
}
