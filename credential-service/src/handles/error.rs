//! What a handle, or the wish for one, can be refused with.

use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{ClientSlug, HandleId, PortalId},
    random::RandomError,
};
use thiserror::Error;

use super::{Spent, Wider, narrow::DEEPEST};
use crate::{access, connections, portals, revocations};

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
    /// The portal with the slug that was named has another id than the caller expects.
    #[error("the portal that was named is not the one that was expected")]
    NotThatPortal {
        /// What was named.
        requested: ClientSlug,
        /// The id that was expected of it.
        expected: Option<PortalId>,
    },
    /// A child was to be wider than this handle.
    #[error("a child of handle {0} would be wider than it: {1}")]
    Wider(HandleId, Wider),
    /// A child was asked of a handle that was narrowed as often as may be.
    #[error("handle {0} was narrowed as often as may be")]
    TooDeep(HandleId),
    /// What a child, or a reservation, shall allow breaks its rules.
    #[error("a scope that breaks its rules was asked for")]
    Scope(Vec<FieldViolation>),
    /// Its budget, or that of a handle it was narrowed from, is used up.
    #[error("the budget of handle {0} is used up: {1}")]
    BudgetSpent(HandleId, Spent),
    /// The reservation cannot be redeemed. Callers are not told why.
    #[error("the reservation cannot be redeemed: {0}")]
    ReservationUnusable(&'static str),
    /// The bytes are not those that were reserved.
    #[error("the bytes are not those that were reserved")]
    ActionChanged,
    /// The certificate cannot take the place of the caller's own.
    #[error("a certificate was refused: {0}")]
    CertificateRefused(String),
    /// It does not allow reading what is asked for, which needs this operation.
    #[error("handle {0} does not allow {1}")]
    ReadNotAllowed(HandleId, &'static str),
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
    /// The connection behind it does not serve.
    #[error(transparent)]
    Connection(#[from] connections::Error),
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
            Self::Invalid { .. } | Self::ReservationUnusable(_) => ErrorKind::Unauthenticated,
            Self::PortalMismatch { .. }
            | Self::NotThatPortal { .. }
            | Self::Wider(..)
            | Self::ReadNotAllowed(..) => ErrorKind::PermissionDenied,
            Self::Lifetime { .. } | Self::Scope(_) => ErrorKind::InvalidArgument,
            Self::TooMany(_) | Self::BudgetSpent(..) => ErrorKind::ResourceExhausted,
            Self::TooDeep(_) | Self::ActionChanged | Self::CertificateRefused(_) => {
                ErrorKind::FailedPrecondition
            }
            Self::Behind { .. } | Self::Storage(_) => ErrorKind::Unavailable,
            Self::Access(error) => error.kind(),
            Self::Portal(error) => error.kind(),
            Self::Connection(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::Altered(_) | Self::Claims(_) | Self::Random(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Invalid { .. } => ErrorReason::HandleInvalid,
            Self::PortalMismatch { .. } | Self::NotThatPortal { .. } => ErrorReason::PortalMismatch,
            Self::Wider(..) => ErrorReason::HandleWider,
            Self::TooDeep(_) => ErrorReason::HandleTooDeep,
            Self::BudgetSpent(..) => ErrorReason::HandleBudgetExhausted,
            Self::ReservationUnusable(_) => ErrorReason::ReservationInvalid,
            Self::ActionChanged => ErrorReason::ActionChanged,
            Self::CertificateRefused(_) => ErrorReason::CertificateRefused,
            Self::ReadNotAllowed(..) => ErrorReason::OperationNotAllowed,
            Self::Lifetime { .. } | Self::Scope(_) => ErrorReason::InvalidField,
            Self::TooMany(_) => ErrorReason::TooManyHandles,
            Self::Behind { .. } => ErrorReason::CredentialServiceUnavailable,
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Access(error) => error.reason(),
            Self::Portal(error) => error.reason(),
            Self::Connection(error) => error.reason(),
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
            Self::NotThatPortal { requested, .. } => {
                format!("{requested} is not the portal that you expect: look at slug and id")
            }
            Self::Wider(_, Wider(field)) => {
                format!("a child must not be wider than its parent, and {field} would be")
            }
            Self::TooDeep(_) => {
                format!(
                    "a handle is narrowed {DEEPEST} times at most: narrow one of those it was narrowed from"
                )
            }
            Self::Scope(violations) => {
                let lines = violations
                    .iter()
                    .map(|one| format!("{}: {}", one.field, one.description));
                lines.collect::<Vec<_>>().join("; ")
            }
            Self::BudgetSpent(_, spent) => {
                format!(
                    "the handle may make no more {}: take a new one, if you may",
                    spent.name()
                )
            }
            Self::ReservationUnusable(_) => {
                "the reservation cannot be redeemed: begin anew what was to be done".to_owned()
            }
            Self::ActionChanged => "these are not the bytes that were reserved".to_owned(),
            Self::CertificateRefused(why) => format!("the new certificate is not taken: {why}"),
            Self::ReadNotAllowed(_, operation) => {
                format!("the handle does not allow {operation}: take one that does")
            }
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
            Self::Connection(error) => error.public_message(),
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
            Self::NotThatPortal { requested, expected } => vec![
                ("requested_client_slug", requested.to_string()),
                (
                    "expected_portal_id",
                    expected.map(|id| id.to_string()).unwrap_or_default(),
                ),
            ],
            Self::Wider(_, Wider(field)) => vec![("field", (*field).to_owned())],
            Self::TooDeep(_) => vec![("limit", DEEPEST.to_string())],
            Self::BudgetSpent(_, spent) => vec![("budget", spent.name().to_owned())],
            Self::ReadNotAllowed(_, operation) => vec![("operation", (*operation).to_owned())],
            Self::TooMany(limit) => vec![("limit", limit.to_string())],
            Self::Access(error) => error.metadata(),
            Self::Portal(error) => error.metadata(),
            Self::Connection(error) => error.metadata(),
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
            Self::Scope(violations) => violations.clone(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Connection(error) => error.retry_after(),
            _ => None,
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        match self {
            Self::Connection(error) => error.quota_violation(),
            Self::TooMany(_) => Some(QuotaViolation {
                subject: "caller".to_owned(),
                description: self.public_message(),
            }),
            Self::BudgetSpent(handle_id, _) => Some(QuotaViolation {
                subject: format!("handle:{handle_id}"),
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
mod tests;
