//! What users let clients do for them: codes, tokens, and consents that are remembered.
//!
//! A code, and every token that comes of it, are a session of their own: bound to a user, a client and a resource. The access
//! tokens are handles of the user's ([`handles`](crate::handles)).
//!
//! | file | does |
//! |---|---|
//! | `authorize` | gives a code |
//! | `exchange` | gives tokens for a code, or for a refresh token |
//! | `revoke` | ends what a token is a part of, or everything of a client |
//! | `consent` | what a user has consented to, and how that is sealed |

mod authorize;
mod consent;
mod exchange;
mod revoke;

use std::time::Duration;

use hubkeep_core::handle_token::{HandleToken, OpaqueSecret};

pub use authorize::Asked;
pub use consent::{Authorization, ConsentPage};
pub use exchange::Presented;
pub use revoke::ClientToken;

use crate::handles::Resource;

/// What a client was given, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The client.
    pub client_id: String,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// The S256 challenge of PKCE.
    pub code_challenge: String,
    /// Where its tokens may be presented.
    pub resource: Resource,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// The tokens of a client. Shown this once.
#[derive(Debug)]
pub struct ClientTokens {
    /// A handle of the user's.
    pub access: HandleToken,
    /// Gets the next pair.
    pub refresh: OpaqueSecret,
    /// How long the first lives.
    pub lives_for: Duration,
    /// What they may do.
    pub scopes: Vec<String>,
    /// Where they may be presented.
    pub resource: Resource,
}
