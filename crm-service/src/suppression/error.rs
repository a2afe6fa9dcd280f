//! Why nobody can say whether an address is on the list.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error as ThisError;

/// The list could not be read or written.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The database failed.
    #[error("the list of erased contacts failed")]
    Storage(#[from] database::Error),
    /// The keys could not be used.
    #[error("the keys of the list of erased contacts could not be used")]
    Keys(#[from] hubkeep_seal::Error),
    /// What became of an erasure could not be read.
    #[error("what became of an erasure could not be read")]
    Writes(#[from] crate::writes::Error),
}

/// A database that is back answers after this.
const SOON: Duration = Duration::from_secs(1);

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Keys(_) => ErrorReason::KeyUnavailable,
            Self::Writes(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        "whether this contact was erased cannot be looked up, so nothing was written: try again".to_owned()
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(SOON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_cannot_be_read_refuses_the_write() {
        let error = Error::from(sqlx::Error::PoolTimedOut);
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unavailable, ErrorReason::StorageUnavailable)
        );
        assert!(error.retry_after().is_some());
    }
}
