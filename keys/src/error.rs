//! What a method about keys is refused with.

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, ServiceError},
    random::RandomError,
};
use thiserror::Error as ThisError;

/// A method about keys was refused, or failed.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Another version is current than the caller has in mind.
    #[error("keys were to be brought to version {requested}, and version {current} is the current one")]
    NotCurrent {
        /// The version that was asked for.
        requested: u32,
        /// The version that wraps.
        current: u32,
    },
    /// The keys, or the key-encryption key, did not answer.
    #[error(transparent)]
    Seal(#[from] hubkeep_seal::Error),
    /// The entry could not be written.
    #[error("the entry could not be written")]
    Audit(#[from] hubkeep_audit_log::Error),
    /// The service stops. What was done stays done.
    #[error("the service is stopping")]
    Stopping,
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The task that worked on the request broke off.
    #[error("the task broke off")]
    BrokeOff(#[from] tokio::task::JoinError),
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotCurrent { .. } => ErrorKind::FailedPrecondition,
            Self::Seal(error) => error.kind(),
            Self::Audit(error) => error.kind(),
            Self::Stopping => ErrorKind::Unavailable,
            Self::Random(_) | Self::BrokeOff(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NotCurrent { .. } => ErrorReason::KekVersionNotCurrent,
            Self::Seal(error) => error.reason(),
            Self::Audit(error) => error.reason(),
            Self::Stopping => ErrorReason::Stopping,
            Self::Random(_) | Self::BrokeOff(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NotCurrent { requested, current } => format!(
                "version {current} of the key-encryption key is the current one, not {requested}: nothing was done; \
                 name version {requested} under [keys], and restart every replica"
            ),
            Self::Seal(error) => error.public_message(),
            Self::Audit(error) => error.public_message(),
            Self::Stopping => {
                "the service is stopping: what was done stays done; rotate again for the rest".to_owned()
            }
            Self::Random(_) | Self::BrokeOff(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotCurrent { requested, current } => vec![
                ("requested_version", requested.to_string()),
                ("current_version", current.to_string()),
            ],
            Self::Seal(error) => error.metadata(),
            Self::Audit(error) => error.metadata(),
            Self::Stopping | Self::Random(_) | Self::BrokeOff(_) => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Stopping => Some(std::time::Duration::from_secs(1)),
            Self::Seal(error) => error.retry_after(),
            Self::Audit(error) => error.retry_after(),
            Self::NotCurrent { .. } | Self::Random(_) | Self::BrokeOff(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_audit_log::Failure;

    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let not_current = Error::NotCurrent {
            requested: 3,
            current: 2,
        };
        assert!(
            not_current
                .metadata()
                .contains(&("current_version", "2".to_owned()))
        );
        let table = [
            (
                not_current,
                ErrorKind::FailedPrecondition,
                ErrorReason::KekVersionNotCurrent,
            ),
            (
                Error::Seal(hubkeep_seal::Error::KeyAltered {
                    key_id: "k".to_owned(),
                }),
                ErrorKind::Unavailable,
                ErrorReason::KeyUnavailable,
            ),
            (
                Error::Audit(hubkeep_audit_log::Error::Unavailable(Failure::Stopped)),
                ErrorKind::Unavailable,
                ErrorReason::AuditUnavailable,
            ),
            (Error::Stopping, ErrorKind::Unavailable, ErrorReason::Stopping),
            (
                Error::Random(RandomError),
                ErrorKind::Internal,
                ErrorReason::Internal,
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{error}");
            assert!(!error.public_message().is_empty());
        }
        assert!(Error::Stopping.retry_after().is_some());
    }
}
