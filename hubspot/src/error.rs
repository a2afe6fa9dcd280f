//! What can become of a call, other than an answer.

use std::time::Duration;

use hubkeep_audit_log::{Cause, Receipt};
use hubkeep_core::{
    error::{ErrorKind, ErrorReason, QuotaViolation, ServiceError},
    id::CallId,
};
use thiserror::Error;

use crate::{
    limits::Limits,
    refusal::{self, Refusal, RefusalKind, TokenFault},
};

/// A call to HubSpot that gave no answer that can be used.
#[derive(Debug, Error)]
pub enum Error {
    /// The intent could not be made durable. Nothing was sent.
    #[error("the intent could not be recorded")]
    IntentNotRecorded(#[source] hubkeep_audit_log::Error),
    /// A read was answered, and its outcome could not be made durable. The answer is withheld.
    #[error("the outcome could not be recorded")]
    OutcomeNotRecorded(#[source] hubkeep_audit_log::Error),
    /// Nothing was sent: HubSpot was not reached.
    #[error("HubSpot was not reached: {0}")]
    NotSent(String),
    /// A read was sent, and nothing that can be trusted came back.
    #[error("HubSpot gave no answer ({cause:?}): {detail}")]
    NoAnswer {
        /// What is known of the failure.
        cause: Cause,
        /// For the log.
        detail: String,
    },
    /// The handle by which the call is made was revoked: nothing was sent, or a read was cut off.
    #[error("the call was given up: {0}")]
    Revoked(String),
    /// A write was sent, and whether it happened is not known.
    #[error("the outcome of call {call_id} is not known: {detail}")]
    OutcomeUnknown {
        /// The call.
        call_id: CallId,
        /// Whether HubSpot failed or was silent. Not where the answer could not be recorded, or the call was cut off by us.
        hubspot_failed: bool,
        /// For the log.
        detail: String,
        /// The receipt for the entry that says so, where there is one.
        receipt: Option<Receipt>,
    },
    /// HubSpot said no.
    #[error("HubSpot refused with {}: {} {}", .0.status, .0.category, .0.message)]
    Refused(Box<Refusal>, Limits),
}

impl Error {
    /// What HubSpot's headers said of the portal's limits, where it answered.
    pub const fn limits(&self) -> Option<&Limits> {
        match self {
            Self::Refused(_, limits) => Some(limits),
            _ => None,
        }
    }

    /// The same, with the receipt for the outcome that says so: of a write that HubSpot has heard of.
    #[must_use]
    pub fn with_receipt(mut self, of_outcome: Option<Receipt>) -> Self {
        match &mut self {
            Self::OutcomeUnknown { receipt, .. } => *receipt = of_outcome,
            Self::Refused(refusal, _) => refusal.receipt = of_outcome,
            _ => {}
        }
        self
    }

    /// The receipt for the outcome of a write that HubSpot has refused, or may have carried out.
    pub const fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::OutcomeUnknown { receipt, .. } => receipt.as_ref(),
            Self::Refused(refusal, _) => refusal.receipt.as_ref(),
            _ => None,
        }
    }

    /// The same, where HubSpot refused for a limit and did not say for how long: for this long.
    #[must_use]
    pub fn limited_for(mut self, pause: Duration) -> Self {
        if let Self::Refused(refusal, _) = &mut self
            && let RefusalKind::RateLimited { retry_after, .. } = &mut refusal.kind
        {
            retry_after.get_or_insert(pause);
        }
        self
    }

    /// The same error for another call that the same read was for. `None` of what concerns one call alone, or its entries:
    /// the other is to be made by itself.
    pub fn shared(&self) -> Option<Self> {
        match self {
            Self::NotSent(detail) => Some(Self::NotSent(detail.clone())),
            Self::NoAnswer { cause, detail } => Some(Self::NoAnswer {
                cause: *cause,
                detail: detail.clone(),
            }),
            Self::Refused(refusal, limits) => Some(Self::Refused(refusal.clone(), *limits)),
            Self::IntentNotRecorded(_)
            | Self::OutcomeNotRecorded(_)
            | Self::Revoked(_)
            | Self::OutcomeUnknown { .. } => None,
        }
    }

    /// That of a read which was given up at its deadline, while it may go on for others.
    pub fn gave_up() -> Self {
        Self::NoAnswer {
            cause: Cause::Timeout,
            detail: "no answer before the deadline".to_owned(),
        }
    }

