//! What can go wrong with proofs.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error as ThisError;

use super::key::LogKeyError;
use crate::DatabaseError;

/// A proof could not be made, or was not given.
#[derive(Debug, ThisError)]
pub enum Error {
    /// What is stored is not what it was made to be: somebody has changed it.
    #[error("the log {log} is damaged: {problem}")]
    Damaged {
        /// Which log.
        log: String,
        /// What does not fit.
        problem: String,
    },
    /// There is a checkpoint of this size with another root: two histories of one log.
    #[error("the log {log} has a checkpoint of {size} entries with another root: nothing is signed any more")]
    Forked {
        /// Which log.
        log: String,
        /// The size.
        size: u64,
    },
    /// No such checkpoint, or no such entry in it.
    #[error("{log}: {problem}")]
    Unknown {
        /// Which log.
        log: String,
        /// The size of its newest checkpoint.
        newest_size: u64,
        /// What there is not.
        problem: String,
    },
    /// The entry was older than entries are kept, and is gone.
    #[error("{log}: the entries with an index below {first_index} were pruned")]
    Pruned {
        /// Which log.
        log: String,
        /// The index of the first entry that is there.
        first_index: u64,
    },
    /// Nothing is signed here.
    #[error("the service has no log key")]
    Off,
    /// The log key cannot be used.
    #[error(transparent)]
    Key(#[from] LogKeyError),
    /// The database failed.
    #[error("the tables of proofs could not be read or written")]
    Sql(#[from] sqlx::Error),
    /// The entries could not be read.
    #[error("the entries of the log could not be read")]
    Entries(#[from] DatabaseError),
    /// A transaction failed.
    #[error("the tables of proofs could not be read or written")]
    Database(#[from] database::Error),
}

impl Error {
    pub(super) fn damaged(log: &str, problem: impl Into<String>) -> Self {
        Self::Damaged {
            log: log.to_owned(),
            problem: problem.into(),
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Damaged { .. } | Self::Forked { .. } => ErrorKind::Internal,
            Self::Unknown { .. } | Self::Pruned { .. } => ErrorKind::NotFound,
            Self::Off | Self::Key(_) => ErrorKind::FailedPrecondition,
            Self::Sql(_) | Self::Entries(_) | Self::Database(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Damaged { .. } | Self::Forked { .. } => ErrorReason::AuditDamaged,
            Self::Unknown { .. } => ErrorReason::ProofUnknown,
            Self::Pruned { .. } => ErrorReason::AuditPruned,
            Self::Off | Self::Key(_) => ErrorReason::ProofsOff,
            Self::Sql(_) | Self::Entries(_) | Self::Database(_) => ErrorReason::StorageUnavailable,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Damaged { log, .. } | Self::Forked { log, .. } => {
                format!(
                    "what is stored of {log} is not what was signed: keep what you hold, and tell the operator"
                )
            }
            Self::Unknown { problem, .. } => problem.clone(),
            Self::Pruned { first_index, .. } => format!(
                "the entry was older than entries are kept, and is gone: ask by its index, or for one from {first_index} on"
            ),
            Self::Off | Self::Key(_) => {
                "this service signs no checkpoints: give it a log key under [audit.proofs]".to_owned()
            }
            Self::Sql(_) | Self::Entries(_) | Self::Database(_) => {
                "the audit log cannot be reached now: try again".to_owned()
            }
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Damaged { log, .. } | Self::Forked { log, .. } => vec![("log", log.clone())],
            Self::Pruned { log, first_index } => {
                vec![("log", log.clone()), ("first_index", first_index.to_string())]
            }
            Self::Unknown { log, newest_size, .. } => {
                vec![("log", log.clone()), ("newest_size", newest_size.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_reason_and_metadata() {
        let log = || "a/b/1".to_owned();
        let unknown = Error::Unknown {
            log: log(),
            newest_size: 7,
            problem: "none".to_owned(),
        };
        let forked = Error::Forked { log: log(), size: 7 };
        let table = [
            (
                Error::damaged("a/b/1", "x"),
                ErrorKind::Internal,
                ErrorReason::AuditDamaged,
                1,
            ),
            (forked, ErrorKind::Internal, ErrorReason::AuditDamaged, 1),
            (unknown, ErrorKind::NotFound, ErrorReason::ProofUnknown, 2),
            (
                Error::Pruned {
                    log: log(),
                    first_index: 256,
                },
                ErrorKind::NotFound,
                ErrorReason::AuditPruned,
                2,
            ),
            (
                Error::Off,
                ErrorKind::FailedPrecondition,
                ErrorReason::ProofsOff,
                0,
            ),
            (
                Error::Sql(sqlx::Error::PoolClosed),
                ErrorKind::Unavailable,
                ErrorReason::StorageUnavailable,
                0,
            ),
        ];
        for (error, kind, reason, metadata) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
            assert_eq!(error.metadata().len(), metadata, "{error}");
            assert!(!error.public_message().is_empty());
        }
    }
}
