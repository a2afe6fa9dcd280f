//! The one place where a `tonic::Status` is made.

use std::{collections::HashMap, time::Duration};

use hubkeep_proto::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{
    ErrorDetails, FieldViolation as WireFieldViolation, QuotaViolation as WireQuotaViolation, StatusExt as _,
};

use super::{ErrorKind, ErrorReason, ServiceError};
use crate::id::RequestId;

/// The longest public message sent, in characters: details must fit in HTTP/2 headers.
const MAX_MESSAGE_CHARS: usize = 1_024;

/// When to ask again where a server takes no request now, but did nothing of this one.
pub(crate) const SHORTLY: Duration = Duration::from_millis(200);

/// Turns an error into what the caller sees, and puts the whole of it in the log.
pub fn from_error(error: &dyn ServiceError, request_id: RequestId) -> Status {
    log(error, &request_id.to_string());
    let mut details = details_of(error);
    details.set_request_info(request_id.to_string(), "");
    with_details(error, details)
}

/// The same for a request that never got an id, because the server lacks the layer that gives them: a defect.
pub(crate) fn without_request(error: &dyn ServiceError) -> Status {
    log(error, "");
    with_details(error, details_of(error))
}

fn details_of(error: &dyn ServiceError) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> = error
        .metadata()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    details.set_error_info(error.reason().wire_name(), ERROR_DOMAIN, metadata);
    if let Some(delay) = error.retry_after() {
        details.set_retry_info(Some(delay));
    }
    let fields = error.field_violations();
    if !fields.is_empty() {
        let wire = fields
            .into_iter()
            .map(|v| WireFieldViolation::new(v.field, v.description))
            .collect::<Vec<_>>();
        details.set_bad_request(wire);
    }
    if let Some(quota) = error.quota_violation() {
        details.set_quota_failure(vec![WireQuotaViolation::new(quota.subject, quota.description)]);
    }
    details
}

fn with_details(error: &dyn ServiceError, details: ErrorDetails) -> Status {
    let message: String = error.public_message().chars().take(MAX_MESSAGE_CHARS).collect();
    Status::with_error_details(code(error.kind()), message, details)
}

/// The same status with our details, where gRPC itself refused a message before any method saw it.
pub(crate) fn completed(code: Code, message: &str, request_id: RequestId) -> Status {
    let (reason, message) = match code {
        Code::OutOfRange | Code::ResourceExhausted => (
            ErrorReason::MessageTooLarge,
            "the message is larger than this service accepts: send less at once",
        ),
        Code::Unimplemented => (
            ErrorReason::MethodUnknown,
            "no such method: see the server's reflection for those it has",
        ),
        Code::Internal | Code::InvalidArgument => (
            ErrorReason::MessageMalformed,
            "the message could not be decoded: check it against the .proto files",
        ),
        Code::DeadlineExceeded => (ErrorReason::DeadlineTooShort, "the deadline passed"),
        Code::Unavailable => (
            ErrorReason::Stopping,
            "the service is not taking requests: try again",
        ),
        _ => (ErrorReason::Internal, message),
    };
    let mut details = ErrorDetails::new();
    details.set_error_info(reason.wire_name(), ERROR_DOMAIN, HashMap::new());
    if reason == ErrorReason::Stopping {
        details.set_retry_info(Some(SHORTLY));
    }
    details.set_request_info(request_id.to_string(), "");
    Status::with_error_details(code, message, details)
}

const fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::OutOfRange => Code::OutOfRange,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::FailedPrecondition => Code::FailedPrecondition,
        ErrorKind::ResourceExhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorKind::Unknown => Code::Unknown,
        ErrorKind::Internal => Code::Internal,
    }
}

fn log(error: &dyn ServiceError, request_id: &str) {
    let reason = error.reason().wire_name();
    match error.kind() {
        ErrorKind::Internal => tracing::error!(request_id, reason, error = chain(error), "defect"),
        // As it should be: whoever stops the service has said so.
        _ if error.reason() == ErrorReason::Stopping => {
            tracing::debug!(request_id, reason, error = chain(error), "refused");
        }
        ErrorKind::Unavailable | ErrorKind::Unknown => {
            tracing::warn!(request_id, reason, error = chain(error), "not done");
        }
        _ => tracing::info!(request_id, reason, error = chain(error), "refused"),
    }
}

/// The error and all that caused it, in one line.
fn chain(error: &dyn ServiceError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;
    use crate::{clock::SystemClock, random::SystemRandom};

    #[derive(Debug, Error)]
    #[error("bucket 7 of portal 42 is empty")]
    struct Full;

    impl ServiceError for Full {
        fn kind(&self) -> ErrorKind {
            ErrorKind::ResourceExhausted
        }
        fn reason(&self) -> ErrorReason {
            ErrorReason::BudgetExhausted
        }
        fn public_message(&self) -> String {
            "wait a moment".to_owned()
        }
        fn retry_after(&self) -> Option<Duration> {
            Some(Duration::from_secs(3))
        }
    }

    fn request_id() -> RequestId {
        RequestId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random")
    }

    #[test]
    fn the_caller_reads_the_public_message_and_the_reason_but_not_the_inner_sentence() {
        let id = request_id();
        let status = from_error(&Full, id);
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.message(), "wait a moment");
        let details = status.get_error_details();
        let info = details.error_info().expect("every error has it");
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("BUDGET_EXHAUSTED", "hubkeep")
        );
        assert_eq!(details.request_info().expect("always").request_id, id.to_string());
        assert_eq!(
            details.retry_info().expect("set").retry_delay,
            Some(Duration::from_secs(3))
        );
    }

    #[test]
    fn what_grpc_itself_refuses_gets_a_reason_too() {
        let status = completed(Code::OutOfRange, "decoded message length too large", request_id());
        assert_eq!(status.code(), Code::OutOfRange);
        assert_eq!(
            status.get_error_details().error_info().expect("set").reason,
            "MESSAGE_TOO_LARGE"
        );
    }

    #[test]
    fn where_grpc_itself_takes_no_request_the_caller_learns_when_to_come_again() {
        let told = |code| completed(code, "said by gRPC", request_id()).get_error_details();
        let unavailable = told(Code::Unavailable);
        assert_eq!(unavailable.error_info().expect("set").reason, "STOPPING");
        let retry = unavailable.retry_info().expect("the reason promises it");
        assert_eq!(retry.retry_delay, Some(SHORTLY));
        for code in [
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Internal,
            Code::DeadlineExceeded,
            Code::Unknown,
        ] {
            assert!(
                told(code).retry_info().is_none(),
                "{code:?}: the same request does not succeed later"
            );
        }
    }
}
