//! Why there is no report.

use std::time::Duration;

use hubkeep_core::error::{ErrorKind, ErrorReason, FieldViolation, ServiceError};
use hubkeep_core::id::{ClientSlug, PortalId};
use thiserror::Error as ThisError;

use crate::credentials;

/// A report that was not made.
#[derive(Debug, ThisError)]
pub enum Error {
    /// credential-service does not let the reader have it, or does not answer.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// There is no such portal.
    #[error("there is no portal {0}")]
    PortalUnknown(ClientSlug),
    /// The portal has another id than is expected.
    #[error("portal {client_slug} has not the id {expected}")]
    AnotherPortal {
        /// Its slug.
        client_slug: ClientSlug,
        /// What is expected.
        expected: PortalId,
    },
    /// This service's log cannot be read.
    #[error(transparent)]
    Log(#[from] hubkeep_audit_log::Error),
    /// A stated position lies beyond the end of this service's log.
    #[error("position {0} lies beyond the end of the log")]
    BeyondTheEnd(u64),
    /// The logs could not be read in time.
    #[error("the logs could not be read in time")]
    TooLate,
    /// It has no such part.
    #[error("the report has {parts} parts")]
    NoSuchPart {
        /// How many it has.
        parts: usize,
    },
    /// It is longer than reports may be.
    #[error("a report of {bytes} bytes is longer than reports may be")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// It cannot be written: a defect.
    #[error("the report cannot be written: {0}")]
    Unwritten(String),
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Unwritten(error.to_string())
    }
}

impl From<::csv::Error> for Error {
    fn from(error: ::csv::Error) -> Self {
        Self::Unwritten(error.to_string())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Credentials(error) => error.kind(),
            Self::Log(error) => error.kind(),
            Self::PortalUnknown(_) => ErrorKind::NotFound,
            Self::AnotherPortal { .. } => ErrorKind::PermissionDenied,
            Self::BeyondTheEnd(_) | Self::NoSuchPart { .. } | Self::TooLong { .. } => {
                ErrorKind::InvalidArgument
            }
            Self::TooLate => ErrorKind::DeadlineExceeded,
            Self::Unwritten(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Credentials(error) => error.reason(),
            Self::Log(error) => error.reason(),
            Self::PortalUnknown(_) => ErrorReason::PortalUnknown,
            Self::AnotherPortal { .. } => ErrorReason::PortalMismatch,
            Self::BeyondTheEnd(_) | Self::NoSuchPart { .. } | Self::TooLong { .. } => {
                ErrorReason::InvalidField
            }
            Self::TooLate => ErrorReason::DeadlineTooShort,
            Self::Unwritten(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Credentials(error) => error.public_message(),
            Self::Log(error) => error.public_message(),
            Self::PortalUnknown(slug) => {
                format!("there is no portal {slug}: look for its slug in the list of portals")
            }
            Self::AnotherPortal {
                client_slug,
                expected,
            } => {
                format!("portal {client_slug} has not the id {expected}: check which portal you mean")
            }
            Self::BeyondTheEnd(_) => {
                "scope.as_of: lies beyond the end of the log: take it from an earlier report".to_owned()
            }
            Self::TooLate => {
                "the logs could not be read in time: ask for a shorter period, or allow more time".to_owned()
            }
            Self::NoSuchPart { parts } => {
                format!("scope.part: the report has {parts} parts: ask for one from 1 to {parts}")
            }
            Self::TooLong { .. } => {
                "scope: the report is longer than 64 MiB: ask for a shorter period".to_owned()
            }
            Self::Unwritten(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Credentials(error) => error.metadata(),
            Self::Log(error) => error.metadata(),
            Self::PortalUnknown(slug) => vec![("client_slug", slug.to_string())],
            Self::AnotherPortal { expected, .. } => vec![("expected_portal_id", expected.to_string())],
            _ => Vec::new(),
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        let (field, description) = match self {
            Self::BeyondTheEnd(_) => ("scope.as_of", "lies beyond the end of the log"),
            Self::NoSuchPart { .. } => ("scope.part", "the report has not so many parts"),
            Self::TooLong { .. } => ("scope", "the report is longer than 64 MiB"),
            _ => return Vec::new(),
        };
        vec![FieldViolation {
            field: field.to_owned(),
            description: description.to_owned(),
        }]
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Credentials(error) => error.retry_after(),
            Self::Log(error) => error.retry_after(),
            _ => None,
        }
    }
}
