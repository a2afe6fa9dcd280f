//! What a handle, or the wish for one, can be refused with.

use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{ClientSlug, HandleId},
    random::RandomError,
};
use thiserror::Error;

use crate::{access, portals, revocations};

/// A handle was refused, not issued, or not found.
#[derive(Debug, Error)]
pub enum Error {
    /// It is unknown, expired, revoked or another caller's. Callers are not told which.
    #[error("the handle {} is refused: {cause:?}", .handle_id.map_or_else(|| "(unknown)".to_owned(), |id| id.to_string()))]
    Invalid {
        /// Why, for the log.
        cause: Cause,
        /// Which, where it is known.
        handle_id: Option<HandleId>,
        /// The portal it was for, where whoever presented it had the handle itself.
        portal: Option<ProvenPortal>,
    },
    /// Its row does not fit what is sealed in it: somebody altered the table.
    #[error("the row of handle {0} was altered")]
    Altered(String),
    /// It is for another portal than was asked for.
    #[error("handle {handle_id} is not for the portal that was named")]
    PortalMismatch {
        /// The handle.
        handle_id: HandleId,
        /// What was named.
        requested: ClientSlug,
    },
    /// It does not allow reading the audit log.
    #[error("handle {0} does not allow READ_AUDIT")]
    AuditNotAllowed(HandleId),
    /// It should live shorter or longer than handles may.
    #[error("a lifetime out of bounds was asked for")]
    Lifetime {
        /// The longest there is, in seconds.
        max_secs: u64,
    },
    /// The caller has as many living handles of this portal as one may have.
    #[error("the caller holds {0} handles of this portal")]
    TooMany(u32),
    /// The redeemer has seen revocations that this replica has not.
    #[error("the redeemer has seen revocation {seen}, and the newest here is {newest}")]
    Behind {
        /// What it has seen.
        seen: u64,
        /// What is here.
        newest: u64,
    },
    /// No grant lets the caller have it.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// The portal could not be found.
    #[error(transparent)]
    Portal(#[from] portals::Error),
    /// The sequence of revocations failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// The claims could not be sealed or opened.
    #[error("the claims of a handle could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// The claims could not be written as JSON.
    #[error("the claims of a handle could not be written")]
    Claims(#[from] serde_json::Error),
    /// The database failed.
    #[error("the table of handles failed")]
    Storage(#[from] database::Error),
    /// No randomness for a handle.
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
            Self::Invalid { .. } => ErrorKind::Unauthenticated,
            Self::PortalMismatch { .. } | Self::AuditNotAllowed(_) => ErrorKind::PermissionDenied,
            Self::Lifetime { .. } => ErrorKind::InvalidArgument,
            Self::TooMany(_) => ErrorKind::ResourceExhausted,
            Self::Behind { .. } | Self::Storage(_) => ErrorKind::Unavailable,
            Self::Access(error) => error.kind(),
            Self::Portal(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::Altered(_) | Self::Claims(_) | Self::Random(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Invalid { .. } => ErrorReason::HandleInvalid,
            Self::PortalMismatch { .. } => ErrorReason::PortalMismatch,
            Self::AuditNotAllowed(_) => ErrorReason::OperationNotAllowed,
            Self::Lifetime { .. } => ErrorReason::InvalidField,
            Self::TooMany(_) => ErrorReason::TooManyHandles,
            Self::Behind { .. } => ErrorReason::CredentialServiceUnavailable,
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Access(error) => error.reason(),
            Self::Portal(error) => error.reason(),
            Self::Revocations(error) => error.reason(),
            Self::Seal(error) => error.reason(),
            Self::Altered(_) | Self::Claims(_) | Self::Random(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Invalid { .. } => "the handle is not valid: take a new one".to_owned(),
            Self::PortalMismatch { requested, .. } => {
                format!("the handle is not for {requested}: take one that is")
            }
            Self::AuditNotAllowed(_) => "the handle does not allow READ_AUDIT: take one that does".to_owned(),
            Self::Lifetime { max_secs } => lifetime_rule(*max_secs),
            Self::TooMany(limit) => format!(
                "you hold {limit} living handles of this portal: use them, revoke some, or wait until they expire"
            ),
            Self::Behind { .. } => {
                "this replica lags behind the revocations you have seen: try again".to_owned()
            }
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Access(error) => error.public_message(),
            Self::Portal(error) => error.public_message(),
            Self::Revocations(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::Altered(_) | Self::Claims(_) | Self::Random(_) => {
                "an internal error; the request id finds it".to_owned()
            }
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::PortalMismatch { requested, .. } => vec![("requested_client_slug", requested.to_string())],
            Self::AuditNotAllowed(_) => vec![("operation", "READ_AUDIT".to_owned())],
            Self::TooMany(limit) => vec![("limit", limit.to_string())],
            Self::Access(error) => error.metadata(),
            Self::Portal(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::Lifetime { max_secs } => {
                vec![FieldViolation {
                    field: "lifetime".to_owned(),
                    description: lifetime_rule(*max_secs),
                }]
            }
            _ => Vec::new(),
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        match self {
            Self::TooMany(_) => Some(QuotaViolation {
                subject: "caller".to_owned(),
                description: self.public_message(),
            }),
            _ => None,
        }
    }
}

fn lifetime_rule(max_secs: u64) -> String {
    format!("a handle lives from 1 s to {max_secs} s")
}

#[cfg(test)]
mod tests {
    use hubkeep_core::{clock::SystemClock, random::SystemRandom};

    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let handle_id = HandleId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
        let requested: ClientSlug = "acme".parse().expect("valid");
        let unknown = portals::Error::Unknown(requested.clone());
        let not_json = serde_json::from_str::<u8>("x").expect_err("not JSON");
        let table = [
            (
                Error::Invalid {
                    cause: Cause::HandleExpired,
                    handle_id: None,
                    portal: None,
                },
                ErrorKind::Unauthenticated,
                "HANDLE_INVALID",
            ),
            (Error::Altered("x".to_owned()), ErrorKind::Internal, "INTERNAL"),
            (
                Error::PortalMismatch { handle_id, requested },
                ErrorKind::PermissionDenied,
                "PORTAL_MISMATCH",
            ),
            (
                Error::AuditNotAllowed(handle_id),
                ErrorKind::PermissionDenied,
                "OPERATION_NOT_ALLOWED",
            ),
            (
                Error::Lifetime { max_secs: 900 },
                ErrorKind::InvalidArgument,
                "INVALID_FIELD",
            ),
            (
                Error::TooMany(64),
                ErrorKind::ResourceExhausted,
                "TOO_MANY_HANDLES",
            ),
            (
                Error::Behind { seen: 2, newest: 1 },
                ErrorKind::Unavailable,
                "CREDENTIAL_SERVICE_UNAVAILABLE",
            ),
            (
                Error::Access(access::Error::Contained("sync".parse().expect("valid"))),
                ErrorKind::PermissionDenied,
                "CALLER_CONTAINED",
            ),
            (Error::Portal(unknown), ErrorKind::NotFound, "PORTAL_UNKNOWN"),
            (
                Error::Revocations(revocations::Error::Broken(1)),
                ErrorKind::Internal,
                "INTERNAL",
            ),
            (
                Error::Seal(hubkeep_seal::Error::Library),
                ErrorKind::Internal,
                "INTERNAL",
            ),
            (Error::Claims(not_json), ErrorKind::Internal, "INTERNAL"),
            (
                Error::from(sqlx::Error::PoolClosed),
                ErrorKind::Unavailable,
                "STORAGE_UNAVAILABLE",
            ),
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

    #[test]
    fn a_caller_cannot_tell_why_a_handle_is_not_valid() {
        let told = |cause| {
            let error = Error::Invalid {
                cause,
                handle_id: None,
                portal: None,
            };
            (
                error.public_message(),
                error.metadata(),
                error.kind(),
                error.retry_after(),
            )
        };
        let unknown = told(Cause::HandleUnknown);
        for cause in [
            Cause::HandleExpired,
            Cause::HandleRevoked,
            Cause::HandleOfAnotherCaller,
        ] {
            assert_eq!(told(cause), unknown);
        }
    }
}
