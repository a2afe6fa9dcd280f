//! Proofs over the logs, made beside the call path: nobody who appends waits for anything here.
//!
//! | file | holds |
//! |---|---|
//! | `config`, `key` | how often, and the key that signs |
//! | `task`, `wanted` | when: the background work of one process, or because somebody waits for it |
//! | `build` | entries into trees |
//! | `sign` | trees into checkpoints |
//! | `heads` | checkpoints into the log of heads |
//! | `named` | what each leaf of the heads named |
//! | `read` | checkpoints and proofs out again |
//! | `receipt` | what binds the service to one entry before a checkpoint does |
//! | `pruned` | what trees still say of leaves that are gone |
//! | `edge`, `tiles` | a tree while it grows; a tree that is asked |
//! | `store` | the tables, in SQL that every database understands |
//!
//! All arithmetic of Merkle trees, tiles and notes is that of the crates `tlog_tiles` and `signed_note`.

mod build;
mod config;
mod edge;
mod error;
mod heads;
mod key;
mod named;
mod pruned;
mod read;
mod receipt;
mod sign;
mod store;
mod task;
mod tiles;
mod wanted;

pub use config::Config;
pub use error::Error;
pub use heads::Line;
pub use key::LogKeyError;
pub use named::Named;
pub use read::{Checkpoint, Consistency, Head, Inclusion, Which};
pub use receipt::Receipt;

pub(crate) use key::{LogKeys, make as make_key};
pub(crate) use receipt::Statement;
pub(crate) use task::Prover;
pub(crate) use wanted::Wanted;

use std::sync::Arc;

use hubkeep_core::database::Database;
use tlog_tiles::Hash;

use crate::{Identity, Position, store::StoredEntry};

/// Reads what was proven.
#[derive(Clone, Debug)]
pub(crate) struct Proofs {
    database: Database,
    identity: Identity,
    /// What this process signs with, if it signs.
    keys: Option<Arc<LogKeys>>,
    wanted: Wanted,
}

impl Proofs {
    pub(crate) fn new(database: Database, identity: Identity, keys: Option<Arc<LogKeys>>) -> Self {
        Self {
            database,
            identity,
            keys,
            wanted: Wanted::default(),
        }
    }

    /// By which a checkpoint is asked for before its time.
    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Whether this process signs.
    pub(crate) const fn are_signed(&self) -> bool {
        self.keys.is_some()
    }

    /// The entry at a position, as it is stored; `None` where none is.
    pub(crate) async fn entry_at(&self, position: Position) -> Result<Option<StoredEntry>, Error> {
        store::entry_at(&self.database, position.get()).await
    }

    /// A text as a note that this service has signed; `None` where it signs nothing, or if the text can be no note's.
    pub(crate) fn sign(&self, text: &str) -> Option<String> {
        self.keys.as_ref()?.sign(text.as_bytes())
    }
}

/// A tree of this size and root.
#[derive(Clone, Debug)]
struct Tree {
    log: String,
    size: u64,
    root: Hash,
}

/// Numbers that databases keep as BIGINT.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn read_back(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
