//! Why a call gave no reply.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::Receipt;
use hubkeep_core::{
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{CallId, PortalId},
    random::RandomError,
};
use hubkeep_hubspot::{BatchSize, Effect, RefusalKind};
use thiserror::Error as ThisError;
use tokio::task::JoinError;

use super::Cause;
use crate::{
    credentials,
    crm::{self, ObjectType, RowError},
    pairs, quota, suppression, writes,
};

/// A call that gave no reply.
#[derive(Debug, ThisError)]
pub enum Error {
    /// What was asked cannot be asked.
    #[error(transparent)]
    Request(#[from] crm::Error),
    /// The handle gave no grant.
    #[error(transparent)]
    Handle(#[from] credentials::Error),
    /// The grant does not cover the call.
    #[error("{0}")]
    NotPermitted(Cause),
    /// The portal's budget has no room.
    #[error(transparent)]
    Quota(#[from] quota::Error),
    /// HubSpot gave no answer that can be used, or the call could not be recorded.
    #[error("{object_type}: {error}")]
    HubSpot {
        /// What became of it.
        #[source]
        error: hubkeep_hubspot::Error,
        /// The type of the records it was about.
        object_type: ObjectType,
    },
    /// The token that a write would use is another portal's. Nothing was written.
    #[error("the token of portal {expected} answers for portal {actual}")]
    OfAnotherPortal {
        /// Whose it should be.
        expected: PortalId,
        /// Whose HubSpot says it is.
        actual: PortalId,
    },
    /// Whose account the token of a write is was not found out: by this, or `None` if not in time. Nothing was written.
    #[error("before a write it was not found out whose account the token is")]
    Unproven(#[source] Option<Arc<Error>>),
    /// The keys of this service cannot be used.
    #[error("the key for references to records cannot be used")]
    Keys(#[from] hubkeep_seal::Error),
    /// Nobody waits for the reply any more, and nothing was sent.
    #[error("the caller hung up before anything was sent")]
    CallerGone,
    /// The service stops, and nothing was sent.
    #[error("the service is stopping, and nothing was sent")]
    Stopping,
    /// Too little time is left to make the call, and nothing was sent.
    #[error("too little time is left to make the call")]
    TooLate,
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A contact that was erased would be created again. Nothing was written.
    #[error("input {input} would create again a contact that was erased")]
    ContactErased {
        /// The place of the input, from 0.
        input: usize,
    },
    /// Whether a contact was erased could not be looked up. Nothing was written.
    #[error(transparent)]
    Suppression(#[from] suppression::Error),
    /// A write was not made, or what came of it is not given.
    #[error(transparent)]
    Write(#[from] writes::Error),
    /// There was no turn at a pair of records. Nothing was written.
    #[error(transparent)]
    Pair(#[from] pairs::Error),
    /// Only the result of an earlier request was wanted, and there is none.
    #[error("there is no result of an earlier request")]
    NothingKept,
    /// A call was made of more inputs than HubSpot takes: a defect.
    #[error(transparent)]
    BatchSize(#[from] BatchSize),
    /// The answer is not one to what was asked: a defect.
    #[error("the answer is not one to what was asked")]
    WrongAnswer,
    /// A read was made together with others, and its own outcome could not be recorded in time. The answer is withheld.
    #[error("the outcome of this call could not be recorded in time")]
    OutcomeNotDurable,
    /// The task that carried the call ended without a result: a defect.
    #[error("the task that carried the call was lost")]
    Lost(#[from] JoinError),
}

/// Who refuses a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedBy {
    /// HubSpot, which has carried out nothing of what was sent.
    HubSpot,
    /// This process, which has heard HubSpot say so before. Nothing was sent.
    Us,
}

/// Another replica, or the next process, answers after this.
const SOON: Duration = Duration::from_millis(200);

/// When HubSpot may say whose account a token is, if it did not do so in time.
const UNPROVEN: Duration = Duration::from_secs(1);

impl Error {
    /// The error that knows what the caller is told; `None` where this one knows it itself.
    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::Request(error) => Some(error),
            Self::Handle(error) => Some(error),
            Self::Quota(error) => Some(error),
            Self::HubSpot { error, .. } => Some(error),
            Self::Unproven(Some(error)) => Some(&**error),
            Self::Suppression(error) => Some(error),
            Self::Write(error) => Some(error),
            Self::Pair(error) => Some(error),
            Self::NotPermitted(_)
            | Self::OfAnotherPortal { .. }
            | Self::Unproven(None)
            | Self::Keys(_)
            | Self::CallerGone
            | Self::Stopping
            | Self::TooLate
            | Self::Random(_)
            | Self::ContactErased { .. }
            | Self::NothingKept
            | Self::BatchSize(_)
            | Self::WrongAnswer
            | Self::OutcomeNotDurable
            | Self::Lost(_) => None,
        }
    }

    /// The same error for another call that the same read was made for; `None` of what concerns one call alone.
    pub(super) fn shared(&self) -> Option<Self> {
        match self {
            Self::HubSpot { error, object_type } => Some(Self::HubSpot {
                error: error.shared()?,
                object_type: object_type.clone(),
            }),
            _ => None,
        }
    }

    /// Whether HubSpot may have received what was asked. If not, it is a refusal, and is recorded as one: unless nothing
    /// can be recorded, which is why it is refused.
    pub(super) fn reached_hubspot(&self) -> bool {
        match self {
            Self::HubSpot { .. } | Self::OutcomeNotDurable | Self::Lost(_) => true,
            Self::Unproven(Some(error)) => error.reason() == ErrorReason::AuditUnavailable,
            _ => false,
        }
    }

    /// Who says that HubSpot refuses the token by which it was to be made; `None` where it is refused for something else.
    pub(super) fn refused_token(&self) -> Option<RefusedBy> {
        match self {
            Self::HubSpot {
                error: hubkeep_hubspot::Error::Refused(refusal, _),
                ..
            } if refusal.is_of_the_token() => Some(RefusedBy::HubSpot),
            Self::Handle(credentials::Error::TokenRefused { .. }) => Some(RefusedBy::Us),
            Self::Unproven(Some(error)) => error.refused_token(),
            _ => None,
        }
    }

    /// The record that HubSpot names as the reason not to make another.
    pub(super) fn existing_record(&self) -> Option<&str> {
        let Self::HubSpot {
            error: hubkeep_hubspot::Error::Refused(refusal, _),
            ..
        } = self
        else {
            return None;
        };
        match &refusal.kind {
            RefusalKind::Conflict(Some(id)) => Some(id),
            _ => None,
        }
    }

    /// The receipt for the outcome of a write that HubSpot has refused, or may have carried out.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::HubSpot { error, .. } => error.receipt(),
            _ => None,
        }
    }

    /// The same error, with such a receipt.
    #[must_use]
    pub(super) fn with_receipt(self, receipt: Option<Receipt>) -> Self {
        match self {
            Self::HubSpot { error, object_type } => Self::HubSpot {
                error: error.with_receipt(receipt),
                object_type,
            },
            other => other,
        }
    }

    /// Whether HubSpot may have carried out what was asked, and nobody knows.
    pub(super) const fn leaves_open(&self) -> bool {
        matches!(
            self,
            Self::HubSpot {
                error: hubkeep_hubspot::Error::OutcomeUnknown { .. },
                ..
            }
        )
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotPermitted(cause) => cause.kind(),
            Self::OfAnotherPortal { .. } | Self::ContactErased { .. } => ErrorKind::FailedPrecondition,
            Self::Unproven(None)
            | Self::Keys(_)
            | Self::CallerGone
            | Self::Stopping
            | Self::OutcomeNotDurable => ErrorKind::Unavailable,
            Self::TooLate => ErrorKind::DeadlineExceeded,
            _ => self.inner().map_or(ErrorKind::Internal, ServiceError::kind),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NotPermitted(cause) => cause.reason(),
            Self::OfAnotherPortal { .. } => ErrorReason::TokenOfAnotherPortal,
            Self::ContactErased { .. } => ErrorReason::ContactErased,
            Self::Unproven(None) => ErrorReason::HubspotUnavailable,
            Self::OutcomeNotDurable => ErrorReason::AuditUnavailable,
            Self::Keys(_) => ErrorReason::KeyUnavailable,
            Self::CallerGone => ErrorReason::CallerGone,
            Self::Stopping => ErrorReason::Stopping,
            Self::TooLate => ErrorReason::DeadlineTooShort,
            _ => self.inner().map_or(ErrorReason::Internal, ServiceError::reason),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NotPermitted(cause) => cause.advice(),
            Self::OfAnotherPortal { .. } => {
                "HubSpot says that the portal's token is another portal's: nothing was written; an operator must look"
                    .to_owned()
            }
            Self::ContactErased { .. } => {
                "this contact was erased and is not created again: leave it out; nothing was sent for it".to_owned()
            }
            Self::Unproven(None) => {
                "HubSpot did not say in time whose account the token is, so nothing was written: try again"
                    .to_owned()
            }
            Self::TooLate => "the deadline leaves too little time to make the call: allow more".to_owned(),
            Self::Stopping => {
                "this service is stopping, and nothing was sent: send it again, to another".to_owned()
            }
            Self::OutcomeNotDurable => {
                "HubSpot answered, and that could not be recorded in time: the answer is withheld; try again".to_owned()
            }
            Self::Keys(_) => "the service's key cannot be used: an operator must look".to_owned(),
            _ => self.inner().map_or_else(
                || "an internal error; the request id finds it".to_owned(),
                ServiceError::public_message,
            ),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotPermitted(cause) => cause.metadata(),
            Self::OfAnotherPortal { expected, actual } => vec![
                ("expected_portal_id", expected.to_string()),
                ("actual_portal_id", actual.to_string()),
            ],
            Self::ContactErased { input } => vec![("input", input.to_string())],
            Self::HubSpot { error, object_type } => {
                let mut metadata = error.metadata();
                if matches!(
                    error.reason(),
                    ErrorReason::ObjectNotFound | ErrorReason::ObjectConflict
                ) {
                    metadata.push(("object_type", object_type.to_string()));
                }
                metadata
            }
            _ => self.inner().map(ServiceError::metadata).unwrap_or_default(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Stopping => Some(SOON),
            Self::Unproven(None) => Some(UNPROVEN),
            _ => self.inner().and_then(ServiceError::retry_after),
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        self.inner()
            .map(ServiceError::field_violations)
            .unwrap_or_default()
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        self.inner().and_then(ServiceError::quota_violation)
    }
}

/// What became of one input of a batch, as an error of a call that was about this input alone.
pub fn row_error(error: RowError, object_type: &ObjectType, effect: Effect, call_id: CallId) -> Error {
    match error {
        RowError::HubSpot(refusal) => Error::HubSpot {
            error: refusal.into_error(effect, call_id),
            object_type: object_type.clone(),
        },
        RowError::NotAllowed(limited_by) => Error::NotPermitted(Cause::record(object_type, limited_by)),
        // It stands in the place of its input.
        RowError::Erased => Error::ContactErased { input: 0 },
    }
}

#[cfg(test)]
mod tests;
