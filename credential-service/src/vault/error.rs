//! Why a token could not be put into the vault, or taken out.

use hubkeep_core::error::{ErrorKind, ErrorReason, ServiceError};
use thiserror::Error;

use crate::secret_store;

/// A token could not be put into the vault, or taken out.
#[derive(Debug, Error)]
pub enum Error {
    /// The store of sealed secrets failed.
    #[error("the token could not be stored or found")]
    Store(#[from] secret_store::Error),
    /// It could not be sealed or opened.
    #[error("the token could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// What was opened is not a token.
    #[error("the secret {0} is not text")]
    NotText(String),
}

impl Error {
    /// Whether the token itself, or the portal's key, was altered or is gone, so that asking again does not help.
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, secret_store::Error::Missing(_)),
            Self::Seal(error) => error.is_unreadable(),
            Self::NotText(_) => true,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::NotText(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Store(error) => error.reason(),
            Self::Seal(error) => error.reason(),
            Self::NotText(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Store(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::NotText(_) => "an internal error; the request id finds it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let defect = (ErrorKind::Internal, ErrorReason::Internal);
        let table = [
            (Error::Store(secret_store::Error::Missing("x".to_owned())), defect),
            (Error::NotText("x".to_owned()), defect),
            (Error::Seal(hubkeep_seal::Error::Library), defect),
            (
                Error::Seal(hubkeep_seal::Error::KeyAltered {
                    key_id: "k".to_owned(),
                }),
                (ErrorKind::Unavailable, ErrorReason::KeyUnavailable),
            ),
        ];
        for (error, expected) in table {
            assert_eq!((error.kind(), error.reason()), expected, "{error}");
        }
    }
}
