//! Why nobody is signed in, or a client gets nothing.

use std::time::Duration;

use hubkeep_audit_log::Cause;
use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, ServiceError},
    random::RandomError,
};
use thiserror::Error;

use super::oidc;
use crate::{access, handles, revocations};

/// Nobody is signed in, or a client gets nothing.
#[derive(Debug, Error)]
pub enum Error {
    /// The ID token was not taken.
    #[error(transparent)]
    IdToken(#[from] oidc::Error),
    /// The session is unknown, over, ended or another service's. Callers are not told which.
    #[error("the session is refused: {0:?}")]
    Session(Cause),
    /// The code or refresh token of a client is. Callers are not told which.
    #[error("what a client presented is refused: {0:?}")]
    Client(Cause),
    /// The resource is another.
    #[error("the resource is another than was asked for")]
    Resource,
    /// What was asked for breaks its rules.
    #[error("fields that are not valid")]
    Fields(Vec<FieldViolation>),
    /// Others changed the session at the same time.
    #[error("the session was changed by others at the same time")]
    Contended,
    /// What is stored is not what was sealed.
    #[error("the session {0} was altered")]
    Altered(String),
    /// Access refused, or could not be read.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// The room of handles refused.
    #[error(transparent)]
    Handles(#[from] handles::Error),
    /// The sequence of revocations failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// Something could not be sealed or opened.
    #[error("a session could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// Something could not be written as JSON.
    #[error("a session could not be written")]
    Json(#[from] serde_json::Error),
    /// The database failed.
    #[error("the tables of sessions failed")]
    Storage(#[from] database::Error),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Error {
    /// The true cause of a refusal, for the log.
    pub(super) const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Session(cause) | Self::Client(cause) => Some(*cause),
            _ => None,
        }
    }

    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::IdToken(error) => Some(error),
            Self::Access(error) => Some(error),
            Self::Handles(error) => Some(error),
            Self::Revocations(error) => Some(error),
            Self::Seal(error) => Some(error),
            _ => None,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        if let Some(inner) = self.inner() {
            return inner.kind();
        }
        match self {
            Self::Session(_) | Self::Client(_) => ErrorKind::Unauthenticated,
            Self::Resource | Self::Fields(_) => ErrorKind::InvalidArgument,
            Self::Contended | Self::Storage(_) => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        if let Some(inner) = self.inner() {
            return inner.reason();
        }
        match self {
            Self::Session(_) => ErrorReason::SessionInvalid,
            Self::Client(_) => ErrorReason::ClientGrantInvalid,
            Self::Resource => ErrorReason::ResourceMismatch,
            Self::Fields(_) => ErrorReason::InvalidField,
            Self::Contended => ErrorReason::ConnectionContended,
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            _ => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        if let Some(inner) = self.inner() {
            return inner.public_message();
        }
        match self {
            Self::Session(_) => "the session is over: sign in again",
            Self::Client(_) => "the code or refresh token is not valid: connect the client again",
            Self::Resource => "the resource is not the one that this was asked for",
            Self::Contended => "the session was changed at the same time: try again",
            Self::Storage(_) => "the service's database did not answer: try again",
            Self::Fields(violations) => {
                let lines = violations
                    .iter()
                    .map(|one| format!("{}: {}", one.field, one.description));
                return lines.collect::<Vec<_>>().join("; ");
            }
            _ => "an internal error; the request id finds it",
        }
        .to_owned()
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        self.inner().map(ServiceError::metadata).unwrap_or_default()
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::Fields(violations) => violations.clone(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Contended => Some(Duration::from_millis(200)),
            other => other.inner().and_then(ServiceError::retry_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        use {ErrorKind as K, ErrorReason as R};
        let table = [
            (
                Error::Session(Cause::SessionEnded),
                K::Unauthenticated,
                R::SessionInvalid,
            ),
            (
                Error::Client(Cause::UsedAgain),
                K::Unauthenticated,
                R::ClientGrantInvalid,
            ),
            (Error::Resource, K::InvalidArgument, R::ResourceMismatch),
            (Error::Fields(Vec::new()), K::InvalidArgument, R::InvalidField),
            (Error::Contended, K::Unavailable, R::ConnectionContended),
            (Error::Altered("x".to_owned()), K::Internal, R::Internal),
            (
                oidc::Error::NotConfigured.into(),
                K::FailedPrecondition,
                R::SignInNotConfigured,
            ),
            (
                sqlx::Error::PoolClosed.into(),
                K::Unavailable,
                R::StorageUnavailable,
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        }
    }
}
