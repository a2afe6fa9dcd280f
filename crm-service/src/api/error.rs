//! Why a quota was not told, a report not made, or an alert not given.

use std::time::Duration;

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{CallerName, ClientSlug},
};
use thiserror::Error as ThisError;

use crate::{alerts, call, quota, reports};

/// A quota that is not told, a report that is not made, or an alert that is not given.
#[derive(Debug, ThisError)]
pub(super) enum Error {
    /// The handle, or the message, does not allow it.
    #[error(transparent)]
    Call(#[from] call::Error),
    /// No portal of this name was called through this process.
    #[error("no portal {0} was called through this process")]
    PortalUnknown(ClientSlug),
    /// The report is not made.
    #[error(transparent)]
    Report(#[from] reports::Error),
    /// Rules or alerts cannot be had.
    #[error(transparent)]
    Alerts(#[from] alerts::Error),
    /// It is for those with another role.
    #[error("{caller} has not the role {role}")]
    RoleMissing {
        /// Who asks.
        caller: CallerName,
        /// The role.
        role: &'static str,
        /// What was asked.
        grpc_service: &'static str,
    },
    /// What replicas know of each other's portals cannot be read, or told.
    #[error(transparent)]
    Quota(#[from] quota::ShareError),
    /// That it was told could not be recorded.
    #[error(transparent)]
    Log(#[from] hubkeep_audit_log::Error),
    /// The service stops.
    #[error("the service is stopping")]
    Stopping,
}

impl Error {
    /// The error that knows what the caller is told; `None` where this one knows it itself.
    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::Call(error) => Some(error),
            Self::Report(error) => Some(error),
            Self::Log(error) => Some(error),
            Self::Alerts(error) => Some(error),
            Self::PortalUnknown(_) | Self::RoleMissing { .. } | Self::Quota(_) | Self::Stopping => None,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::PortalUnknown(_) => ErrorKind::NotFound,
            Self::RoleMissing { .. } => ErrorKind::PermissionDenied,
            Self::Alerts(error) => error.kind(),
            Self::Quota(_) | Self::Stopping => ErrorKind::Unavailable,
            Self::Call(error) => error.kind(),
            Self::Report(error) => error.kind(),
            Self::Log(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::PortalUnknown(_) => ErrorReason::PortalUnknown,
            Self::RoleMissing { .. } => ErrorReason::CallerNotAllowed,
            Self::Alerts(error) => error.reason(),
            Self::Quota(_) => ErrorReason::StorageUnavailable,
            Self::Stopping => ErrorReason::Stopping,
            Self::Call(error) => error.reason(),
            Self::Report(error) => error.reason(),
            Self::Log(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::PortalUnknown(client_slug) => format!(
                "crm-service knows the quota of portals only that were called through it since it was started: make a \
                 call to {client_slug} first, or ask with a handle that allows QUOTA"
            ),
            Self::RoleMissing { caller, role, .. } => {
                format!("{caller} has not the role {role}: ask for it under [roles] of crm-service")
            }
            Self::Quota(_) => {
                "what other replicas know cannot be read or told, because the database fails: try again"
                    .to_owned()
            }
            Self::Stopping => "the service is stopping: try again".to_owned(),
            Self::Alerts(error) => error.public_message(),
            Self::Call(error) => error.public_message(),
            Self::Report(error) => error.public_message(),
            Self::Log(error) => error.public_message(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::PortalUnknown(client_slug) => vec![("client_slug", client_slug.to_string())],
            Self::RoleMissing {
                caller, grpc_service, ..
            } => vec![
                ("caller", caller.to_string()),
                ("grpc_service", (*grpc_service).to_owned()),
            ],
            _ => self.inner().map(ServiceError::metadata).unwrap_or_default(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Quota(_) | Self::Stopping => Some(Duration::from_secs(1)),
            _ => self.inner().and_then(ServiceError::retry_after),
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        self.inner()
            .map(ServiceError::field_violations)
            .unwrap_or_default()
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        self.inner().and_then(ServiceError::quota_violation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_kind_and_reason() {
        let stopped = hubkeep_audit_log::Error::Unavailable(hubkeep_audit_log::Failure::Stopped);
        let table = [
            (
                Error::Call(call::Error::TooLate),
                ErrorKind::DeadlineExceeded,
                ErrorReason::DeadlineTooShort,
            ),
            (
                Error::PortalUnknown("acme".parse().expect("valid")),
                ErrorKind::NotFound,
                ErrorReason::PortalUnknown,
            ),
            (
                Error::Log(stopped),
                ErrorKind::Unavailable,
                ErrorReason::AuditUnavailable,
            ),
            (
                Error::Alerts(alerts::Error::Lost),
                ErrorKind::Unavailable,
                ErrorReason::StorageUnavailable,
            ),
            (
                Error::RoleMissing {
                    caller: "operator/bob".parse().expect("valid"),
                    role: "fleet",
                    grpc_service: "a.S",
                },
                ErrorKind::PermissionDenied,
                ErrorReason::CallerNotAllowed,
            ),
            (
                Error::Quota(sqlx::Error::PoolTimedOut.into()),
                ErrorKind::Unavailable,
                ErrorReason::StorageUnavailable,
            ),
            (Error::Stopping, ErrorKind::Unavailable, ErrorReason::Stopping),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
            assert!(!error.public_message().is_empty());
        }
    }
}
