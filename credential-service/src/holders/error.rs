//! What an act on a holder of handles can end with.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error;

use crate::revocations;

/// A holder could not be read, contained or lifted.
#[derive(Debug, Error)]
pub enum Error {
    /// It is not contained.
    #[error("{0} is not contained")]
    NotContained(String),
    /// Its row cannot be read: somebody altered it.
    #[error("the row of {0} cannot be read")]
    Unreadable(String),
    /// The feed failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// The database failed.
    #[error("the table of holders failed")]
    Storage(#[from] database::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotContained(_) => ErrorKind::NotFound,
            Self::Unreadable(_) => ErrorKind::Internal,
            Self::Revocations(error) => error.kind(),
            Self::Storage(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NotContained(_) => ErrorReason::ContainmentUnknown,
            Self::Unreadable(_) => ErrorReason::Internal,
            Self::Revocations(error) => error.reason(),
            Self::Storage(_) => ErrorReason::StorageUnavailable,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NotContained(holder) => format!("{holder} is not contained"),
            Self::Unreadable(_) => "an internal error; the request id finds it".to_owned(),
            Self::Revocations(error) => error.public_message(),
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotContained(holder) => vec![("target", holder.clone())],
            Self::Revocations(error) => error.metadata(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let table = [
            (
                Error::NotContained("caller x".to_owned()),
                (ErrorKind::NotFound, "CONTAINMENT_UNKNOWN"),
            ),
            (
                Error::Unreadable("caller x".to_owned()),
                (ErrorKind::Internal, "INTERNAL"),
            ),
            (
                Error::Revocations(revocations::Error::Broken(1)),
                (ErrorKind::Internal, "INTERNAL"),
            ),
            (
                Error::from(sqlx::Error::PoolClosed),
                (ErrorKind::Unavailable, "STORAGE_UNAVAILABLE"),
            ),
        ];
        for (error, expected) in table {
            assert_eq!((error.kind(), error.reason().wire_name()), expected, "{error}");
        }
    }
}
