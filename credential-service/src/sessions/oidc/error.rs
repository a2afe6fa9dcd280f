//! Why an ID token is not taken.

use std::time::Duration;

use hubkeep_core::error::{ErrorKind, ErrorReason, ServiceError};
use hubkeep_seal::remote::RemoteError;
use thiserror::Error as ThisError;

/// An ID token is not taken.
#[derive(Debug, ThisError)]
pub enum Error {
    /// No provider is configured.
    #[error("no provider is configured that people sign in with")]
    NotConfigured,
    /// It did not pass a check.
    #[error("the ID token did not pass the check of its {0}")]
    Refused(&'static str),
    /// The account belongs to no organisation whose people may sign in.
    #[error("the claim {0} names no organisation whose people may sign in")]
    Organisation(String),
    /// The provider's keys could not be read.
    #[error("the keys of the provider could not be read")]
    Unreachable(#[source] RemoteError),
    /// They could not be read just before, and the provider is left alone for a moment.
    #[error("the keys of the provider could not be read just before")]
    Waiting,
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotConfigured => ErrorKind::FailedPrecondition,
            Self::Refused(_) => ErrorKind::Unauthenticated,
            Self::Organisation(_) => ErrorKind::PermissionDenied,
            Self::Unreachable(_) | Self::Waiting => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NotConfigured => ErrorReason::SignInNotConfigured,
            Self::Refused(_) => ErrorReason::IdTokenRefused,
            Self::Organisation(_) => ErrorReason::OrganisationNotAllowed,
            Self::Unreachable(_) | Self::Waiting => ErrorReason::SignInUnavailable,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NotConfigured => {
                "this deployment signs nobody in: name a provider under sessions.providers".to_owned()
            }
            Self::Refused(check) => {
                format!("the ID token is not taken, for its {check}: sign in again")
            }
            Self::Organisation(_) => {
                "this account belongs to no organisation whose people may sign in here: use the company's"
                    .to_owned()
            }
            Self::Unreachable(_) | Self::Waiting => {
                "the sign-in provider does not answer this service: try again".to_owned()
            }
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Refused(check) => vec![("check", (*check).to_owned())],
            Self::Organisation(claim) => vec![("claim", claim.clone())],
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) | Self::Waiting => Some(super::keys::PAUSE),
            _ => None,
        }
    }
}
