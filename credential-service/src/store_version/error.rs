//! Why the store version could not be moved or told.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error;

/// The store version could not be moved, or the log could not be told.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed.
    #[error("the table of the store version failed")]
    Storage(#[from] database::Error),
    /// The log's database failed.
    #[error("the log could not be told of the store version, or asked")]
    Log(#[from] hubkeep_audit_log::Error),
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
            Self::Log(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Log(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Log(error) => error.public_message(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_audit_log::Failure;

    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let table = [
            (
                Error::from(sqlx::Error::PoolClosed),
                ErrorReason::StorageUnavailable,
            ),
            (
                Error::Log(hubkeep_audit_log::Error::Unavailable(Failure::Stopped)),
                ErrorReason::AuditUnavailable,
            ),
        ];
        for (error, reason) in table {
            assert_eq!(
                (error.kind(), error.reason()),
                (ErrorKind::Unavailable, reason),
                "{error}"
            );
        }
    }
}
