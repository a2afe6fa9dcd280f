//! Envelope encryption with associated data.
//!
//! ```text
//! KEK (a file, later a key service)
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
//! | `envelope` | the layout of sealed bytes |
//! | `key` | one 256-bit key: encrypt, decrypt, derive, commit |
//! | `config` | where the key-encryption key is |
//! | `kek`, `file_kek` | what wraps keys, and the kind that lies in a file |
//! | `store` | the table of wrapped keys |

mod config;
mod envelope;
mod error;
mod file_kek;
mod kek;
mod key;
mod keyring;
mod place;
mod store;

pub use config::Config;
pub use error::Error;
pub use file_kek::{FileKek, FileKekError};
pub use kek::{Kek, KekError};
pub use keyring::Keyring;
pub use place::{Owner, Place, Purpose};

/// The migrations of this crate's table, for [`hubkeep_core::database::Database::open`].
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
