//! Why a call gave no reply.

use std::time::Duration;

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    random::RandomError,
};
use thiserror::Error as ThisError;
use tokio::task::JoinError;

use crate::{
    credentials,
    crm::{self, ObjectType},
    quota,
};

/// A call that gave no reply.
#[derive(Debug, ThisError)]
pub enum Error {
    /// What was asked cannot be asked.
    #[error(transparent)]
    Request(#[from] crm::Error),
    /// The handle gave no grant.
    #[error(transparent)]
    Handle(#[from] credentials::Error),
    /// The grant does not cover the call.
    #[error("{0}")]
    NotPermitted(Cause),
    /// The portal's budget has no room.
    #[error(transparent)]
    Quota(#[from] quota::Error),
    /// HubSpot gave no answer that can be used, or the call could not be recorded.
    #[error("{object_type}: {error}")]
    HubSpot {
        /// What became of it.
        #[source]
        error: hubkeep_hubspot::Error,
        /// The type of the records it was about.
        object_type: ObjectType,
    },
    /// The keys of this service cannot be used.
    #[error("the key for references to records cannot be used")]
    Keys(#[from] hubkeep_seal::Error),
    /// Nobody waits for the reply any more, and nothing was sent.
    #[error("the caller hung up before anything was sent")]
    CallerGone,
    /// The service stops, and nothing was sent.
    #[error("the service is stopping, and nothing was sent")]
    Stopping,
    /// Too little time is left to make the call, and nothing was sent.
    #[error("too little time is left to make the call")]
    TooLate,
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The answer is not one to what was asked: a defect.
    #[error("the answer is not one to what was asked")]
    WrongAnswer,
    /// The task that carried the call ended without a result: a defect.
    #[error("the task that carried the call was lost")]
    Lost(#[from] JoinError),
}

/// Another replica, or the next process, answers after this.
const SOON: Duration = Duration::from_millis(200);

/// In what a grant falls short.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum Cause {
    /// It is for another portal than the request names.
    #[error("the handle is for another portal than {requested}")]
    Portal {
        /// The slug in the request.
        requested: String,
    },
    /// It does not cover the operation on the type.
    #[error("the handle does not cover {operation} on {object_type}")]
    Operation {
        /// The operation.
        operation: &'static str,
        /// The type.
        object_type: String,
    },
    /// It does not cover a property that is written or compared.
    #[error("the handle does not cover the property {property}")]
    Property {
        /// The property.
        property: String,
    },
}

impl Cause {
    const fn reason(&self) -> ErrorReason {
        match self {
            Self::Portal { .. } => ErrorReason::PortalMismatch,
            Self::Operation { .. } => ErrorReason::OperationNotAllowed,
            Self::Property { .. } => ErrorReason::FieldNotAllowed,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Portal { requested } => vec![("requested_client_slug", requested.clone())],
            Self::Operation {
                operation,
                object_type,
            } => {
                vec![
                    ("operation", (*operation).to_owned()),
                    ("object_type", object_type.clone()),
                ]
            }
            Self::Property { property } => vec![("property", property.clone())],
        }
    }

    fn advice(&self) -> String {
        match self {
            Self::Portal { requested } => {
                format!("this handle is not for {requested}: nothing was sent; take a handle for {requested}")
            }
            Self::Operation {
                operation,
                object_type,
            } => {
                format!("this handle does not allow {operation} on {object_type}: take one that does")
            }
            Self::Property { property } => {
                format!("this handle does not allow the property {property} here: take one that does")
            }
        }
    }
}

impl Error {
    /// The error that knows what the caller is told; `None` where this one knows it itself.
    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::Request(error) => Some(error),
            Self::Handle(error) => Some(error),
            Self::Quota(error) => Some(error),
            Self::HubSpot { error, .. } => Some(error),
            Self::NotPermitted(_)
            | Self::Keys(_)
            | Self::CallerGone
            | Self::Stopping
            | Self::TooLate
            | Self::Random(_)
            | Self::WrongAnswer
            | Self::Lost(_) => None,
        }
    }

    /// Whether HubSpot may have received something. If not, it is a refusal, and is recorded as one.
    pub(super) const fn reached_hubspot(&self) -> bool {
        matches!(self, Self::HubSpot { .. } | Self::Lost(_))
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotPermitted(_) => ErrorKind::PermissionDenied,
            Self::Keys(_) | Self::CallerGone | Self::Stopping => ErrorKind::Unavailable,
            Self::TooLate => ErrorKind::DeadlineExceeded,
            _ => self.inner().map_or(ErrorKind::Internal, ServiceError::kind),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NotPermitted(cause) => cause.reason(),
            Self::Keys(_) => ErrorReason::KeyUnavailable,
            Self::CallerGone => ErrorReason::CallerGone,
            Self::Stopping => ErrorReason::Stopping,
            Self::TooLate => ErrorReason::DeadlineTooShort,
            _ => self.inner().map_or(ErrorReason::Internal, ServiceError::reason),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NotPermitted(cause) => cause.advice(),
            Self::TooLate => "the deadline leaves too little time to make the call: allow more".to_owned(),
            Self::Stopping => {
                "this service is stopping, and nothing was sent: send it again, to another".to_owned()
            }
            Self::Keys(_) => "the service's key cannot be used: an operator must look".to_owned(),
            _ => self.inner().map_or_else(
                || "an internal error; the request id finds it".to_owned(),
                ServiceError::public_message,
            ),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotPermitted(cause) => cause.metadata(),
            Self::HubSpot { error, object_type } => {
                let mut metadata = error.metadata();
                if matches!(
                    error.reason(),
                    ErrorReason::ObjectNotFound | ErrorReason::ObjectConflict
                ) {
                    metadata.push(("object_type", object_type.to_string()));
                }
                metadata
            }
            _ => self.inner().map(ServiceError::metadata).unwrap_or_default(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Stopping => Some(SOON),
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
    fn what_a_grant_lacks_has_its_own_reason_each() {
        let table = [
            (
                Cause::Portal {
                    requested: "globex".to_owned(),
                },
                ErrorReason::PortalMismatch,
                "requested_client_slug",
            ),
            (
                Cause::Operation {
                    operation: "GET",
                    object_type: "deals".to_owned(),
                },
                ErrorReason::OperationNotAllowed,
                "operation",
            ),
            (
                Cause::Property {
                    property: "email".to_owned(),
                },
                ErrorReason::FieldNotAllowed,
                "property",
            ),
        ];
        for (cause, reason, key) in table {
            let error = Error::NotPermitted(cause);
            assert_eq!(
                (error.kind(), error.reason()),
                (ErrorKind::PermissionDenied, reason)
            );
            assert!(error.metadata().iter().any(|(name, _)| *name == key), "{error}");
        }
    }

    #[test]
    fn inner_errors_speak_for_themselves() {
        let error = Error::from(credentials::Error::Invalid);
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, ErrorReason::HandleInvalid)
        );
        assert!(!error.reached_hubspot());
        assert_eq!(Error::WrongAnswer.reason(), ErrorReason::Internal);
    }

    #[test]
    fn a_call_that_a_stop_has_kept_from_being_sent_may_be_sent_again() {
        let error = Error::Stopping;
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unavailable, ErrorReason::Stopping)
        );
        assert!(error.retry_after().is_some() && !error.reached_hubspot());
    }
}
