//! Tokens: what a caller holds to reach one account.

use serde::{Deserialize, Serialize};

/// What a token was made for. HubSpot writes the first two kinds alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The token of a legacy private app.
    #[default]
    PrivateApp,
    /// A service key.
    ServiceKey,
    /// An access token of an OAuth app. It ends after 30 minutes.
    #[serde(rename = "oauth")]
    OAuth,
}

/// Every scope that an endpoint of this simulator asks for.
pub const ALL_SCOPES: &[&str] = &[
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "tickets",
    "e-commerce",
    "sales-email-read",
    "crm.objects.quotes.read",
    "crm.objects.quotes.write",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.objects.owners.read",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.deals.read",
    "crm.schemas.deals.write",
    "crm.schemas.quotes.read",
    "crm.schemas.quotes.write",
    "crm.schemas.custom.read",
    "crm.schemas.custom.write",
];

/// A token of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSpec {
    /// The token itself, `pat-<data centre>-<uuid>`.
    pub token: String,
    /// What it was made for.
    #[serde(default)]
    pub kind: TokenKind,
    /// What it may do.
    #[serde(default = "all_scopes")]
    pub scopes: Vec<String>,
    /// The app or key it belongs to; the burst limit counts per app. 0 for one of its own, as each private app and each
    /// service key is.
    #[serde(default)]
    pub app_id: u64,
    /// The user who created it.
    #[serde(default = "default_user")]
    pub user_id: u64,
    /// Whether it is refused.
    #[serde(default)]
    pub revoked: bool,
}

impl TokenSpec {
    /// A private app's token with every scope.
    pub fn private_app(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            kind: TokenKind::PrivateApp,
            scopes: all_scopes(),
            app_id: 0,
            user_id: default_user(),
            revoked: false,
        }
    }

    /// A service key with every scope.
    pub fn service_key(token: impl Into<String>) -> Self {
        Self {
            kind: TokenKind::ServiceKey,
            ..Self::private_app(token)
        }
    }

    /// These scopes instead.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The app it belongs to.
    #[must_use]
    pub fn app(mut self, app_id: u64) -> Self {
        self.app_id = app_id;
        self
    }

    /// The user who created it.
    #[must_use]
    pub fn user(mut self, user_id: u64) -> Self {
        self.user_id = user_id;
        self
    }

    /// Refused from the start.
    #[must_use]
    pub fn revoked(mut self) -> Self {
        self.revoked = true;
        self
    }
}

pub(super) fn all_scopes() -> Vec<String> {
    ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect()
}

pub(super) fn default_user() -> u64 {
    9_001
}
