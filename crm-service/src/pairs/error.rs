//! Why there is no turn at a pair of records.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error as ThisError;

/// There is no turn. Nothing was sent.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Others had it until the deadline.
    #[error("others had the turn at a pair of records until the deadline")]
    Taken,
    /// The database failed.
    #[error("the turns at pairs of records failed")]
    Storage(#[from] database::Error),
    /// The database said nothing in time.
    #[error("the database of the turns at pairs of records does not answer")]
    Silent,
    /// The keys could not be used.
    #[error("the keys of the turns at pairs of records could not be used")]
    Keys(#[from] hubkeep_seal::Error),
}

/// A turn is over, or a database is back, after this.
const SOON: Duration = Duration::from_secs(1);

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Taken => ErrorReason::PairTaken,
            Self::Storage(_) | Self::Silent => ErrorReason::StorageUnavailable,
            Self::Keys(_) => ErrorReason::KeyUnavailable,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Taken => {
                "others change what these records are to each other, and were not done before the deadline: ask again; \
                 nothing was sent"
                    .to_owned()
            }
            Self::Storage(_) | Self::Silent | Self::Keys(_) => {
                "whether others change what these records are to each other cannot be found out, so nothing was sent: \
                 try again"
                    .to_owned()
            }
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(SOON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_turn_is_told_why_and_may_ask_again() {
        let table = [
            (Error::Taken, ErrorReason::PairTaken),
            (Error::Silent, ErrorReason::StorageUnavailable),
            (
                Error::from(database::Error::from(sqlx::Error::PoolTimedOut)),
                ErrorReason::StorageUnavailable,
            ),
        ];
        for (error, reason) in table {
            assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, reason));
            assert!(error.retry_after().is_some(), "{error}");
        }
    }
}
