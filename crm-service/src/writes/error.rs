//! Why a write was not made, or its result not given.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error as ThisError;

use super::State;

/// A write that was not made, or whose result is not given.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The request id belongs to another write.
    #[error("the request id was used for other bytes, by call {call_id}")]
    Reused {
        /// That write's call.
        call_id: String,
    },
    /// The same write is under way.
    #[error("the same write is under way by call {call_id}")]
    UnderWay {
        /// That write's call.
        call_id: String,
    },
    /// It was sent before, and what became of it is still not known.
    #[error("the outcome of call {call_id} is still not known")]
    Unsettled {
        /// That write's call.
        call_id: String,
        /// Whether it may still be found out by reading.
        looked_for: bool,
    },
    /// An operator says something of a write that is not among those of unknown outcome.
    #[error("no write of unknown outcome is of call {call_id}")]
    NotListed {
        /// The call that was named.
        call_id: String,
        /// How far its write has come, if there is one.
        state: Option<State>,
    },
    /// An operator says that a write was not done, and HubSpot may still be at it.
    #[error("HubSpot may still be at call {call_id} for {wait:?}")]
    TooEarly {
        /// That write's call.
        call_id: String,
        /// How long.
        wait: Duration,
    },
    /// It was carried out, and what HubSpot answered was lost and cannot be read back.
    #[error("call {call_id} was carried out, and its answer is lost")]
    AnswerLost {
        /// That write's call.
        call_id: String,
    },
    /// The database failed.
    #[error("the account of writes failed")]
    Storage(#[from] database::Error),
    /// The keys could not be used.
    #[error("the keys of the account of writes could not be used")]
    Keys(#[from] hubkeep_seal::Error),
    /// The audit log could not be read or written.
    #[error(transparent)]
    Log(#[from] hubkeep_audit_log::Error),
    /// What is kept cannot be read: a defect.
    #[error("the account of a write cannot be read")]
    Unreadable(#[source] Option<serde_json::Error>),
    /// Others take and free the same write all the time.
    #[error("others take and free the same write all the time")]
    Contended,
}

/// What is under way has ended, or a database is back, after this.
const SOON: Duration = Duration::from_secs(1);

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(Some(error))
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Reused { .. } => ErrorKind::FailedPrecondition,
            Self::Unsettled { .. } | Self::AnswerLost { .. } => ErrorKind::Unknown,
            Self::NotListed { .. } => ErrorKind::NotFound,
            Self::UnderWay { .. }
            | Self::TooEarly { .. }
            | Self::Storage(_)
            | Self::Keys(_)
            | Self::Contended => ErrorKind::Unavailable,
            Self::Log(error) => error.kind(),
            Self::Unreadable(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Reused { .. } => ErrorReason::RequestIdReused,
            Self::Unsettled { .. } => ErrorReason::OutcomeUnknown,
            Self::AnswerLost { .. } => ErrorReason::WriteAnswerLost,
            Self::UnderWay { .. } | Self::TooEarly { .. } => ErrorReason::WriteUnderWay,
            Self::NotListed { .. } => ErrorReason::WriteNotListed,
            Self::Storage(_) | Self::Contended => ErrorReason::StorageUnavailable,
            Self::Keys(_) => ErrorReason::KeyUnavailable,
            Self::Log(error) => error.reason(),
            Self::Unreadable(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Reused { .. } => {
                "this request_id was used for another write: make a new one; nothing was sent".to_owned()
            }
            Self::UnderWay { .. } => {
                "this write is under way by an earlier request: ask again with the same bytes; nothing was sent for this one"
                    .to_owned()
            }
            Self::Unsettled { looked_for: true, .. } => {
                "it is still not known whether this write happened, and it was not sent again: it is looked for; ask again \
                 later with the same request_id, or look at the record"
                    .to_owned()
            }
            Self::Unsettled { .. } => {
                "whether this write happened cannot be found out by reading, and it was not sent again: look at the record, \
                 and have an operator settle it (hubkeep writes settle)"
                    .to_owned()
            }
            Self::NotListed { state: None, .. } => {
                "there is no such write in this portal: hubkeep writes list shows those of unknown outcome".to_owned()
            }
            Self::NotListed { .. } => {
                "the outcome of this write is known: there is nothing to settle (hubkeep writes list --state)".to_owned()
            }
            Self::TooEarly { wait, .. } => format!(
                "HubSpot may still be at this write: look at the record again in {} s, and settle it then",
                wait.as_millis().div_ceil(1_000)
            ),
            Self::AnswerLost { .. } => {
                "this write was carried out, and HubSpot's answer to it was lost: look at the record; it is not sent again"
                    .to_owned()
            }
            Self::Storage(_) | Self::Keys(_) | Self::Contended => {
                "whether this write was made before cannot be looked up, so nothing was sent: try again".to_owned()
            }
            Self::Log(error) => error.public_message(),
            Self::Unreadable(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Reused { call_id }
            | Self::UnderWay { call_id }
            | Self::TooEarly { call_id, .. }
            | Self::Unsettled { call_id, .. }
            | Self::AnswerLost { call_id } => vec![("call_id", call_id.clone())],
            Self::NotListed { call_id, state } => {
                let state = state.map(|state| ("state", state.name().to_owned()));
                [("call_id", call_id.clone())].into_iter().chain(state).collect()
            }
            Self::Log(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::UnderWay { .. } | Self::Storage(_) | Self::Keys(_) | Self::Contended => Some(SOON),
            Self::TooEarly { wait, .. } => Some(*wait),
            Self::Log(error) => error.retry_after(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_asked_again_says_when_and_what_is_unknown_never_does() {
        let call_id = || "a call".to_owned();
        let table = [
            (
                Error::Reused { call_id: call_id() },
                ErrorKind::FailedPrecondition,
                ErrorReason::RequestIdReused,
                false,
            ),
            (
                Error::UnderWay { call_id: call_id() },
                ErrorKind::Unavailable,
                ErrorReason::WriteUnderWay,
                true,
            ),
            (
                Error::Unsettled {
                    call_id: call_id(),
                    looked_for: true,
                },
                ErrorKind::Unknown,
                ErrorReason::OutcomeUnknown,
                false,
            ),
            (
                Error::Unsettled {
                    call_id: call_id(),
                    looked_for: false,
                },
                ErrorKind::Unknown,
                ErrorReason::OutcomeUnknown,
                false,
            ),
            (
                Error::NotListed {
                    call_id: call_id(),
                    state: Some(State::Done),
                },
                ErrorKind::NotFound,
                ErrorReason::WriteNotListed,
                false,
            ),
            (
                Error::TooEarly {
                    call_id: call_id(),
                    wait: SOON,
                },
                ErrorKind::Unavailable,
                ErrorReason::WriteUnderWay,
                true,
            ),
            (
                Error::from(sqlx::Error::PoolTimedOut),
                ErrorKind::Unavailable,
                ErrorReason::StorageUnavailable,
                true,
            ),
        ];
        for (error, kind, reason, again) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
            assert_eq!(error.retry_after().is_some(), again, "{error}");
        }
    }
}
