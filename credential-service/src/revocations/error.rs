//! Why the sequence of revocations could not be used.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error;

/// The sequence of revocations could not be read or written.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed.
    #[error("the table of revocations failed")]
    Storage(#[from] database::Error),
    /// Whoever asks has seen a newer state than this service has: an old database was restored, or this replica lags.
    #[error("the caller has seen revocation {seen}, and the newest here is {newest}")]
    Behind {
        /// What the caller has seen.
        seen: u64,
        /// What is here.
        newest: u64,
    },
    /// A revocation is missing or cannot be read: somebody altered the table.
    #[error("revocation {0} is missing or cannot be read")]
    Broken(u64),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(_) | Self::Behind { .. } => ErrorKind::Unavailable,
            Self::Broken(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Behind { .. } => ErrorReason::CredentialServiceUnavailable,
            Self::Broken(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Behind { .. } => {
                "this replica has not seen all revocations that the caller has: ask another, or later"
                    .to_owned()
            }
            Self::Broken(_) => "an internal error; the request id finds it".to_owned(),
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
                Error::from(sqlx::Error::PoolClosed),
                ErrorKind::Unavailable,
                ErrorReason::StorageUnavailable,
            ),
            (
                Error::Behind { seen: 2, newest: 1 },
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
            (Error::Broken(1), ErrorKind::Internal, ErrorReason::Internal),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        }
    }
}
