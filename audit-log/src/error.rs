//! What can go wrong with a log.

use std::{io, path::PathBuf, time::Duration};

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
    random::RandomError,
};
use thiserror::Error as ThisError;

use crate::{DatabaseError, Failure, HeirError, Position, anchors, proofs, spill};

/// A log could not be opened, written or read.
#[derive(Debug, ThisError)]
pub enum Error {
    /// What was about to be done could not be recorded, so it must not be done.
    #[error("nothing was recorded")]
    Unavailable(#[source] Failure),
    /// What was done is recorded as begun, but not yet how it ended: its answer must be withheld. The log keeps
    /// trying to write the outcome.
    #[error("the outcome was not recorded in time")]
    OutcomeNotRecorded(#[source] Failure),
    /// Events could not be read.
    #[error("the log could not be read")]
    Read(#[from] sqlx::Error),
    /// What is stored at this position is not an entry.
    #[error("what is stored at position {position} is not an entry")]
    Corrupt {
        /// Where.
        position: Position,
        /// What is wrong with it.
        source: prost::DecodeError,
    },
    /// The log is to be kept where it cannot be.
    #[error(
        "the log is kept in a SQLite file (sqlite://path/to/file.db) or in PostgreSQL (postgres://user@host:port/name)"
    )]
    NoSuchPlace,
    /// Another process writes to this log.
    #[error("another process writes to the log: {} is locked", .0.display())]
    InUse(PathBuf),
    /// The lock file beside the log could not be made.
    #[error("the lock of the log could not be taken: {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The entries could not be read one after the other.
    #[error("the entries of the log could not be read")]
    Entries(#[source] DatabaseError),
    /// The tables could not be brought up to date.
    #[error("the log's database could not be opened")]
    Open(#[from] database::Error),
    /// The writer's own connection could not be opened.
    #[error("the writer could not open the log's database: {0}")]
    OpenWriter(DatabaseError),
    /// The writer's thread could not be started.
    #[error("the writer's thread could not be started")]
    Thread(#[source] io::Error),
    /// What lost processes have left was not taken over.
    #[error("what lost processes have left was not taken over")]
    NotInherited(#[source] HeirError),
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A proof could not be made, or was not given.
    #[error(transparent)]
    Proofs(#[from] proofs::Error),
    /// What goes beside an entry could not be sealed, or not be opened.
    #[error("what lies sealed beside entries cannot be sealed or opened now")]
    Seal(#[from] hubkeep_seal::Error),
    /// What lies sealed beside an entry is not what the entry commits to, or is gone without a record.
    #[error("what is stored beside the entry at position {position} is not what was sealed with it")]
    PayloadAltered {
        /// Where.
        position: Position,
    },
    /// Nothing that lies sealed beside the entries of a log goes while it is held.
    #[error("the log {log} is held")]
    Held {
        /// Which.
        log: String,
    },
    /// This service opens nothing that lies sealed beside entries.
    #[error("no keys were given to open what lies sealed beside entries")]
    NoKeys,
    /// The places to anchor in cannot be set up.
    #[error(transparent)]
    Anchors(#[from] anchors::StartError),
    /// Outcomes cannot be kept on disk.
    #[error(transparent)]
    Spill(#[from] spill::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::OpenWriter(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_)
            | Self::OutcomeNotRecorded(_)
            | Self::Read(_)
            | Self::Entries(_)
            | Self::InUse(_)
            | Self::Lock { .. }
            | Self::Open(_)
            | Self::OpenWriter(_)
            | Self::Thread(_)
            | Self::NotInherited(_)
            | Self::Spill(_) => ErrorKind::Unavailable,
            Self::Corrupt { .. }
            | Self::NoSuchPlace
            | Self::Random(_)
            | Self::Anchors(_)
            | Self::PayloadAltered { .. }
            | Self::NoKeys => ErrorKind::Internal,
            Self::Held { .. } => ErrorKind::FailedPrecondition,
            Self::Proofs(error) => error.kind(),
            Self::Seal(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Unavailable(_) | Self::OutcomeNotRecorded(_) => ErrorReason::AuditUnavailable,
            Self::Read(_)
            | Self::Entries(_)
            | Self::InUse(_)
            | Self::Lock { .. }
            | Self::Open(_)
            | Self::OpenWriter(_)
            | Self::Thread(_)
            | Self::NotInherited(_)
            | Self::Spill(_) => ErrorReason::StorageUnavailable,
            Self::Corrupt { .. } | Self::NoSuchPlace | Self::Random(_) | Self::Anchors(_) | Self::NoKeys => {
                ErrorReason::Internal
            }
            Self::PayloadAltered { .. } => ErrorReason::PayloadAltered,
            Self::Held { .. } => ErrorReason::AuditHeld,
            Self::Proofs(error) => error.reason(),
            Self::Seal(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        let text = match self {
            Self::Unavailable(Failure::Unanchored(_)) => {
                "what is on record could not be anchored for too long, so nothing is written: reads go on; the operator must \
                 see that the places under audit.anchors take it"
            }
            Self::Unavailable(Failure::NoRoom(_)) => {
                "the disk of the audit log is nearly full, so nothing new is done: the operator must make room on it; it goes on by \
                 itself"
            }
            Self::Unavailable(Failure::Behind) => {
                "how earlier calls of this portal ended is not on record yet, so nothing new is done for it: try again"
            }
            Self::Unavailable(_) => {
                "the audit log could not record this in time, so it was not done: try again"
            }
            Self::OutcomeNotRecorded(_) => {
                "the audit log could not record how this ended, so the answer is withheld: it may have been done"
            }
            Self::Read(_)
            | Self::Entries(_)
            | Self::InUse(_)
            | Self::Lock { .. }
            | Self::Open(_)
            | Self::OpenWriter(_)
            | Self::Thread(_)
            | Self::NotInherited(_)
            | Self::Spill(_) => "the audit log cannot be reached now: try again",
            Self::Corrupt { .. } | Self::NoSuchPlace | Self::Random(_) | Self::Anchors(_) | Self::NoKeys => {
                "an internal error; the request id finds it"
            }
            Self::PayloadAltered { .. } => {
                "what is stored beside this entry is not what was sealed with it: somebody has changed the audit log's \
                 database, or it was restored in part; nothing of it is given"
            }
            Self::Held { log } => {
                return format!(
                    "{log} is under a legal hold: nothing that lies sealed beside its entries is erased until an operator \
                     releases it (hubkeep audit release)"
                );
            }
            Self::Proofs(error) => return error.public_message(),
            Self::Seal(error) => return error.public_message(),
        };
        text.to_owned()
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Proofs(error) => error.metadata(),
            Self::Seal(error) => error.metadata(),
            Self::PayloadAltered { position } => vec![("position", position.to_string())],
            Self::Held { log } => vec![("log", log.clone())],
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        if matches!(self, Self::Unavailable(Failure::Unanchored(_))) {
            return Some(Duration::from_secs(60));
        }
        // An outcome that is not recorded is no reason to do the thing again.
        matches!(self, Self::Unavailable(_) | Self::Read(_)).then_some(Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let sqlite = || rusqlite::Error::InvalidQuery;
        let io = || io::Error::other("full");
        let broken = prost::Message::decode([0xff_u8].as_slice());
        let broken: Result<crate::Entry, prost::DecodeError> = broken;
        let unavailable = (ErrorKind::Unavailable, ErrorReason::AuditUnavailable);
        let storage = (ErrorKind::Unavailable, ErrorReason::StorageUnavailable);
        let internal = (ErrorKind::Internal, ErrorReason::Internal);
        let table = [
            (Error::Unavailable(Failure::Stopped), unavailable),
            (
                Error::Unavailable(Failure::Unanchored(Duration::from_secs(90_000))),
                unavailable,
            ),
            (
                Error::Unavailable(Failure::Deadline(Duration::from_secs(2))),
                unavailable,
            ),
            (
                Error::OutcomeNotRecorded(Failure::Database(sqlite().into())),
                unavailable,
            ),
            (Error::Read(sqlx::Error::PoolClosed), storage),
            (Error::Entries(sqlite().into()), storage),
            (Error::InUse(PathBuf::from("audit.db.lock")), storage),
            (
                Error::Lock {
                    path: PathBuf::new(),
                    source: io(),
                },
                storage,
            ),
            (Error::Open(database::Error::Folder(io())), storage),
            (Error::from(sqlite()), storage),
            (Error::Thread(io()), storage),
            (Error::Unavailable(Failure::Behind), unavailable),
            (Error::Spill(spill::Error::Thread(io())), storage),
            (Error::NotInherited(Box::new(io())), storage),
            (
                Error::Corrupt {
                    position: Position(7),
                    source: broken.expect_err("not an entry"),
                },
                internal,
            ),
            (Error::NoSuchPlace, internal),
            (Error::NoKeys, internal),
            (
                Error::PayloadAltered {
                    position: Position(7),
                },
                (ErrorKind::Internal, ErrorReason::PayloadAltered),
            ),
            (
                Error::Held {
                    log: "a/b/7".to_owned(),
                },
                (ErrorKind::FailedPrecondition, ErrorReason::AuditHeld),
            ),
            (Error::Seal(hubkeep_seal::Error::Library), internal),
            (Error::Random(RandomError), internal),
            (Error::Anchors(anchors::StartError::NotSigned), internal),
        ];
        for (error, expected) in table {
            assert_eq!((error.kind(), error.reason()), expected, "{error}");
            assert!(!error.public_message().is_empty());
        }
    }

    #[test]
    fn nobody_is_told_to_repeat_what_may_have_been_done() {
        assert!(Error::Unavailable(Failure::Stopped).retry_after().is_some());
        assert!(
            Error::OutcomeNotRecorded(Failure::Stopped)
                .retry_after()
                .is_none()
        );
    }
}
