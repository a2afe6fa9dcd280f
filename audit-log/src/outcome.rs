//! How it ended.

use std::time::Duration;

use hubkeep_core::error::ErrorReason;
use hubkeep_proto::audit::v1::Entry;

use crate::{CallResult, Cause, QuotaLeft, draft::bounded};

/// The longest id of an exchange kept, in characters: it comes from outside.
const MAX_CORRELATION_ID: usize = 128;

/// How an attempt, or an administrative act, ended. Make one with [`ok`](Self::ok), [`refused`](Self::refused),
/// [`failed`](Self::failed) or [`unknown`](Self::unknown), and set what else is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub result: CallResult,
    /// Why, where the result is not known or a request was refused.
    pub cause: Cause,
    /// The reason the caller was given.
    pub reason: Option<ErrorReason>,
    /// The HTTP status that HubSpot answered; 0 where there was none.
    pub status_code: u32,
    /// How long it took. Where an intent is settled without, it is the time since the intent was durable.
    pub duration: Option<Duration>,
    /// How many records HubSpot returned or changed.
    pub record_count: u32,
    /// Keyed hashes of the ids of those records, or of those that it was about, 16 bytes each, but for the one that the draft names.
    pub record_refs: Vec<u8>,
    /// Size of the body that HubSpot answered, in bytes.
    pub response_bytes: u64,
    /// HubSpot's own id of the exchange; the first 128 characters are kept.
    pub hubspot_correlation_id: String,
    /// What was left of the portal's quota.
    pub quota_left: Option<QuotaLeft>,
}

impl Outcome {
    fn of(result: CallResult) -> Self {
        Self {
            result,
            ..Self::default()
        }
    }

    /// It was done.
    pub fn ok() -> Self {
        Self::of(CallResult::Ok)
    }

    /// HubSpot, or Hubkeep, refused it.
    pub fn refused(reason: ErrorReason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(CallResult::Refused)
        }
    }

    /// It failed, and is known not to have been done.
    pub fn failed(reason: ErrorReason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(CallResult::Failed)
        }
    }

    /// It may or may not have been done.
    pub fn unknown(cause: Cause) -> Self {
        Self {
            cause,
            ..Self::of(CallResult::Unknown)
        }
    }

    /// It was never sent: nobody waited any more when its intent became durable.
    pub(crate) fn not_sent() -> Self {
        Self {
            cause: Cause::NotSent,
            ..Self::failed(ErrorReason::AuditUnavailable)
        }
    }

    pub(crate) fn write_to(self, entry: &mut Entry) {
        entry.result = self.result.into();
        entry.cause = self.cause.into();
        entry.reason = self.reason.unwrap_or_default().into();
        entry.status_code = self.status_code;
        entry.duration = self
            .duration
            .and_then(|duration| prost_types::Duration::try_from(duration).ok());
        entry.record_count = self.record_count;
        entry.record_refs = self.record_refs;
        entry.response_bytes = self.response_bytes;
        entry.hubspot_correlation_id = bounded(&self.hubspot_correlation_id, MAX_CORRELATION_ID);
        entry.quota_left = self.quota_left;
    }
}
