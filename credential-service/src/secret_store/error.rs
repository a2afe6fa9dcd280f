//! Why sealed bytes could not be stored or found.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
    random::RandomError,
};
use hubkeep_seal::remote::RemoteError;
use thiserror::Error;

/// Sealed bytes could not be stored or found.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed.
    #[error("the table of sealed secrets failed")]
    Storage(#[from] database::Error),
    /// Another store failed.
    #[error("the secret store failed")]
    Outside(#[from] RemoteError),
    /// A secret rests in a store that this service was not configured with.
    #[error("a sealed secret rests at {0}, and no such store is configured under [secrets]")]
    NoSuchStore(String),
    /// There is nothing under this id, though something refers to it.
    #[error("there is no sealed secret {0}")]
    Missing(String),
    /// So much time passed since the bytes were written that they may be swept: they must be written again.
    #[error("the sealed secret {0} was written too long ago to be referred to")]
    TooLate(String),
    /// No randomness for a name.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(_) | Self::Outside(_) | Self::NoSuchStore(_) | Self::TooLate(_) => {
                ErrorKind::Unavailable
            }
            Self::Missing(_) | Self::Random(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Outside(_) | Self::NoSuchStore(_) | Self::TooLate(_) => ErrorReason::SecretStoreUnavailable,
            Self::Missing(_) | Self::Random(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Outside(_) | Self::NoSuchStore(_) | Self::TooLate(_) => {
                "the store of secrets cannot be used now: try again; the service's operators find why in its log"
                    .to_owned()
            }
            Self::Missing(_) | Self::Random(_) => "an internal error; the request id finds it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let unavailable = (ErrorKind::Unavailable, ErrorReason::SecretStoreUnavailable);
        let defect = (ErrorKind::Internal, ErrorReason::Internal);
        let name = || "x".to_owned();
        for (error, expected) in [
            (
                Error::from(sqlx::Error::PoolClosed),
                (ErrorKind::Unavailable, ErrorReason::StorageUnavailable),
            ),
            (Error::Outside(RemoteError::Taken), unavailable),
            (Error::NoSuchStore(name()), unavailable),
            (Error::TooLate(name()), unavailable),
            (Error::Missing(name()), defect),
            (Error::Random(RandomError), defect),
        ] {
            assert_eq!((error.kind(), error.reason()), expected, "{error}");
            assert!(!error.public_message().is_empty());
        }
    }
}
