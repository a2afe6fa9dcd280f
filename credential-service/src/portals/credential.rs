//! The credentials of a portal: each a token in the vault, with what HubSpot says that it may do.

use hubkeep_core::{
    clock::Timestamp,
    id::{CredentialId, CredentialName},
    secret::TokenFingerprint,
};

/// What sort of credential a token is, as its operator stated it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialKind {
    /// Not stated.
    #[default]
    Unspecified,
    /// A service key of the account.
    ServiceKey,
    /// A legacy private app of the account.
    PrivateApp,
    /// A refresh token of our own OAuth app, which the account has installed.
    OAuth,
}

/// One credential of a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalCredential {
    /// It stays when the token is replaced.
    pub credential_id: CredentialId,
    /// The operator's name for it, unique within its portal.
    pub name: CredentialName,
    /// What sort of credential it is.
    pub kind: CredentialKind,
    /// What HubSpot says that it may do, sorted.
    pub scopes: Vec<String>,
    /// The version of the portal's credentials at which its token was put into the vault; no other credential of the
    /// portal has or had the same.
    pub version: u64,
    /// HubSpot's id of the app that its token belongs to; `None` where HubSpot has not said it of this token.
    pub app_id: Option<u64>,
    /// Tells its token from others.
    pub token_fingerprint: TokenFingerprint,
    /// When it was onboarded.
    pub onboard_time: Timestamp,
    /// When its token came into the vault.
    pub token_time: Timestamp,
    /// When HubSpot last confirmed all of this.
    pub verify_time: Timestamp,
}

impl PortalCredential {
    /// Whether the tokens of both are known to belong to one app. Of OAuth apps a deployment has one.
    pub(super) fn is_of_the_app_of(&self, other: &Self) -> bool {
        let are_oauth = [self, other].iter().all(|one| one.kind == CredentialKind::OAuth);
        let is_one_app = self.app_id.is_some() && self.app_id == other.app_id;
        self.credential_id == other.credential_id || are_oauth || is_one_app
    }
}
