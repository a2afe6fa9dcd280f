//! Why sealed bytes could not be stored or found.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error;

/// Sealed bytes could not be stored or found.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed.
    #[error("the table of sealed secrets failed")]
    Storage(#[from] database::Error),
    /// There is nothing under this id, though something refers to it.
    #[error("there is no sealed secret {0}")]
    Missing(String),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(_) => ErrorKind::Unavailable,
            Self::Missing(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Missing(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Missing(_) => "an internal error; the request id finds it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let storage = Error::from(sqlx::Error::PoolClosed);
        assert_eq!(
            (storage.kind(), storage.reason()),
            (ErrorKind::Unavailable, ErrorReason::StorageUnavailable)
        );
        let missing = Error::Missing("x".to_owned());
        assert_eq!(
            (missing.kind(), missing.reason()),
            (ErrorKind::Internal, ErrorReason::Internal)
        );
    }
}
