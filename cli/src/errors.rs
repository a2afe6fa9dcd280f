//! What can go wrong for somebody who runs a command, and how it is told: in words, and as JSON.

use std::{collections::BTreeMap, error::Error as StdError, io, time::Duration};

use hubkeep_core::tls::{plainly, refused_connection};
use hubkeep_proto::{ERROR_DOMAIN, error::v1::ErrorReason};
use serde::Serialize;
use thiserror::Error as ThisError;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::exit::Exit;

/// The reason of a write of which nobody knows whether it happened.
const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";
/// The key of metadata under which a receipt lies: several lines.
const RECEIPT: &str = "receipt";

/// A command that did not do what it was told.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The command line, or a file that it names, cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The file of an import cannot be used.
    #[error("{0}")]
    ImportFile(String),
    /// The service refused the request.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// The service was not reached, or the connection broke.
    #[error("{service} at {address} cannot be reached: {detail}")]
    Unreachable {
        /// Its name.
        service: &'static str,
        /// Where it was looked for.
        address: String,
        /// What the network said.
        detail: String,
    },
    /// No connection came through its handshake: nothing was sent.
    #[error("{service} at {address} and this command do not agree on a connection: {detail}")]
    Handshake {
        /// Its name.
        service: &'static str,
        /// Where it was looked for.
        address: String,
        /// Why not, and what to do.
        detail: String,
    },
    /// The connection broke under a write.
    #[error(
        "{service} at {address} did not answer; the write may or may not have happened: read the record before writing again ({detail})"
    )]
    OutcomeUnknown {
        /// Its name.
        service: &'static str,
        /// Where it is.
        address: String,
        /// What the network said.
        detail: String,
    },
    /// What was found cannot be written where it should go.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// Something on this side failed.
    #[error("{0}")]
    Failed(String),
}

/// What a service says when it refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The canonical gRPC code: "PERMISSION_DENIED".
    pub code: String,
    /// The reason from `hubkeep.error.v1.ErrorReason`, without its prefix; empty if the refusal is not a Hubkeep
    /// service's.
    pub reason: String,
    /// What happened and what to do, in one sentence.
    pub message: String,
    /// What the reason is about.
    pub metadata: BTreeMap<String, String>,
    /// After how many milliseconds the same request may succeed; absent if waiting is no help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Finds the request in the service's log and audit entries.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The fields of the request at fault.
    pub fields: Vec<Field>,
}

/// One field of a request that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its path in the request.
    pub field: String,
    /// The rule.
    pub description: String,
}

impl Error {
    /// Sorts out what a call to `service` ended with.
    pub fn of_call(status: &Status, service: &'static str, address: &str) -> Self {
        let (refusal, address) = (Refusal::from_status(status), address.to_owned());
        let failed = refused_connection(status);
        if let Some(detail) = failed.filter(|_| refusal.reason.is_empty()) {
            return Self::Handshake {
                service,
                address,
                detail,
            };
        }
        if refusal.reason.is_empty() && cut_off(status) {
            let detail = detail(status);
            return Self::Unreachable {
                service,
                address,
                detail,
            };
        }
        Self::Refused(Box::new(refusal))
    }

    /// Sorts out what a write ended with: unless nobody was there to take it, a broken connection says nothing of
    /// whether it happened.
    pub fn of_write(status: &Status, service: &'static str, address: &str) -> Self {
        match Self::of_call(status, service, address) {
            Self::Unreachable {
                service,
                address,
                detail,
            } if !nobody_there(status) => Self::OutcomeUnknown {
                service,
                address,
                detail,
            },
            other => other,
        }
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::ImportFile(_) => Exit::Usage,
            Self::Refused(refusal) if refusal.reason == OUTCOME_UNKNOWN => Exit::OutcomeUnknown,
            Self::OutcomeUnknown { .. } => Exit::OutcomeUnknown,
            Self::Refused(_) => Exit::Refused,
            Self::Unreachable { .. } | Self::Handshake { .. } => Exit::Unreachable,
            Self::Output(_) | Self::Failed(_) => Exit::Failed,
        }
    }

    /// Whether whoever read our output went away: then there is nobody to tell.
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether the same call may succeed a moment later without anybody doing anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.retry_after_ms.is_some() || refusal.code == "UNAVAILABLE",
            Self::Usage(_)
            | Self::ImportFile(_)
            | Self::Handshake { .. }
            | Self::OutcomeUnknown { .. }
            | Self::Output(_)
            | Self::Failed(_) => false,
        }
    }

    /// As JSON: always of the same shape, whoever refused.
    pub fn refusal(&self) -> Refusal {
        let of = |code: &str, message: String| Refusal {
            code: code.to_owned(),
            message,
            ..Refusal::default()
        };
        match self {
            Self::Refused(refusal) => (**refusal).clone(),
            Self::Usage(_) => of("INVALID_ARGUMENT", self.to_string()),
            Self::ImportFile(_) => Refusal {
                reason: ErrorReason::ImportFileInvalid.wire_name().to_owned(),
                ..of("INVALID_ARGUMENT", self.to_string())
            },
            Self::Unreachable { .. } | Self::Handshake { .. } => of("UNAVAILABLE", self.to_string()),
            Self::OutcomeUnknown { .. } => Refusal {
                reason: OUTCOME_UNKNOWN.to_owned(),
                ..of("UNKNOWN", self.to_string())
            },
            Self::Output(_) | Self::Failed(_) => of("INTERNAL", self.to_string()),
        }
    }
}

