//! Why rules or alerts cannot be had.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
};
use thiserror::Error as ThisError;

/// Rules or alerts that cannot be had now.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The database failed.
    #[error("the account of alerts failed")]
    Storage(#[from] database::Error),
    /// The audit log cannot be read.
    #[error(transparent)]
    Log(#[from] hubkeep_audit_log::Error),
    /// Another process evaluates by now.
    #[error("another replica evaluates the log by now")]
    Lost,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(_) | Self::Lost => ErrorKind::Unavailable,
            Self::Log(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) | Self::Lost => ErrorReason::StorageUnavailable,
            Self::Log(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Storage(_) | Self::Lost => {
                "the service cannot reach its account of alerts: try again".to_owned()
            }
            Self::Log(error) => error.public_message(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Log(error) => error.metadata(),
            Self::Storage(_) | Self::Lost => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Log(error) => error.retry_after(),
            Self::Storage(_) | Self::Lost => Some(Duration::from_secs(1)),
        }
    }
}
