//! Why something could not be sealed or opened.

use std::sync::Arc;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
    random::RandomError,
};
use thiserror::Error;

use crate::{
    kek::KekError,
    key::EncryptError,
    place::{Owner, Purpose},
};

/// Something could not be sealed or opened. No variant holds a secret.
#[derive(Debug, Error)]
pub enum Error {
    /// The table of keys did not answer.
    #[error("the table of keys failed")]
    Storage(#[from] database::Error),
    /// There is no key, though something was sealed with one: it was destroyed, or lies in another database.
    #[error("there is no {purpose} key of {owner}")]
    KeyMissing {
        /// Whose key.
        owner: Owner,
        /// For what.
        purpose: Purpose,
    },
    /// Another key-encryption key wrapped this key.
    #[error("key {key_id} was wrapped by {wrapped_by}, and this service was started with {present}")]
    OtherKek {
        /// The wrapped key.
        key_id: String,
        /// The key-encryption key it needs.
        wrapped_by: String,
        /// The one that is there.
        present: String,
    },
    /// A version of the key-encryption key wrapped this key that is too old, or that this service was not given.
    #[error(
        "key {key_id} was wrapped by version {version} of the key-encryption key, and this service has no such version \
         (the oldest it accepts is {oldest_accepted})"
    )]
    KekVersion {
        /// The wrapped key.
        key_id: String,
        /// The version it needs.
        version: u32,
        /// The oldest version that is accepted.
        oldest_accepted: u32,
    },
    /// The key-encryption key could not unwrap or wrap this key.
    #[error("key {key_id} cannot be used")]
    Kek {
        /// The wrapped key.
        key_id: String,
        /// Why.
        source: KekError,
    },
    /// What was unwrapped is not the key that was wrapped.
    #[error("key {key_id} is not the one that was committed to: its row was altered")]
    KeyAltered {
        /// The wrapped key.
        key_id: String,
    },
    /// The bytes were altered, or were sealed at another place.
    #[error("what lies in {table}.{column}, row {row}, was altered or does not belong there")]
    Broken {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: String,
    },
    /// No randomness for a key or nonce.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The cryptographic library would not encrypt.
    #[error("the cryptographic library refused to encrypt")]
    Library,
    /// What several who wanted the same key were told at once.
    #[error(transparent)]
    Shared(Arc<Error>),
}

impl Error {
    /// Whether what was sealed, or the key of a portal, was altered, moved or is gone: asking again does not help.
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::KeyMissing { owner, .. } => matches!(owner, Owner::Portal(_)),
            Self::KeyAltered { .. } | Self::Broken { .. } => true,
            Self::Kek { source, .. } => matches!(source, KekError::Refused),
            Self::Shared(error) => error.is_unreadable(),
            _ => false,
        }
    }

    /// What was told to one, or to several at once.
    pub(crate) fn shared(error: Arc<Self>) -> Self {
        Arc::try_unwrap(error).unwrap_or_else(Self::Shared)
    }
}

impl From<EncryptError> for Error {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::Random(error) => Self::Random(error),
            EncryptError::Library => Self::Library,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(_)
            | Self::KeyMissing { .. }
            | Self::OtherKek { .. }
            | Self::KekVersion { .. }
            | Self::Kek { .. }
            | Self::KeyAltered { .. } => ErrorKind::Unavailable,
            Self::Broken { .. } | Self::Random(_) | Self::Library => ErrorKind::Internal,
            Self::Shared(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::KeyMissing { .. }
            | Self::OtherKek { .. }
            | Self::KekVersion { .. }
            | Self::Kek { .. }
            | Self::KeyAltered { .. } => ErrorReason::KeyUnavailable,
            Self::Broken { .. } | Self::Random(_) | Self::Library => ErrorReason::Internal,
            Self::Shared(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        let message = match self.reason() {
            ErrorReason::StorageUnavailable => "the service's database did not answer: try again",
            ErrorReason::KeyUnavailable => {
                "the key that opens the vault cannot be used: the service's operators find why in its log"
            }
            _ => "an internal error; the request id finds it",
        };
        message.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let key_id = || "k".to_owned();
        let unusable = (ErrorKind::Unavailable, ErrorReason::KeyUnavailable);
        let defect = (ErrorKind::Internal, ErrorReason::Internal);
        let sql = database::Error::Sql(sqlx::Error::PoolClosed);
        let table = [
            (
                Error::Storage(sql),
                (ErrorKind::Unavailable, ErrorReason::StorageUnavailable),
            ),
            (
                Error::KeyMissing {
                    owner: Owner::Service,
                    purpose: Purpose::Credential,
                },
                unusable,
            ),
            (
                Error::OtherKek {
                    key_id: key_id(),
                    wrapped_by: key_id(),
                    present: key_id(),
                },
                unusable,
            ),
            (
                Error::KekVersion {
                    key_id: key_id(),
                    version: 1,
                    oldest_accepted: 2,
                },
                unusable,
            ),
            (
                Error::Kek {
                    key_id: key_id(),
                    source: KekError::Refused,
                },
                unusable,
            ),
            (Error::KeyAltered { key_id: key_id() }, unusable),
            (
                Error::Broken {
                    table: "t",
                    column: "c",
                    row: key_id(),
                },
                defect,
            ),
            (Error::Random(RandomError), defect),
            (Error::Library, defect),
            (
                Error::Shared(Arc::new(Error::KeyAltered { key_id: key_id() })),
                unusable,
            ),
        ];
        for (error, expected) in table {
            assert_eq!((error.kind(), error.reason()), expected, "{error}");
        }
    }
}
