//! Sessions of people who sign in in a browser, and what they let clients do for them.
//!
//! Whoever signs in brings an ID token, which is verified here (`oidc`). What comes of it is a session: a secret that shows whose
//! a request is, and one that gets the next pair of them. Each pair takes the place of the one before. So do the tokens of a
//! client, whose code the user of a session has asked for; a client's session token is a handle of the user's.
//!
//! Secrets are looked up by keyed hashes, and what a session is lies sealed: whoever can write the tables can neither make one
//! nor move one to somebody else.
//!
//! | file | does |
//! |---|---|
//! | `oidc` | verifies ID tokens |
//! | `open`, `present` | opens a session, and says whose a secret is |
//! | `refresh`, `verdict` | gives the next pair, and what becomes of a secret that was used before |
//! | `end`, `list` | ends sessions, and shows those that live |
//! | `clients` | codes, tokens and consents of clients |
//! | `session` | what a session is, and how that is sealed |
//! | `secrets` | secrets, and how they are kept |
//! | `store` | the tables |

pub mod clients;
mod config;
mod end;
mod error;
mod list;
pub mod oidc;
mod open;
mod present;
mod refresh;
mod secrets;
mod session;
mod store;
mod verdict;

use std::sync::Arc;

use hubkeep_core::{clock::SharedClock, database::Database, random::SharedRandom};
use hubkeep_seal::{Keyring, Owner, Purpose, remote::RemoteError};

pub use config::{Config, Provider};
pub use end::{Ended, Target};
pub use error::Error;
pub use list::{Listing, Page};
pub use open::Tokens;
pub use session::{Session, SignIn};

use crate::{access::Access, handles::Handles, revocations::Revocations};
use oidc::Verifier;

/// What sessions are kept with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where the tables are.
    pub database: Database,
    /// Seals what is in them.
    pub keyring: Keyring,
    /// Who is who.
    pub access: Access,
    /// What clients are given.
    pub handles: Handles,
    /// Where the end of handles is announced.
    pub revocations: Revocations,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// The sessions of all users. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    config: Config,
    database: Database,
    keyring: Keyring,
    access: Access,
    handles: Handles,
    revocations: Revocations,
    clock: SharedClock,
    random: SharedRandom,
    verifier: Arc<Verifier>,
}

impl Sessions {
    /// The sessions in this database.
    ///
    /// # Errors
    /// If the key under which secrets are looked up cannot be read, or the way to providers cannot be built.
    pub async fn build(config: Config, deps: Deps) -> Result<Self, BuildError> {
        let Deps {
            database,
            keyring,
            access,
            handles,
            revocations,
            clock,
            random,
        } = deps;
        keyring.mac(Owner::Service, Purpose::SessionPepper, &[]).await?;
        let verifier = Arc::new(Verifier::new(&config, clock.clone())?);
        Ok(Self {
            config,
            database,
            keyring,
            access,
            handles,
            revocations,
            clock,
            random,
            verifier,
        })
    }
}

/// Sessions cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The key under which secrets are looked up cannot be read.
    #[error("the secrets of sessions cannot be looked up")]
    Seal(#[from] hubkeep_seal::Error),
    /// The way to providers cannot be built.
    #[error("the providers that people sign in with cannot be reached")]
    Remote(#[from] RemoteError),
}