impl Refusal {
    /// Reads a status with all its details.
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN);
        let fields = details.bad_request().map_or(&[][..], |bad| &bad.field_violations);
        Self {
            code: code_name(status.code()).to_owned(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            metadata: info
                .map(|info| info.metadata.clone().into_iter().collect())
                .unwrap_or_default(),
            retry_after_ms: details
                .retry_info()
                .and_then(|retry| retry.retry_delay)
                .map(milliseconds),
            request_id: details
                .request_info()
                .map(|request| request.request_id.clone())
                .unwrap_or_default(),
            fields: fields
                .iter()
                .map(|violation| Field {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect(),
        }
    }

    /// The lines below the message, for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.reason.is_empty() {
            let others = self.metadata.iter().filter(|(key, _)| *key != RECEIPT);
            let about: String = others.map(|(key, value)| format!("  {key}={value}")).collect();
            lines.push(format!("reason   {}{about}", self.reason));
        }
        if self.metadata.contains_key(RECEIPT) {
            lines.push(
                "receipt  the service has signed what stands in its log of this: --json has it".to_owned(),
            );
        }
        // With a single field at fault the message says it all.
        for Field { field, description } in self.fields.iter().filter(|_| self.fields.len() > 1) {
            lines.push(format!("field    {field}: {description}"));
        }
        if let Some(millis) = self.retry_after_ms {
            let delay = humantime::format_duration(Duration::from_millis(millis));
            lines.push(format!("retry    the same request may succeed in {delay}"));
        }
        if !self.request_id.is_empty() {
            lines.push(format!("request  {}", self.request_id));
        }
        lines
    }
}

/// Whether a status without details comes from the connection and not from a service.
pub(crate) fn cut_off(status: &Status) -> bool {
    let of_transport = matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal);
    let timed_out = matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded);
    status.details().is_empty() && (timed_out || (of_transport && status.source().is_some()))
}

/// Whether no connection came about, TLS and all: then nothing can have been sent on it.
fn nobody_there(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause: "Connection refused" tells more than "transport error".
fn detail(status: &Status) -> String {
    let mut innermost = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        innermost = plainly(error);
        cause = error.source();
    }
    innermost
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The code's name as gRPC's documentation writes it.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::{
        clock::SystemClock,
        error::{ErrorKind, ErrorReason, FieldViolation, ServiceError, status::from_error},
        id::RequestId,
        random::SystemRandom,
    };

    use super::*;

    #[derive(Debug, ThisError)]
    #[error("inner")]
    struct Busy;

    impl ServiceError for Busy {
        fn kind(&self) -> ErrorKind {
            ErrorKind::ResourceExhausted
        }
        fn reason(&self) -> ErrorReason {
            ErrorReason::BudgetExhausted
        }
        fn public_message(&self) -> String {
            "wait a moment".to_owned()
        }
        fn metadata(&self) -> Vec<(&'static str, String)> {
            vec![("bucket", "burst".to_owned())]
        }
        fn retry_after(&self) -> Option<Duration> {
            Some(Duration::from_millis(1_500))
        }
        fn field_violations(&self) -> Vec<FieldViolation> {
            let at = |field: &str| FieldViolation {
                field: field.to_owned(),
                description: "is too much".to_owned(),
            };
            vec![at("page_size"), at("properties")]
        }
    }

    fn refused() -> Error {
        let id = RequestId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
        Error::of_call(&from_error(&Busy, id), "crm-service", "http://127.0.0.1:7402")
    }

    #[test]
    fn a_refusal_is_told_with_reason_retry_field_and_request() {
        let error = refused();
        assert_eq!(error.exit(), Exit::Refused);
        assert_eq!(error.to_string(), "wait a moment");
        let text = error.refusal().lines().join("\n");
        for part in [
            "BUDGET_EXHAUSTED",
            "bucket=burst",
            "page_size: is too much",
            "1s 500ms",
            "request  ",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }

    #[test]
    fn a_refusal_as_json_has_the_documented_keys() {
        let json = serde_json::to_value(refused().refusal()).expect("serializes");
        assert_eq!(json["code"], "RESOURCE_EXHAUSTED");
        assert_eq!(json["reason"], "BUDGET_EXHAUSTED");
        assert_eq!(json["metadata"]["bucket"], "burst");
        assert_eq!(json["retry_after_ms"], 1_500);
        assert_eq!(json["fields"][0]["field"], "page_size");
        assert!(json["request_id"].is_string());
    }

    #[test]
    fn every_error_has_its_exit_code() {
        let unreachable = Error::Unreachable {
            service: "crm-service",
            address: String::new(),
            detail: String::new(),
        };
        assert_eq!(unreachable.exit(), Exit::Unreachable);
        assert_eq!(Error::Usage(String::new()).exit(), Exit::Usage);
        assert_eq!(Error::Failed(String::new()).exit(), Exit::Failed);
        let pipe = Error::Output(io::ErrorKind::BrokenPipe.into());
        assert!(pipe.is_closed_output() && pipe.exit() == Exit::Failed);
    }
}
