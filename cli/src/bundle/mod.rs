//! Evidence bundles: a log's leaves with what was signed of them, in a folder that anybody can verify offline.
//!
//! | file | holds |
//! |---|---|
//! | `keys.txt` | the service's verifier keys (C2SP signed-note), one a line |
//! | `checkpoint` | the signed checkpoint of the log |
//! | `leaves` | every leaf in order, each after two bytes of length, as in an entry bundle of C2SP tlog-tiles |
//! | `head.json` | how the log stands in the log of heads, where it does: [`Head`] |
//! | `pruned.json` | where the leaves begin, and the hashes of what was pruned before, where something was: [`Pruned`] |
//! | `README.md` | what this is, and how to verify it |
//!
//! The logs of both services about a portal are two bundles, in folders named after the services, in one folder (`joined`).
//! Receipts that a client has kept of its writes are held against it from files of their own (`receipt`).
//!
//! [`verify`] computes everything anew and believes nothing but the keys. `docs/verify/verify.py` and
//! `clients/go/verify` do the same without our code.

mod check;
mod head;
mod joined;
mod keys;
mod leaves;
mod named;
mod pruned;
mod receipt;
mod roots;

pub use check::{Verified, verify};
pub use head::{Consistency, Head};
pub use joined::verify_all;
pub(crate) use keys::Keys;
pub use leaves::{LeafReader, LeafWriter};
pub use named::{Line, Named};
pub use pruned::Pruned;
pub use roots::Roots;

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error as ThisError;

/// The verifier keys.
pub const KEYS: &str = "keys.txt";
/// The checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// The leaves.
pub const LEAVES: &str = "leaves";
/// How the log stands in the heads.
pub const HEAD: &str = "head.json";
/// What was pruned of the log.
pub const PRUNED: &str = "pruned.json";
/// What it all is.
pub const README: &str = "README.md";

/// A bundle is not what was signed, or cannot be read.
#[derive(Debug, ThisError)]
pub enum Wrong {
    /// A file of it is not there.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what was signed.
    #[error("{what}: {problem}")]
    Unproven {
        /// The part at fault: "checkpoint", "leaves", "heads", or the checkpoint or receipt that is held.
        what: String,
        /// What does not fit.
        problem: String,
    },
}

impl Wrong {
    pub(crate) fn of(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Unproven {
            what: what.into(),
            problem: problem.into(),
        }
    }

    /// The same, said of one of several bundles.
    pub(super) fn in_bundle(self, folder: &Path) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        match self {
            Self::Unproven { what, problem } => Self::of(format!("{name}: {what}"), problem),
            other => other,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if source.kind() == io::ErrorKind::NotFound {
            return Self::Missing(path);
        }
        Self::Unreadable { path, source }
    }
}

/// The origin and the size that a checkpoint states, whoever has signed it.
pub(crate) fn stated(note: &str) -> Option<(String, u64)> {
    let note = signed_note::Note::from_bytes(note.as_bytes()).ok()?;
    let told = tlog_tiles::Checkpoint::from_bytes(note.text()).ok()?;
    Some((told.origin().to_owned(), told.size()))
}
