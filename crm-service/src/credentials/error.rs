//! Why a handle gave no grant.

use std::time::Duration;

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, QuotaViolation, ServiceError},
    handle_token::MalformedHandle,
};
use thiserror::Error as ThisError;

use super::budget::Half;

/// A handle that was not redeemed.
#[derive(Debug, ThisError)]
pub enum Error {
    /// No handle was sent, or something that is none.
    #[error("no handle: {0}")]
    Malformed(#[from] MalformedHandle),
    /// credential-service does not accept it; why stands in its own log.
    #[error("credential-service refuses the handle")]
    Invalid,
    /// credential-service does not serve the portal before somebody has looked at it.
    #[error("credential-service does not serve portal {portal}: {}", .reason.wire_name())]
    NotServed {
        /// Why: its rows were altered, or a backup was restored.
        reason: ErrorReason,
        /// What credential-service calls it.
        portal: String,
    },
    /// The handle lives, and gives another token since it was redeemed: it must be redeemed anew.
    #[error("the portal's credential has moved on")]
    Superseded,
    /// The revocation feed has not been heard while the call waited: the handle must be redeemed anew.
    #[error("the revocation feed has not been heard while the call waited")]
    Outdated,
    /// Of what this process was given of the handle's budget there are not so many left: it must be redeemed anew, which may
    /// give more.
    #[error("of what was given of the handle's budget of {name} there are not {1} left", name = .0.name())]
    SliceSpent(Half, u64),
    /// The handle's budget is used up.
    #[error("the handle's budget of {} is used up", .0.name())]
    BudgetExhausted(Half),
    /// The handle is right, and its portal has no token to call with: its consent was taken back, or HubSpot gives none.
    #[error("the portal has no token: {} {said}", .reason.wire_name())]
    NoToken {
        /// credential-service's reason.
        reason: ErrorReason,
        /// Its sentence, which is for the caller.
        said: String,
        /// When there may be one.
        retry_after: Option<Duration>,
    },
    /// HubSpot has refused the token of an earlier call, and credential-service has no other. Nothing was sent.
    #[error("HubSpot refuses the portal's token, so that nothing is sent by it")]
    TokenRefused {
        /// Whether it is what HubSpot gives for a consent.
        is_consent: bool,
    },
    /// credential-service does not let whoever asks here read everything.
    #[error("credential-service does not let {caller} read: {said}")]
    ReaderRefused {
        /// Who asks here.
        caller: String,
        /// Its sentence, which is for the caller.
        said: String,
    },
    /// credential-service did not answer, or not as it should.
    #[error("credential-service gave no grant: {0}")]
    Unavailable(String),
}

impl Error {
    pub(super) fn unavailable(problem: impl Into<String>) -> Self {
        Self::Unavailable(problem.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed(_) | Self::Invalid => ErrorKind::Unauthenticated,
            Self::NotServed { .. }
            | Self::TokenRefused { .. }
            | Self::NoToken {
                retry_after: None, ..
            } => ErrorKind::FailedPrecondition,
            Self::BudgetExhausted(_) => ErrorKind::ResourceExhausted,
            Self::ReaderRefused { .. } => ErrorKind::PermissionDenied,
            Self::NoToken { .. }
            | Self::Superseded
            | Self::Outdated
            | Self::SliceSpent(..)
            | Self::Unavailable(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Malformed(_) => ErrorReason::HandleMalformed,
            Self::Invalid => ErrorReason::HandleInvalid,
            Self::NotServed { reason, .. } | Self::NoToken { reason, .. } => *reason,
            Self::BudgetExhausted(_) => ErrorReason::HandleBudgetExhausted,
            Self::TokenRefused { .. } => ErrorReason::TokenRefused,
            Self::ReaderRefused { .. } => ErrorReason::CallerNotAllowed,
            Self::Superseded | Self::Outdated | Self::SliceSpent(..) | Self::Unavailable(_) => {
                ErrorReason::CredentialServiceUnavailable
            }
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Malformed(_) => {
                "no whole handle was sent: send metadata \"authorization: Bearer hk1_…\"".to_owned()
            }
            Self::Invalid => "the handle is not valid: take a new one".to_owned(),
            Self::NotServed { .. } => {
                "the portal is not served until its operators have looked: `hubkeep doctor` tells them why"
                    .to_owned()
            }
            Self::Superseded => "the portal's token is being replaced: try again".to_owned(),
            Self::SliceSpent(..) => "others spend the handle's budget at the same time: try again".to_owned(),
            Self::BudgetExhausted(half) => format!(
                "the handle's budget of {} is used up: take a new handle, if you may do more",
                half.name()
            ),
            Self::TokenRefused { is_consent: false } => {
                "HubSpot refuses the portal's token, and nothing was sent: an operator must replace it (hubkeep rotate; \
                 hubkeep doctor says what there is)"
                    .to_owned()
            }
            Self::TokenRefused { is_consent: true } => {
                "HubSpot refuses even the new access token of the portal's consent, and nothing was sent: an operator must \
                 look (hubkeep doctor), and may have the app connected again"
                    .to_owned()
            }
            Self::NoToken { said, .. } | Self::ReaderRefused { said, .. } => said.clone(),
            Self::Outdated | Self::Unavailable(_) => {
                "credential-service does not answer: try again".to_owned()
            }
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotServed {
                reason: ErrorReason::PortalAltered,
                portal,
            } => vec![("portal", portal.clone())],
            Self::NotServed { portal, .. } => vec![("client_slug", portal.clone())],
            Self::BudgetExhausted(half) => vec![("budget", half.name().to_owned())],
            Self::ReaderRefused { caller, .. } => vec![
                ("caller", caller.clone()),
                (
                    "grpc_service",
                    "hubkeep.credential.v1.PortalRecordService".to_owned(),
                ),
            ],
            _ => Vec::new(),
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        let Self::BudgetExhausted(half) = self else {
            return None;
        };
        Some(QuotaViolation {
            subject: format!("handle:{}", half.name()),
            description: self.public_message(),
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Superseded | Self::Outdated | Self::SliceSpent(..) | Self::Unavailable(_) => {
                Some(Duration::from_secs(1))
            }
            Self::NoToken { retry_after, .. } => *retry_after,
            Self::Malformed(_)
            | Self::Invalid
            | Self::NotServed { .. }
            | Self::BudgetExhausted(_)
            | Self::TokenRefused { .. }
            | Self::ReaderRefused { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let table = [
            (
                Error::from(MalformedHandle),
                ErrorKind::Unauthenticated,
                ErrorReason::HandleMalformed,
            ),
            (
                Error::Invalid,
                ErrorKind::Unauthenticated,
                ErrorReason::HandleInvalid,
            ),
            (
                Error::NotServed {
                    reason: ErrorReason::PortalAltered,
                    portal: "acme".to_owned(),
                },
                ErrorKind::FailedPrecondition,
                ErrorReason::PortalAltered,
            ),
            (
                Error::Superseded,
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
            (
                Error::Outdated,
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
            (
                Error::SliceSpent(Half::Calls, 1),
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
            (
                Error::ReaderRefused {
                    caller: "operator/ann".to_owned(),
                    said: "no".to_owned(),
                },
                ErrorKind::PermissionDenied,
                ErrorReason::CallerNotAllowed,
            ),
            (
                Error::TokenRefused { is_consent: false },
                ErrorKind::FailedPrecondition,
                ErrorReason::TokenRefused,
            ),
            (
                Error::BudgetExhausted(Half::Records),
                ErrorKind::ResourceExhausted,
                ErrorReason::HandleBudgetExhausted,
            ),
            (
                Error::NoToken {
                    reason: ErrorReason::ConsentRequired,
                    said: String::new(),
                    retry_after: None,
                },
                ErrorKind::FailedPrecondition,
                ErrorReason::ConsentRequired,
            ),
            (
                Error::NoToken {
                    reason: ErrorReason::HubspotUnavailable,
                    said: String::new(),
                    retry_after: Some(Duration::from_secs(1)),
                },
                ErrorKind::Unavailable,
                ErrorReason::HubspotUnavailable,
            ),
            (
                Error::unavailable("down"),
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        }
    }
}