    /// Whether the same read may give an answer if it is sent again now.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::NoAnswer { .. } => true,
            Self::Refused(refusal, _) => match &refusal.kind {
                RefusalKind::RateLimited { policy, retry_after } => {
                    retry_after.is_some() && !refusal::lasts_all_day(policy)
                }
                RefusalKind::Locked(_) => true,
                RefusalKind::ServerFailed => !refusal.is_for_support(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The same of a write, where it is certain that HubSpot has not carried it out: it was not sent, or HubSpot said that it
    /// would not. What HubSpot says while it fails is not certain.
    pub fn is_passing_for_a_write(&self) -> bool {
        let undone = match self {
            Self::NotSent(_) => true,
            Self::Refused(refusal, _) => matches!(
                refusal.kind,
                RefusalKind::RateLimited { .. } | RefusalKind::Locked(_)
            ),
            _ => false,
        };
        undone && self.is_passing()
    }
}

/// Whether calls are refused for a reason that whoever reads the message can do something about, or that lasts.
const fn says_why(error: &hubkeep_audit_log::Error) -> bool {
    use hubkeep_audit_log::{Error, Failure};
    matches!(
        error,
        Error::Unavailable(Failure::Unanchored(_) | Failure::NoRoom(_) | Failure::Behind)
    )
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::IntentNotRecorded(_)
            | Self::OutcomeNotRecorded(_)
            | Self::NotSent(_)
            | Self::NoAnswer { .. } => ErrorKind::Unavailable,
            Self::Revoked(_) => ErrorKind::Unauthenticated,
            Self::OutcomeUnknown { .. } => ErrorKind::Unknown,
            Self::Refused(refusal, _) => match &refusal.kind {
                RefusalKind::NotFound => ErrorKind::NotFound,
                RefusalKind::Conflict(_) => ErrorKind::AlreadyExists,
                RefusalKind::Validation { .. } => ErrorKind::InvalidArgument,
                RefusalKind::RateLimited { .. } => ErrorKind::ResourceExhausted,
                RefusalKind::Locked(_) | RefusalKind::Migrating(_) | RefusalKind::ServerFailed => {
                    ErrorKind::Unavailable
                }
                RefusalKind::TokenRefused
                | RefusalKind::ConsentLost
                | RefusalKind::AppRefused
                | RefusalKind::ScopeMissing(_)
                | RefusalKind::Other => ErrorKind::FailedPrecondition,
            },
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::IntentNotRecorded(_) | Self::OutcomeNotRecorded(_) => ErrorReason::AuditUnavailable,
            Self::NotSent(_) | Self::NoAnswer { .. } => ErrorReason::HubspotUnavailable,
            Self::Revoked(_) => ErrorReason::HandleInvalid,
            Self::OutcomeUnknown { .. } => ErrorReason::OutcomeUnknown,
            Self::Refused(refusal, _) => match &refusal.kind {
                RefusalKind::TokenRefused => ErrorReason::TokenRefused,
                RefusalKind::ConsentLost => ErrorReason::ConsentRequired,
                RefusalKind::AppRefused => ErrorReason::AppRefused,
                RefusalKind::ScopeMissing(_) => ErrorReason::ScopeMissing,
                RefusalKind::NotFound => ErrorReason::ObjectNotFound,
                RefusalKind::Conflict(_) => ErrorReason::ObjectConflict,
                RefusalKind::Validation { .. } => ErrorReason::HubspotValidation,
                RefusalKind::RateLimited { .. } => ErrorReason::HubspotRateLimited,
                RefusalKind::Locked(_) => ErrorReason::ObjectLocked,
                RefusalKind::Migrating(_) => ErrorReason::PortalMigrating,
                RefusalKind::ServerFailed => ErrorReason::HubspotUnavailable,
                RefusalKind::Other => ErrorReason::HubspotRefused,
            },
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::IntentNotRecorded(error) if says_why(error) => error.public_message(),
            Self::IntentNotRecorded(_) => {
                "the call could not be put on record, so it was not made: try again".to_owned()
            }
            Self::OutcomeNotRecorded(_) => {
                "the answer could not be put on record, so it is withheld: try again".to_owned()
            }
            Self::NotSent(_) => "HubSpot could not be reached: try again".to_owned(),
            Self::NoAnswer { .. } => "HubSpot gave no answer that can be used: try again".to_owned(),
            Self::Revoked(_) => "the handle is not valid: take a new one".to_owned(),
            Self::OutcomeUnknown { .. } => {
                "the write was sent and its outcome is not known: read the record before writing again"
                    .to_owned()
            }
            Self::Refused(refusal, _) => refused(refusal),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut pairs = match self {
            Self::OutcomeUnknown { call_id, .. } => vec![("call_id", call_id.to_string())],
            Self::Refused(refusal, _) => metadata(refusal),
            _ => Vec::new(),
        };
        if let Some(receipt) = self.receipt() {
            pairs.push(("receipt", receipt.as_str().to_owned()));
        }
        pairs
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::IntentNotRecorded(error) if says_why(error) => error.retry_after(),
            Self::IntentNotRecorded(_) | Self::OutcomeNotRecorded(_) => Some(Duration::from_secs(1)),
            Self::NotSent(_) | Self::NoAnswer { .. } => Some(Duration::from_secs(1)),
            Self::OutcomeUnknown { .. } | Self::Revoked(_) => None,
            Self::Refused(refusal, _) => refusal.retry_after(),
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        let Self::Refused(refusal, _) = self else {
            return None;
        };
        let RefusalKind::RateLimited { policy, .. } = &refusal.kind else {
            return None;
        };
        Some(QuotaViolation {
            subject: format!("hubspot:{policy}"),
            description: refused(refusal),
        })
    }
}

fn refused(refusal: &Refusal) -> String {
    let said = &refusal.message;
    match &refusal.kind {
        RefusalKind::TokenRefused => token_refused(refusal).to_owned(),
        RefusalKind::ConsentLost => {
            "HubSpot refuses the refresh token: the app was uninstalled, or the token is another app's; connect the app to \
             the account again, and rotate the credential to the new refresh token"
                .to_owned()
        }
        RefusalKind::AppRefused => {
            "HubSpot refuses the app of this deployment: an operator must look at hubspot.app and at the app itself"
                .to_owned()
        }
        RefusalKind::ScopeMissing(scopes) if scopes.is_empty() => {
            "the portal's token lacks a scope, and HubSpot does not say which".to_owned()
        }
        RefusalKind::ScopeMissing(scopes) => {
            format!(
                "the portal's token lacks a scope; HubSpot asks for one of: {}",
                scopes.join(", ")
            )
        }
        RefusalKind::NotFound => "HubSpot has no such record".to_owned(),
        RefusalKind::Conflict(Some(id)) => format!("HubSpot already has such a record: {id}"),
        RefusalKind::Conflict(None) => "HubSpot already has such a record".to_owned(),
        RefusalKind::Validation { .. } if refusal.status == 414 => {
            "HubSpot finds the address too long: ask for fewer properties, or for records in a batch".to_owned()
        }
        RefusalKind::Validation { .. } if said.is_empty() => {
            "HubSpot finds the request not valid, and does not say why".to_owned()
        }
        RefusalKind::Validation { .. } => format!("HubSpot finds the request not valid: {said}"),
        RefusalKind::RateLimited { policy, .. } if refusal::lasts_all_day(policy) => {
            format!("HubSpot's limit {policy} is used up until midnight in the portal's time zone")
        }
        RefusalKind::RateLimited { policy, .. } => {
            format!("HubSpot's limit {policy} is used up: try again later")
        }
        RefusalKind::Locked(_) => "HubSpot holds a lock on the record: try again".to_owned(),
        RefusalKind::Migrating(wait) => {
            let wait = in_words(*wait);
            format!("HubSpot is moving the portal between data centres: try again in {wait}")
        }
        RefusalKind::ServerFailed if refusal.is_for_support() => format!(
            "HubSpot is not reached by its own front (status {}): if it lasts, its support must be told",
            refusal.status
        ),
        RefusalKind::ServerFailed => "HubSpot failed: try again".to_owned(),
        RefusalKind::Other if refusal.is_redirect() => format!(
            "HubSpot, or something in its place, answered {} and sent the call elsewhere; that is never followed, and \
             nothing was sent there: an operator must look at hubspot.api_base",
            refusal.status
        ),
        RefusalKind::Other if said.is_empty() => {
            format!(
                "HubSpot refused with status {}, and does not say why",
                refusal.status
            )
        }
        RefusalKind::Other => format!("HubSpot refused with status {}: {said}", refusal.status),
    }
}

fn token_refused(refusal: &Refusal) -> &'static str {
    match refusal.token_fault() {
        Some(TokenFault::Expired) => {
            "HubSpot refuses the portal's token, for it has expired: an operator must replace it"
        }
        Some(TokenFault::NotAToken) => {
            "HubSpot refuses the portal's token, for it is none, or not a whole one: an operator must replace it"
        }
        Some(TokenFault::NotKnown) | None => {
            "HubSpot refuses the portal's token: an operator must replace it"
        }
    }
}

/// A delay as one says it; rounded up, for before it has passed nothing has changed.
fn in_words(delay: Duration) -> String {
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn metadata(refusal: &Refusal) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut add = |key, value: &str| {
        if !value.is_empty() {
            pairs.push((key, value.to_owned()));
        }
    };
    add("hubspot_correlation_id", &refusal.correlation_id);
    match &refusal.kind {
        RefusalKind::ScopeMissing(scopes) => add("required_scopes", &scopes.join(",")),
        RefusalKind::Conflict(id) => add("existing_object_id", id.as_deref().unwrap_or_default()),
        RefusalKind::Validation { code, property } => {
            add("hubspot_code", code.as_deref().unwrap_or_default());
            add("property", property.as_deref().unwrap_or_default());
        }
        RefusalKind::RateLimited { policy, .. } => add("policy", policy),
        RefusalKind::ServerFailed => add("status_code", &refusal.status.to_string()),
        RefusalKind::Other | RefusalKind::AppRefused => {
            add("status_code", &refusal.status.to_string());
            add("hubspot_category", &refusal.category);
        }
        _ => {}
    }
    pairs
}

#[cfg(test)]
mod tests;
