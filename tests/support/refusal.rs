//! What a refusal says to its caller, read from the details of the status.

use std::{collections::HashMap, time::Duration};

use hubkeep_proto::{ERROR_DOMAIN, error::v1::ErrorReason};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The reason of a refusal, as in `ErrorInfo`. Panics if the status is not a refusal of Hubkeep's: without reason,
/// with another domain, with a reason that the enum does not have, or without the request's id.
pub fn reason(status: &Status) -> String {
    Refused::of(status).reason
}

/// A refusal, read.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The canonical code.
    pub code: Code,
    /// The reason's name on the wire.
    pub reason: String,
    /// The metadata of `ErrorInfo`.
    pub metadata: HashMap<String, String>,
    /// The delay of `RetryInfo`, where it is there.
    pub retry_after: Option<Duration>,
    /// Whether there is a `QuotaFailure`.
    pub has_quota_failure: bool,
    /// The fields that `BadRequest` names.
    pub fields: Vec<String>,
    /// The id of `RequestInfo`.
    pub request_id: String,
}

impl Refused {
    /// Reads a status. Panics if it is not as every refusal of Hubkeep's must be.
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .unwrap_or_else(|| panic!("a status without a reason: {status:?}"));
        assert_eq!(info.domain, ERROR_DOMAIN, "{status:?}");
        assert!(
            ErrorReason::from_wire_name(&info.reason).is_some(),
            "{} is not in the enum of reasons",
            info.reason
        );
        let request = details.request_info();
        let request_id = request
            .map(|request| request.request_id.clone())
            .unwrap_or_default();
        assert!(
            !request_id.is_empty(),
            "{} came without a request id",
            info.reason
        );
        assert!(
            !status.message().is_empty(),
            "{} came without a sentence",
            info.reason
        );
        let violations = details.bad_request().map(|bad| bad.field_violations.clone());
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            metadata: info.metadata.clone(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            has_quota_failure: details.quota_failure().is_some(),
            fields: violations
                .unwrap_or_default()
                .into_iter()
                .map(|at| at.field)
                .collect(),
            request_id,
        }
    }

    /// The refusal in an answer that ought to be one.
    pub fn in_place_of<T>(answer: Result<T, Status>) -> Self {
        match answer {
            Ok(_) => panic!("answered, and not refused"),
            Err(status) => Self::of(&status),
        }
    }

    /// Code and reason, to compare.
    pub fn said(&self) -> (Code, &str) {
        (self.code, &self.reason)
    }
}
