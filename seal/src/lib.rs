//! Envelope encryption with associated data.
//!
//! ```text
//! KEK, in versions (a file, or a key service)
//!  └─ wraps one key for each owner and purpose      table seal_key
//!      └─ wraps a fresh data key for each message    in the sealed bytes themselves
//!          └─ encrypts exactly one message           AES-256-GCM, random 96-bit nonce
//! ```
//!
//! What is sealed can be opened only at its own [`Place`]: table, column, row, portal, slug, kind and generation are
//! authenticated with it, so bytes copied to another row, or another portal's, do not open there.
//!
//! | file | holds |
//! |---|---|
//! | `place` | where a sealed value lies, as associated data |
//! | `keyring` | seal, open and mac: what users of this crate call |
//! | `unwrapped` | the keys in memory: how long they serve, and who asks for them |
//! | `mac_key` | a key that only macs, for whoever checks at every read |
//! | `destroy` | keys that shall be gone, with all that lies under them |
//! | `envelope` | the layout of sealed bytes |
//! | `key` | one 256-bit key: encrypt, decrypt, derive, commit |
//! | `config` | where the key-encryption keys are |
//! | `keks` | the versions of the key-encryption key: one wraps, the others still unwrap |
//! | `kek`, `sources` | what wraps keys, and the places where one may lie |
//! | [`remote`] | services of others: the door to them, and who we are there |
//! | `rewrap` | all keys brought to the current version, row by row |
//! | `status` | which version wrapped how many keys, and whether each can be used |
//! | `store` | the table of wrapped keys |

mod config;
mod destroy;
mod envelope;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod kek;
mod keks;
mod key;
mod keyring;
mod mac_key;
mod place;
pub mod remote;
mod rewrap;
mod sources;
mod status;
mod store;
mod unwrapped;

pub use config::{Config, KekConfig};
pub use error::Error;
pub use kek::{Kek, KekError};
pub use keks::{Keks, KeksError, Versioned, create_file, create_file_if_missing};
pub use keyring::Keyring;
pub use mac_key::MacKey;
pub use place::{Owner, Place, Purpose};
pub use rewrap::Progress;
pub use sources::{AwsKekConfig, FileKek, FileKekError, GcpKekConfig, VaultKekConfig};
pub use status::{Probe, Status, VersionStatus};

/// The migrations of this crate's table, for [`hubkeep_core::database::Database::open`].
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
