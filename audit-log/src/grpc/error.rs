//! What a reader is refused, and why.

use std::time::Duration;

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, FieldViolation, ServiceError},
    handle_token::MalformedHandle,
    id::{CallerName, ClientSlug},
    random::RandomError,
};
use hubkeep_proto::audit::v1::audit_service_server;
use thiserror::Error as ThisError;

/// A reader was refused, or the log could not be read.
#[derive(Debug, ThisError)]
pub(crate) enum Error {
    /// No handle, or not a whole one.
    #[error("no handle: {0}")]
    HandleMalformed(#[from] MalformedHandle),
    /// An operator without the role that reads everything, and without a handle.
    #[error("{0} has not the role auditor")]
    NotAuditor(CallerName),
    /// A caller without the role that this takes.
    #[error("{caller} has not the role {role}")]
    WithoutRole {
        /// Who.
        caller: CallerName,
        /// Which.
        role: &'static str,
    },
    /// What no handle allows.
    #[error("what lies sealed beside entries is not for handles")]
    NotByHandle(&'static str),
    /// What was asked for failed, and that is on record.
    #[error(transparent)]
    Recorded(crate::Error),
    /// The time of the handle that opened the stream is over.
    #[error("the time of the stream's handle is over")]
    HandleOver,
    /// The handle opens another portal's log than the one asked for.
    #[error("the handle is for another portal than {requested}")]
    PortalMismatch {
        /// The slug asked for.
        requested: ClientSlug,
    },
    /// Fields that break their rules.
    #[error("{} of the request's fields are not valid", .0.len())]
    InvalidField(Vec<FieldViolation>),
    /// The page token was not given out for this request.
    #[error("the page token is not one for this request")]
    PageTokenInvalid,
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The authority refused the handle, or did not know.
    #[error("the handle was not granted reading: {0}")]
    NotGranted(Box<dyn ServiceError>),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] crate::Error),
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Error {
    /// One field that breaks its rule.
    pub(super) fn field(field: &str, description: &str) -> Self {
        Self::InvalidField(vec![FieldViolation {
            field: field.to_owned(),
            description: description.to_owned(),
        }])
    }

    /// The same about a request whose fields stand outside of a message of this name.
    pub(super) fn without_prefix(self, prefix: &str) -> Self {
        let Self::InvalidField(mut faults) = self else {
            return self;
        };
        for fault in &mut faults {
            if let Some(field) = fault.field.strip_prefix(prefix) {
                fault.field = field.to_owned();
            }
        }
        Self::InvalidField(faults)
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::HandleMalformed(_) | Self::HandleOver => ErrorKind::Unauthenticated,
            Self::NotAuditor(_)
            | Self::WithoutRole { .. }
            | Self::NotByHandle(_)
            | Self::PortalMismatch { .. } => ErrorKind::PermissionDenied,
            Self::InvalidField(_) | Self::PageTokenInvalid => ErrorKind::InvalidArgument,
            Self::Stopping => ErrorKind::Unavailable,
            Self::NotGranted(error) => error.kind(),
            Self::Log(error) | Self::Recorded(error) => error.kind(),
            Self::Random(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::HandleMalformed(_) => ErrorReason::HandleMalformed,
            Self::NotAuditor(_) | Self::WithoutRole { .. } => ErrorReason::CallerNotAllowed,
            Self::NotByHandle(_) => ErrorReason::OperationNotAllowed,
            Self::HandleOver => ErrorReason::HandleInvalid,
            Self::PortalMismatch { .. } => ErrorReason::PortalMismatch,
            Self::InvalidField(_) => ErrorReason::InvalidField,
            Self::PageTokenInvalid => ErrorReason::PageTokenInvalid,
            Self::Stopping => ErrorReason::Stopping,
            Self::NotGranted(error) => error.reason(),
            Self::Log(error) | Self::Recorded(error) => error.reason(),
            Self::Random(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::HandleMalformed(_) => {
                "send a whole handle as 'authorization: Bearer hk1_…': none came, or it was cut".to_owned()
            }
            Self::NotAuditor(caller) => {
                format!("{caller} has not the role auditor: ask for it under [roles], or come with a handle")
            }
            Self::WithoutRole { caller, role } => {
                format!("{caller} has not the role {role}: ask for it under [roles]")
            }
            Self::NotByHandle(_) => {
                "what lies sealed beside entries is opened and erased by operators only: come without a \
                                  handle"
                    .to_owned()
            }
            Self::HandleOver => {
                "take a new handle, and open another stream from the last position".to_owned()
            }
            Self::PortalMismatch { requested } => format!("the handle is not for {requested}"),
            Self::InvalidField(fields) => {
                let told = fields
                    .iter()
                    .map(|fault| format!("{}: {}", fault.field, fault.description));
                told.collect::<Vec<_>>().join("; ")
            }
            Self::PageTokenInvalid => {
                "this page token was not given out for this request: begin with the first page".to_owned()
            }
            Self::Stopping => "the service is stopping: try again".to_owned(),
            Self::NotGranted(error) => error.public_message(),
            Self::Log(error) | Self::Recorded(error) => error.public_message(),
            Self::Random(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::PortalMismatch { requested } => vec![("requested_client_slug", requested.to_string())],
            Self::NotAuditor(caller) => vec![
                ("caller", caller.to_string()),
                ("grpc_service", audit_service_server::SERVICE_NAME.to_owned()),
            ],
            Self::NotByHandle(operation) => vec![("operation", (*operation).to_owned())],
            Self::WithoutRole { caller, .. } => vec![
                ("caller", caller.to_string()),
                ("grpc_service", audit_service_server::SERVICE_NAME.to_owned()),
            ],
            Self::NotGranted(error) => error.metadata(),
            Self::Log(error) | Self::Recorded(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Stopping => Some(Duration::from_secs(1)),
            Self::NotGranted(error) => error.retry_after(),
            Self::Log(error) | Self::Recorded(error) => error.retry_after(),
            _ => None,
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::InvalidField(fields) => fields.clone(),
            Self::NotGranted(error) => error.field_violations(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_kind_and_reason() {
        let table = [
            (
                Error::HandleMalformed(MalformedHandle),
                ErrorKind::Unauthenticated,
                ErrorReason::HandleMalformed,
            ),
            (
                Error::NotAuditor("operator/bob".parse().expect("valid")),
                ErrorKind::PermissionDenied,
                ErrorReason::CallerNotAllowed,
            ),
            (
                Error::WithoutRole {
                    caller: "operator/bob".parse().expect("valid"),
                    role: "fleet",
                },
                ErrorKind::PermissionDenied,
                ErrorReason::CallerNotAllowed,
            ),
            (
                Error::NotByHandle("OPEN_PAYLOAD"),
                ErrorKind::PermissionDenied,
                ErrorReason::OperationNotAllowed,
            ),
            (
                Error::Recorded(crate::Error::NoKeys),
                ErrorKind::Internal,
                ErrorReason::Internal,
            ),
            (
                Error::HandleOver,
                ErrorKind::Unauthenticated,
                ErrorReason::HandleInvalid,
            ),
            (
                Error::PortalMismatch {
                    requested: "acme".parse().expect("valid"),
                },
                ErrorKind::PermissionDenied,
                ErrorReason::PortalMismatch,
            ),
            (
                Error::field("page_size", "rule"),
                ErrorKind::InvalidArgument,
                ErrorReason::InvalidField,
            ),
            (
                Error::PageTokenInvalid,
                ErrorKind::InvalidArgument,
                ErrorReason::PageTokenInvalid,
            ),
            (Error::Stopping, ErrorKind::Unavailable, ErrorReason::Stopping),
            (
                Error::NotGranted(Box::new(Error::HandleOver)),
                ErrorKind::Unauthenticated,
                ErrorReason::HandleInvalid,
            ),
            (
                Error::Log(crate::Error::Unavailable(crate::Failure::Stopped)),
                ErrorKind::Unavailable,
                ErrorReason::AuditUnavailable,
            ),
            (
                Error::Random(RandomError),
                ErrorKind::Internal,
                ErrorReason::Internal,
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
            assert!(!error.public_message().is_empty());
        }
    }

    #[test]
    fn the_field_at_fault_is_named() {
        let error = Error::field("filter.call_id", "must be a UUID");
        assert_eq!(error.field_violations()[0].field, "filter.call_id");
        assert!(Error::Stopping.retry_after().is_some());
    }
}
