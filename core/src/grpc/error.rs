//! What the chassis refuses, and why.

use std::{borrow::Cow, time::Duration};

use thiserror::Error;

use crate::{
    error::{ErrorKind, ErrorReason, ServiceError, status::SHORTLY},
    id::CallerName,
    random::RandomError,
};

/// A request that no method saw, or a server that could not start.
#[derive(Debug, Error)]
pub enum Error {
    /// The caller did not say who it is, or not in a form that can be a name.
    #[error("the caller is not known: {0}")]
    CallerUnknown(Cow<'static, str>),
    /// The caller may not use this gRPC service.
    #[error("{caller} may not use {grpc_service}")]
    CallerNotAllowed {
        /// Who asked.
        caller: CallerName,
        /// For what.
        grpc_service: String,
        /// The role that opens it, where it is a role that does.
        role: Option<String>,
    },
    /// The caller, or the person that it is, is contained.
    #[error("{0} is contained")]
    Contained(CallerName),
    /// It was not heard of late who is contained, and this caller acts by its own authority.
    #[error("who is contained is not known here")]
    HoldsUnknown,
    /// As many requests are in flight, or streams open, as this setting allows.
    #[error("as many at once as {0} allows: {1}")]
    Overloaded(&'static str, usize),
    /// The caller has as many requests in flight, or streams open, as this setting allows one caller.
    #[error("as many of one caller at once as {0} allows: {1}")]
    TooManyAtOnce(&'static str, usize),
    /// The server stops, and nothing of the request was done.
    #[error("the server is stopping")]
    Stopping,
    /// The deadline leaves no time to do anything.
    #[error("the deadline leaves {0:?}")]
    DeadlineTooShort(Duration),
    /// A request came past the layers, or over a connection that they know nothing of: a defect.
    #[error("nothing is known of the request: the server lacks its layers")]
    LayersMissing,
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CallerUnknown(_) => ErrorKind::Unauthenticated,
            Self::CallerNotAllowed { .. } | Self::Contained(_) => ErrorKind::PermissionDenied,
            Self::Overloaded(..) | Self::Stopping | Self::HoldsUnknown => ErrorKind::Unavailable,
            Self::TooManyAtOnce(..) => ErrorKind::ResourceExhausted,
            Self::DeadlineTooShort(_) => ErrorKind::DeadlineExceeded,
            Self::LayersMissing | Self::Random(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::CallerUnknown(_) => ErrorReason::CallerUnknown,
            Self::CallerNotAllowed { .. } => ErrorReason::CallerNotAllowed,
            Self::Contained(_) => ErrorReason::CallerContained,
            Self::HoldsUnknown => ErrorReason::CredentialServiceUnavailable,
            Self::Overloaded(..) => ErrorReason::Overloaded,
            Self::TooManyAtOnce(..) => ErrorReason::TooManyAtOnce,
            Self::Stopping => ErrorReason::Stopping,
            Self::DeadlineTooShort(_) => ErrorReason::DeadlineTooShort,
            Self::LayersMissing | Self::Random(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::CallerUnknown(rule) => format!("who is calling? {rule}"),
            Self::CallerNotAllowed {
                caller,
                grpc_service,
                role,
            } => match role {
                Some(role) => format!(
                    "{caller} may not use {grpc_service}, which takes the role {role}: ask an operator to list it under \
                     [roles]"
                ),
                None => {
                    format!("{caller} may not use {grpc_service}: ask an operator to list it under [access]")
                }
            },
            Self::Contained(caller) => {
                format!("{caller}, or the person that it is, is contained: stop, and ask an operator")
            }
            Self::HoldsUnknown => {
                "this service has not heard of late who is contained, and does nothing for operators until it has: is \
                 credential-service up, and reached from here? Callers with handles are served as their handles allow"
                    .to_owned()
            }
            Self::Overloaded(setting, _) => {
                format!("too much at once, of all callers together ({setting}): try again in a moment")
            }
            Self::TooManyAtOnce(setting, most) => {
                format!(
                    "you have as many at once as one caller may, {most} ({setting}): end one, or try again in a moment"
                )
            }
            Self::Stopping => {
                "this server is stopping, and nothing was done: send it again, to another".to_owned()
            }
            Self::DeadlineTooShort(_) => "the deadline leaves too little time: allow more".to_owned(),
            Self::LayersMissing | Self::Random(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CallerNotAllowed {
                caller, grpc_service, ..
            } => {
                vec![
                    ("caller", caller.to_string()),
                    ("grpc_service", grpc_service.clone()),
                ]
            }
            Self::Contained(caller) => vec![("caller", caller.to_string())],
            Self::Overloaded(setting, most) | Self::TooManyAtOnce(setting, most) => {
                vec![("setting", (*setting).to_owned()), ("limit", most.to_string())]
            }
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(
            self,
            Self::Overloaded(..) | Self::TooManyAtOnce(..) | Self::Stopping | Self::HoldsUnknown
        )
        .then_some(SHORTLY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_kind_and_reason() {
        let caller: CallerName = "nightly-sync".parse().expect("valid");
        let table = [
            (
                Error::CallerUnknown("rule".into()),
                ErrorKind::Unauthenticated,
                ErrorReason::CallerUnknown,
            ),
            (
                Error::Contained(caller.clone()),
                ErrorKind::PermissionDenied,
                ErrorReason::CallerContained,
            ),
            (
                Error::CallerNotAllowed {
                    caller,
                    grpc_service: "s".to_owned(),
                    role: None,
                },
                ErrorKind::PermissionDenied,
                ErrorReason::CallerNotAllowed,
            ),
            (
                Error::Overloaded("grpc.max_in_flight", 1),
                ErrorKind::Unavailable,
                ErrorReason::Overloaded,
            ),
            (
                Error::TooManyAtOnce("grpc.max_streams_per_caller", 1),
                ErrorKind::ResourceExhausted,
                ErrorReason::TooManyAtOnce,
            ),
            (
                Error::HoldsUnknown,
                ErrorKind::Unavailable,
                ErrorReason::CredentialServiceUnavailable,
            ),
            (Error::Stopping, ErrorKind::Unavailable, ErrorReason::Stopping),
            (
                Error::DeadlineTooShort(Duration::ZERO),
                ErrorKind::DeadlineExceeded,
                ErrorReason::DeadlineTooShort,
            ),
            (Error::LayersMissing, ErrorKind::Internal, ErrorReason::Internal),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
        }
    }
}
