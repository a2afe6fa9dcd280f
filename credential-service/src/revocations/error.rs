//! Why the sequence of revocations could not be used.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, ServiceError},
    id::{CallerName, RedeemerId},
};
use thiserror::Error;

/// The sequence of revocations could not be read or written.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed.
    #[error("the table of revocations failed")]
    Storage(#[from] database::Error),
    /// Whoever asks has seen a newer state than this service has: an old database was restored, or this replica lags.
    #[error("the caller has seen revocation {seen}, and the newest here is {newest}")]
    Behind {
        /// What the caller has seen.
        seen: u64,
        /// What is here.
        newest: u64,
    },
    /// Whoever acts, or the person that it is, is contained.
    #[error("{0} is contained")]
    CallerContained(CallerName),
    /// A redeemer acknowledges what does not exist.
    #[error("revocation {seq} was acknowledged, and the newest is {newest}")]
    NotYet {
        /// What was acknowledged.
        seq: u64,
        /// What is here.
        newest: u64,
    },
    /// The id is that of another service's redeemer.
    #[error("redeemer {0} is another service's")]
    OtherRedeemer(RedeemerId),
    /// A revocation is missing or cannot be read: somebody altered the table.
    #[error("revocation {0} is missing or cannot be read")]
    Broken(u64),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

const NOT_YET: &str = "must be a place that exists on the feed";
const OTHER: &str = "is another service's: each process makes its own";

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(_) | Self::Behind { .. } => ErrorKind::Unavailable,
            Self::CallerContained(_) => ErrorKind::PermissionDenied,
            Self::NotYet { .. } | Self::OtherRedeemer(_) => ErrorKind::InvalidArgument,
            Self::Broken(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Behind { .. } => ErrorReason::CredentialServiceUnavailable,
            Self::CallerContained(_) => ErrorReason::CallerContained,
            Self::NotYet { .. } | Self::OtherRedeemer(_) => ErrorReason::InvalidField,
            Self::Broken(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Behind { .. } => {
                "this replica has not seen all revocations that the caller has: ask another, or later"
                    .to_owned()
            }
            Self::CallerContained(caller) => format!(
                "{caller}, or the person that it is, is contained: nothing was done; stop, and ask an operator"
            ),
            Self::NotYet { .. } => format!("applied_seq: {NOT_YET}"),
            Self::OtherRedeemer(_) => format!("redeemer_id: {OTHER}"),
            Self::Broken(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CallerContained(caller) => vec![("caller", caller.to_string())],
            _ => Vec::new(),
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        let (field, rule) = match self {
            Self::NotYet { .. } => ("applied_seq", NOT_YET),
            Self::OtherRedeemer(_) => ("redeemer_id", OTHER),
            _ => return Vec::new(),
        };
        vec![FieldViolation {
            field: field.to_owned(),
            description: rule.to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let table = [
            (
                Error::from(sqlx::Error::PoolClosed),
                ErrorKind::Unavailable,
                ErrorReason::StorageUnavailable,
            ),
            (
                Error::Behind { seen: 2, newest: 1 },
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
            (
                Error::CallerContained("operator/bob".parse().expect("a name")),
                ErrorKind::PermissionDenied,
                ErrorReason::CallerContained,
            ),
            (
                Error::NotYet { seq: 2, newest: 1 },
                ErrorKind::InvalidArgument,
                ErrorReason::InvalidField,
            ),
            (
                Error::OtherRedeemer("01890000-0000-7000-8000-000000000000".parse().expect("an id")),
                ErrorKind::InvalidArgument,
                ErrorReason::InvalidField,
            ),
            (Error::Broken(1), ErrorKind::Internal, ErrorReason::Internal),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        }
    }
}
