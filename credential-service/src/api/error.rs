//! What a method is refused with: by the form of its request, or by a room.

use std::time::Duration;

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::CallerName,
    random::RandomError,
};
use thiserror::Error;

use crate::{access, connections, fleet, handles, portals, revocations, rotation, sessions};

/// A method was refused.
#[derive(Debug, Error)]
pub enum Error {
    /// Fields of the request break their rules.
    #[error("fields that are not valid: {}", fields(.0))]
    Fields(Vec<FieldViolation>),
    /// What was sent as a handle is not one.
    #[error("what was sent is not a whole handle")]
    HandleMalformed,
    /// The page token was not given out for this request.
    #[error("the page token is not one for this request")]
    PageToken,
    /// Somebody who is no operator asked for the handles of others.
    #[error("{0} asked for the handles of others")]
    OthersHandles(CallerName),
    /// The other service asks for somebody who may not read everything.
    #[error("{0} has not the role auditor here")]
    NoAuditor(CallerName),
    /// The other service asked for more than to contain.
    #[error("{0} may contain, and nothing else of containments")]
    ContainsOnly(CallerName),
    /// Somebody else than the other service asked what only its pages ask.
    #[error("{0} asked what only the other service asks")]
    PeerOnly(CallerName),
    /// The room of sessions refused.
    #[error(transparent)]
    Sessions(#[from] sessions::Error),
    /// The room of connections refused.
    #[error(transparent)]
    Connections(#[from] connections::Error),
    /// The room of portals refused.
    #[error(transparent)]
    Portals(#[from] portals::Error),
    /// The room of handles refused.
    #[error(transparent)]
    Handles(#[from] handles::Error),
    /// The room of access refused.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// The room of the fleet refused.
    #[error(transparent)]
    Fleet(#[from] fleet::Error),
    /// The room of revocations refused.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// The room of rotations refused.
    #[error(transparent)]
    Rotation(#[from] rotation::Error),
    /// The entry of the act could not be written, so its answer is withheld.
    #[error("the entry could not be written")]
    Audit(#[from] hubkeep_audit_log::Error),
    /// The service stops, and with it what would go on for ever.
    #[error("the service is stopping")]
    Stopping,
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The task that worked on the request broke off.
    #[error("the task broke off")]
    BrokeOff(#[from] tokio::task::JoinError),
}

/// Another replica, or the next process, answers after this.
const SOON: Duration = Duration::from_millis(200);

impl Error {
    /// One field that breaks its rule.
    pub(super) fn field(field: &str, rule: impl Into<String>) -> Self {
        Self::Fields(vec![FieldViolation {
            field: field.to_owned(),
            description: rule.into(),
        }])
    }

    /// The room's own error, where a room refused.
    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::Sessions(error) => Some(error),
            Self::Connections(error) => Some(error),
            Self::Portals(error) => Some(error),
            Self::Handles(error) => Some(error),
            Self::Access(error) => Some(error),
            Self::Fleet(error) => Some(error),
            Self::Revocations(error) => Some(error),
            Self::Rotation(error) => Some(error),
            Self::Audit(error) => Some(error),
            Self::Fields(_)
            | Self::HandleMalformed
            | Self::PageToken
            | Self::OthersHandles(_)
            | Self::NoAuditor(_)
            | Self::ContainsOnly(_)
            | Self::PeerOnly(_)
            | Self::Stopping
            | Self::Random(_)
            | Self::BrokeOff(_) => None,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Fields(_) | Self::PageToken => ErrorKind::InvalidArgument,
            Self::HandleMalformed => ErrorKind::Unauthenticated,
            Self::OthersHandles(_) | Self::NoAuditor(_) | Self::ContainsOnly(_) | Self::PeerOnly(_) => {
                ErrorKind::PermissionDenied
            }
            Self::Stopping => ErrorKind::Unavailable,
            Self::Random(_) | Self::BrokeOff(_) => ErrorKind::Internal,
            Self::Sessions(error) => error.kind(),
            Self::Connections(error) => error.kind(),
            Self::Portals(error) => error.kind(),
            Self::Handles(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Fleet(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Rotation(error) => error.kind(),
            Self::Audit(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Fields(_) => ErrorReason::InvalidField,
            Self::HandleMalformed => ErrorReason::HandleMalformed,
            Self::PageToken => ErrorReason::PageTokenInvalid,
            Self::OthersHandles(_) | Self::NoAuditor(_) | Self::ContainsOnly(_) | Self::PeerOnly(_) => {
                ErrorReason::CallerNotAllowed
            }
            Self::Stopping => ErrorReason::Stopping,
            Self::Random(_) | Self::BrokeOff(_) => ErrorReason::Internal,
            Self::Sessions(error) => error.reason(),
            Self::Connections(error) => error.reason(),
            Self::Portals(error) => error.reason(),
            Self::Handles(error) => error.reason(),
            Self::Access(error) => error.reason(),
            Self::Fleet(error) => error.reason(),
            Self::Revocations(error) => error.reason(),
            Self::Rotation(error) => error.reason(),
            Self::Audit(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Fields(violations) => fields(violations),
            Self::HandleMalformed => {
                "this is not a whole handle: hk1_, 43 characters, _ and 6 more; it may have been cut"
                    .to_owned()
            }
            Self::OthersHandles(caller) => {
                format!(
                    "{caller} has not the role fleet, and may list its own handles only: leave caller out"
                )
            }
            Self::NoAuditor(operator) => {
                format!(
                    "{operator} has not the role auditor at credential-service: give it there, in [roles]"
                )
            }
            Self::ContainsOnly(caller) => {
                format!("{caller} may contain, and nothing else of containments: an operator does that")
            }
            Self::PeerOnly(caller) => {
                format!("{caller} is not the service that has the pages: only that one asks this")
            }
            Self::PageToken => {
                "the page token was not given out for this request: begin without one".to_owned()
            }
            Self::Stopping => {
                "the service is stopping: go on with another, or with this one again".to_owned()
            }
            Self::Random(_) | Self::BrokeOff(_) => "an internal error; the request id finds it".to_owned(),
            Self::Sessions(error) => error.public_message(),
            Self::Connections(error) => error.public_message(),
            Self::Portals(error) => error.public_message(),
            Self::Handles(error) => error.public_message(),
            Self::Access(error) => error.public_message(),
            Self::Fleet(error) => error.public_message(),
            Self::Revocations(error) => error.public_message(),
            Self::Rotation(error) => error.public_message(),
            Self::Audit(error) => error.public_message(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::OthersHandles(caller)
            | Self::NoAuditor(caller)
            | Self::ContainsOnly(caller)
            | Self::PeerOnly(caller) => {
                vec![("caller", caller.to_string())]
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
        match self {
            Self::Fields(violations) => violations.clone(),
            _ => self
                .inner()
                .map(ServiceError::field_violations)
                .unwrap_or_default(),
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        self.inner().and_then(ServiceError::quota_violation)
    }
}

fn fields(violations: &[FieldViolation]) -> String {
    let lines = violations
        .iter()
        .map(|one| format!("{}: {}", one.field, one.description));
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use hubkeep_audit_log::Failure;

    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let behind = || revocations::Error::Behind { seen: 2, newest: 1 };
        let unavailable = hubkeep_audit_log::Error::Unavailable(Failure::Stopped);
        let table = [
            (
                Error::field("a", "b"),
                ErrorKind::InvalidArgument,
                "INVALID_FIELD",
            ),
            (
                Error::HandleMalformed,
                ErrorKind::Unauthenticated,
                "HANDLE_MALFORMED",
            ),
            (
                Error::OthersHandles("sync".parse().expect("valid")),
                ErrorKind::PermissionDenied,
                "CALLER_NOT_ALLOWED",
            ),
            (
                Error::NoAuditor("operator/ann".parse().expect("valid")),
                ErrorKind::PermissionDenied,
                "CALLER_NOT_ALLOWED",
            ),
            (
                Error::PeerOnly("operator/ann".parse().expect("valid")),
                ErrorKind::PermissionDenied,
                "CALLER_NOT_ALLOWED",
            ),
            (
                Error::Sessions(sessions::Error::Resource),
                ErrorKind::InvalidArgument,
                "RESOURCE_MISMATCH",
            ),
            (
                Error::Connections(connections::Error::Declined),
                ErrorKind::FailedPrecondition,
                "CONSENT_DECLINED",
            ),
            (Error::PageToken, ErrorKind::InvalidArgument, "PAGE_TOKEN_INVALID"),
            (
                Error::Portals(portals::Error::BrokenRow(1)),
                ErrorKind::Internal,
                "INTERNAL",
            ),
            (
                Error::Handles(handles::Error::TooMany(1)),
                ErrorKind::ResourceExhausted,
                "TOO_MANY_HANDLES",
            ),
            (
                Error::Access(access::Error::GrantUnknown("g".parse().expect("valid"))),
                ErrorKind::NotFound,
                "GRANT_UNKNOWN",
            ),
            (
                Error::Fleet(fleet::Error::SigningKey),
                ErrorKind::Internal,
                "INTERNAL",
            ),
            (
                Error::Revocations(behind()),
                ErrorKind::Unavailable,
                "CREDENTIAL_SERVICE_UNAVAILABLE",
            ),
            (
                Error::Rotation(rotation::Error::ScopesNarrower(Vec::new())),
                ErrorKind::FailedPrecondition,
                "SCOPES_NARROWER",
            ),
            (
                Error::Audit(unavailable),
                ErrorKind::Unavailable,
                "AUDIT_UNAVAILABLE",
            ),
            (Error::Stopping, ErrorKind::Unavailable, "STOPPING"),
            (Error::Random(RandomError), ErrorKind::Internal, "INTERNAL"),
        ];
        for (error, kind, reason) in table {
            assert_eq!(
                (error.kind(), error.reason().wire_name()),
                (kind, reason),
                "{error}"
            );
        }
    }
}
