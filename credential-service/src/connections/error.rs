//! Why nothing was connected, or a connection does not serve.

use std::time::Duration;

use hubkeep_audit_log::Cause;
use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, QuotaViolation, ServiceError},
    id::{ClientSlug, PortalId},
    random::RandomError,
};
use thiserror::Error;

use crate::{access, access_tokens, portals, revocations, vault};

/// Nothing was connected, or a connection does not serve.
#[derive(Debug, Error)]
pub enum Error {
    /// The deployment says nowhere where browsers come back.
    #[error("connections.redirect_uri is not set, so that nobody can connect anything")]
    NotConfigured,
    /// The state is none that this user may complete. Callers are not told why.
    #[error("the state of a connection cannot be taken: {0:?}")]
    StateInvalid(Cause),
    /// The user, or HubSpot, declined.
    #[error("the consent was declined")]
    Declined,
    /// HubSpot does not take the code.
    #[error("HubSpot does not take the code")]
    CodeRefused,
    /// The portal that was chosen is none that the user may connect.
    #[error("portal {0} is not one that the user may connect")]
    PortalNotOffered(PortalId),
    /// The portal that was chosen is not the one that was asked for.
    #[error("portal {actual} was chosen, and {expected} was asked for")]
    OfAnotherPortal {
        /// What was asked for.
        expected: PortalId,
        /// What was chosen.
        actual: PortalId,
    },
    /// The HubSpot user is not the user who is signed in.
    #[error("the HubSpot user is not the user who is signed in")]
    OfAnotherUser,
    /// There is no such connection, or it is another user's.
    #[error("there is no such connection of this user")]
    Unknown,
    /// The user has not connected what this would be about.
    #[error("the user has connected nothing that this would be about")]
    Required(Option<ClientSlug>),
    /// The user has connected several portals, and none was named.
    #[error("the user has connected {} portals, and none was named", .0.len())]
    Ambiguous(Vec<ClientSlug>),
    /// Others changed it at the same time.
    #[error("the connection was changed by others at the same time")]
    Contended,
    /// What is stored is not what was sealed.
    #[error("the connection {0} was altered")]
    Altered(String),
    /// Access refused, or could not be read.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// There is no access token.
    #[error(transparent)]
    AccessTokens(#[from] access_tokens::Error),
    /// The portal could not be read, or is not served.
    #[error(transparent)]
    Portals(#[from] portals::Error),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The sequence of revocations failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// Something could not be sealed or opened.
    #[error("a connection could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// Something could not be written as JSON.
    #[error("a connection could not be written")]
    Json(#[from] serde_json::Error),
    /// The database failed.
    #[error("the tables of connections failed")]
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
    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::Access(error) => Some(error),
            Self::AccessTokens(error) => Some(error),
            Self::Portals(error) => Some(error),
            Self::Vault(error) => Some(error),
            Self::Revocations(error) => Some(error),
            Self::Seal(error) => Some(error),
            _ => None,
        }
    }

    const fn own_reason(&self) -> ErrorReason {
        match self {
            Self::NotConfigured => ErrorReason::AppNotConfigured,
            Self::StateInvalid(_) => ErrorReason::ConnectionStateInvalid,
            Self::Declined => ErrorReason::ConsentDeclined,
            Self::CodeRefused => ErrorReason::HubspotCodeRefused,
            Self::PortalNotOffered(_) => ErrorReason::PortalNotOffered,
            Self::OfAnotherPortal { .. } => ErrorReason::TokenOfAnotherPortal,
            Self::OfAnotherUser => ErrorReason::HubspotUserDiffers,
            Self::Unknown => ErrorReason::ConnectionUnknown,
            Self::Required(_) => ErrorReason::ConnectionRequired,
            Self::Ambiguous(_) => ErrorReason::ConnectionAmbiguous,
            Self::Contended => ErrorReason::ConnectionContended,
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            _ => ErrorReason::Internal,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        if let Some(inner) = self.inner() {
            return inner.kind();
        }
        match self {
            Self::PortalNotOffered(_) | Self::OfAnotherUser => ErrorKind::PermissionDenied,
            Self::Unknown => ErrorKind::NotFound,
            Self::Contended | Self::Storage(_) => ErrorKind::Unavailable,
            Self::Altered(_) | Self::Json(_) | Self::Random(_) => ErrorKind::Internal,
            _ => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> ErrorReason {
        self.inner()
            .map_or_else(|| self.own_reason(), ServiceError::reason)
    }

    fn public_message(&self) -> String {
        if let Some(inner) = self.inner() {
            return inner.public_message();
        }
        match self {
            Self::NotConfigured => {
                "this deployment connects no HubSpot accounts: set connections.redirect_uri of credential-service".to_owned()
            }
            Self::StateInvalid(_) => {
                "this connection was not begun by you here, or too long ago: begin anew".to_owned()
            }
            Self::Declined => "the app was not allowed to connect: begin anew, if that was a mistake".to_owned(),
            Self::CodeRefused => "HubSpot does not take the code any more: begin anew".to_owned(),
            Self::PortalNotOffered(portal) => format!(
                "HubSpot account {portal} is not one that you may connect here: choose another, or ask an operator for a grant"
            ),
            Self::OfAnotherPortal { expected, actual } => format!(
                "you chose HubSpot account {actual}, and {expected} was asked for: begin anew, and choose that one"
            ),
            Self::OfAnotherUser => {
                "the HubSpot user has another e-mail address than you: log in to HubSpot as yourself".to_owned()
            }
            Self::Unknown => "you have no such connection".to_owned(),
            Self::Required(Some(slug)) => format!("you have not connected HubSpot for {slug}: connect it first"),
            Self::Required(None) => "you have not connected HubSpot: connect it first".to_owned(),
            Self::Ambiguous(_) => {
                "you have connected several clients: use the address that ends in the client's name".to_owned()
            }
            Self::Contended => "the connection was changed at the same time: try again".to_owned(),
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            _ => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::OfAnotherPortal { expected, actual } => vec![
                ("expected_portal_id", expected.to_string()),
                ("actual_portal_id", actual.to_string()),
            ],
            Self::Required(Some(slug)) => vec![("client_slug", slug.to_string())],
            Self::Ambiguous(slugs) => {
                let slugs: Vec<&str> = slugs.iter().map(ClientSlug::as_str).collect();
                vec![("client_slugs", slugs.join(","))]
            }
            other => other.inner().map(ServiceError::metadata).unwrap_or_default(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Contended => Some(Duration::from_millis(200)),
            other => other.inner().and_then(ServiceError::retry_after),
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        self.inner().and_then(ServiceError::quota_violation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        use {ErrorKind as K, ErrorReason as R};
        let portal = |id| PortalId::new(id).expect("not zero");
        let slug = || "acme".parse().expect("valid");
        let of_another = Error::OfAnotherPortal {
            expected: portal(1),
            actual: portal(2),
        };
        let table = [
            (Error::NotConfigured, K::FailedPrecondition, R::AppNotConfigured),
            (
                Error::StateInvalid(Cause::StateUnknown),
                K::FailedPrecondition,
                R::ConnectionStateInvalid,
            ),
            (Error::Declined, K::FailedPrecondition, R::ConsentDeclined),
            (Error::CodeRefused, K::FailedPrecondition, R::HubspotCodeRefused),
            (
                Error::PortalNotOffered(portal(1)),
                K::PermissionDenied,
                R::PortalNotOffered,
            ),
            (of_another, K::FailedPrecondition, R::TokenOfAnotherPortal),
            (Error::OfAnotherUser, K::PermissionDenied, R::HubspotUserDiffers),
            (Error::Unknown, K::NotFound, R::ConnectionUnknown),
            (
                Error::Required(Some(slug())),
                K::FailedPrecondition,
                R::ConnectionRequired,
            ),
            (
                Error::Ambiguous(vec![slug()]),
                K::FailedPrecondition,
                R::ConnectionAmbiguous,
            ),
            (Error::Contended, K::Unavailable, R::ConnectionContended),
            (Error::Altered("x".to_owned()), K::Internal, R::Internal),
            (
                access_tokens::Error::ConsentLost.into(),
                K::FailedPrecondition,
                R::ConsentRequired,
            ),
            (
                sqlx::Error::PoolClosed.into(),
                K::Unavailable,
                R::StorageUnavailable,
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
            assert!(!error.public_message().is_empty());
        }
    }
}
