//! Verifies ID tokens: what an OpenID provider says of who has signed in. Nobody else's word is taken for it.
//!
//! | file | does |
//! |---|---|
//! | `keys` | the provider's keys, read from it and kept for a while |
//! | `verify` | signature, issuer, audience, times, nonce, address, organisation |
//! | `claims` | what an ID token says |

mod claims;
mod error;
mod keys;
mod verify;

use hubkeep_core::clock::{SharedClock, Timestamp};
use hubkeep_seal::remote::{Door, RemoteError};

pub use error::Error;

use super::{Config, config::Provider};
use crate::access::{Email, OidcSubject};
use keys::Keys;

/// How long a provider may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// What was found true of somebody who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// The account.
    pub(super) account: OidcSubject,
    /// The address that the provider has verified.
    pub(super) email: Email,
    /// When they have signed in, if the provider says.
    pub(super) auth_time: Option<Timestamp>,
    /// `acr`.
    pub(super) acr: String,
    /// `amr`.
    pub(super) amr: Vec<String>,
    /// `iat`.
    pub(super) issue_time: Timestamp,
}

/// The providers that people sign in with.
#[derive(Debug)]
pub(super) struct Verifier {
    providers: Vec<(Provider, Keys)>,
    clock: SharedClock,
}

impl Verifier {
    /// A verifier for these providers. Nothing is asked of them yet.
    pub(super) fn new(config: &Config, clock: SharedClock) -> Result<Self, RemoteError> {
        let door = Door::new(None, PATIENCE)?;
        let providers = config.providers.iter().map(|provider| {
            let keys = Keys::new(provider.clone(), door.clone(), clock.clone());
            (provider.clone(), keys)
        });
        Ok(Self {
            providers: providers.collect(),
            clock,
        })
    }
}
