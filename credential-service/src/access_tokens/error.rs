//! Why there is no access token.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, QuotaViolation, ServiceError},
    id::PortalId,
};
use thiserror::Error;

use crate::vault;

/// There is no access token.
#[derive(Debug, Error)]
pub enum Error {
    /// The deployment has no app that could ask.
    #[error("no app is configured, so that no refresh token can be exchanged")]
    NoApp,
    /// HubSpot refuses the refresh token for good.
    #[error("HubSpot refuses the refresh token for good: the consent is lost")]
    ConsentLost,
    /// HubSpot gave none the last time, and is not asked again at once.
    #[error("HubSpot gave no access token ({}), and is asked again in {wait:?}", .reason.wire_name())]
    Waiting {
        /// Why it gave none.
        reason: ErrorReason,
        /// Until it is asked again.
        wait: Duration,
    },
    /// HubSpot was asked, and has not answered in time. It may still do so.
    #[error("HubSpot has not given an access token in time")]
    Late,
    /// What HubSpot gave is over before it can be used.
    #[error("HubSpot gave an access token for {0:?} only")]
    TooShort(Duration),
    /// What HubSpot gave is another portal's.
    #[error("the access token belongs to portal {actual}, and {expected} was expected")]
    OfAnotherPortal {
        /// Whose consent it was.
        expected: PortalId,
        /// Whose the token is.
        actual: PortalId,
    },
    /// HubSpot refused or did not answer.
    #[error("HubSpot gave no access token")]
    HubSpot(#[from] hubkeep_hubspot::Error),
    /// What was given could not be sealed or opened.
    #[error("an access token could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// What was opened is not what was sealed.
    #[error("the access token {0} cannot be read")]
    Broken(String),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The database failed.
    #[error("the table of access tokens failed")]
    Storage(#[from] database::Error),
    /// The task that asked broke off.
    #[error("the task broke off")]
    BrokeOff(#[from] tokio::task::JoinError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Error {
    /// Whether the refresh token, what it gave, or the portal's key was altered or is gone.
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::Seal(error) => error.is_unreadable(),
            Self::Vault(error) => error.is_unreadable(),
            Self::Broken(_) => true,
            _ => false,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoApp | Self::ConsentLost | Self::OfAnotherPortal { .. } => ErrorKind::FailedPrecondition,
            Self::Waiting { reason, .. } if is_config(*reason) => ErrorKind::FailedPrecondition,
            Self::Waiting { .. } | Self::Late | Self::TooShort(_) | Self::Storage(_) => {
                ErrorKind::Unavailable
            }
            Self::HubSpot(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Broken(_) | Self::BrokeOff(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NoApp => ErrorReason::AppNotConfigured,
            Self::ConsentLost => ErrorReason::ConsentRequired,
            Self::Waiting { reason, .. } => *reason,
            Self::OfAnotherPortal { .. } => ErrorReason::TokenOfAnotherPortal,
            Self::Late | Self::TooShort(_) => ErrorReason::HubspotUnavailable,
            Self::HubSpot(error) => error.reason(),
            Self::Seal(error) => error.reason(),
            Self::Vault(error) => error.reason(),
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Broken(_) | Self::BrokeOff(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NoApp => "this deployment has no OAuth app, so it takes no refresh tokens: set hubspot.app.client_id and \
                            hubspot.app.client_secret_file of credential-service"
                .to_owned(),
            Self::ConsentLost => "HubSpot refuses the refresh token: the app was uninstalled, or the token is another \
                                  app's; connect the app to the account again, and rotate the credential to the new \
                                  refresh token"
                .to_owned(),
            Self::Waiting { reason, .. } if is_config(*reason) => {
                "HubSpot refuses the app of this deployment, or what it gives is another portal's: an operator must look \
                 at hubspot.app and at the app itself"
                    .to_owned()
            }
            Self::Waiting { .. } | Self::Late | Self::TooShort(_) => {
                "HubSpot gives no access token now: try again".to_owned()
            }
            Self::OfAnotherPortal { expected, actual } => format!(
                "the refresh token belongs to portal {actual}, not to {expected}: check which client it was made for"
            ),
            Self::HubSpot(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::Vault(error) => error.public_message(),
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Broken(_) | Self::BrokeOff(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::OfAnotherPortal { expected, actual } => vec![
                ("expected_portal_id", expected.to_string()),
                ("actual_portal_id", actual.to_string()),
            ],
            Self::HubSpot(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Waiting { reason, wait } => (!is_config(*reason)).then_some(*wait),
            Self::Late | Self::TooShort(_) => Some(Duration::from_secs(1)),
            Self::HubSpot(error) => error.retry_after(),
            _ => None,
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        match self {
            Self::HubSpot(error) => error.quota_violation(),
            _ => None,
        }
    }
}

/// Whether somebody must change something before it can go well.
fn is_config(reason: ErrorReason) -> bool {
    matches!(
        reason,
        ErrorReason::AppRefused | ErrorReason::AppNotConfigured | ErrorReason::TokenOfAnotherPortal
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        use {ErrorKind as K, ErrorReason as R};
        let waiting = |reason| Error::Waiting {
            reason,
            wait: Duration::from_secs(3),
        };
        let portal = |id| PortalId::new(id).expect("not zero");
        let of_another = Error::OfAnotherPortal {
            expected: portal(1),
            actual: portal(2),
        };
        let table = [
            (Error::NoApp, K::FailedPrecondition, R::AppNotConfigured),
            (Error::ConsentLost, K::FailedPrecondition, R::ConsentRequired),
            (waiting(R::AppRefused), K::FailedPrecondition, R::AppRefused),
            (
                waiting(R::HubspotUnavailable),
                K::Unavailable,
                R::HubspotUnavailable,
            ),
            (Error::Late, K::Unavailable, R::HubspotUnavailable),
            (
                Error::TooShort(Duration::ZERO),
                K::Unavailable,
                R::HubspotUnavailable,
            ),
            (of_another, K::FailedPrecondition, R::TokenOfAnotherPortal),
            (
                Error::HubSpot(hubkeep_hubspot::Error::NotSent("x".to_owned())),
                K::Unavailable,
                R::HubspotUnavailable,
            ),
            (
                Error::Seal(hubkeep_seal::Error::Library),
                K::Internal,
                R::Internal,
            ),
            (
                Error::Vault(vault::Error::NotText("x".to_owned())),
                K::Internal,
                R::Internal,
            ),
            (Error::Broken("x".to_owned()), K::Internal, R::Internal),
            (
                sqlx::Error::PoolClosed.into(),
                K::Unavailable,
                R::StorageUnavailable,
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        }
        assert_eq!(waiting(R::AppRefused).retry_after(), None, "waiting is no help");
        assert_eq!(
            waiting(R::HubspotUnavailable).retry_after(),
            Some(Duration::from_secs(3))
        );
    }
}
