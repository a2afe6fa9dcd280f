//! Why a portal's quota lets a call through no more.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, QuotaViolation, ServiceError},
    id::PortalId,
    random::RandomError,
};
use thiserror::Error as ThisError;

use super::Bucket;

/// When to come again, where a place among those who wait becomes free at any time.
const SOON: Duration = Duration::from_millis(200);
/// When to come again, where the shares could not be renewed.
const RENEWED_WITHIN: Duration = Duration::from_secs(1);

/// A call that is not let through. Nothing is paid.
#[derive(Debug, ThisError)]
pub enum Error {
    /// There is no room before the deadline.
    #[error("portal {portal} has no room in its {} bucket for {retry_after:?}", .bucket.name())]
    NoRoom {
        /// Whose budget.
        portal: PortalId,
        /// Which limit.
        bucket: Bucket,
        /// When there is room again.
        retry_after: Duration,
    },
    /// As many calls of the portal wait and are under way as may be.
    #[error("portal {portal} has {limit} calls waiting and under way")]
    TooMany {
        /// Whose calls.
        portal: PortalId,
        /// What says how many there may be: of the portal, or of one caller to it.
        setting: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// HubSpot has not answered for this portal, and is left alone for a while.
    #[error("portal {portal} does not answer, and is left alone for {retry_after:?}")]
    NotAnswering {
        /// Which.
        portal: PortalId,
        /// When it is tried again.
        retry_after: Duration,
    },
    /// HubSpot moves this portal between data centres, and has said for how long.
    #[error("portal {portal} is moved between data centres, for {retry_after:?} more")]
    Moving {
        /// Which.
        portal: PortalId,
        /// When it is tried again.
        retry_after: Duration,
    },
    /// What this replica may take of the portal's limits is not known: the database was not reached in time.
    #[error("the share of portal {portal} could not be renewed in time")]
    LeaseLost {
        /// Whose limits.
        portal: PortalId,
    },
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRoom { .. } | Self::TooMany { .. } => ErrorKind::ResourceExhausted,
            Self::NotAnswering { .. } | Self::Moving { .. } | Self::LeaseLost { .. } => {
                ErrorKind::Unavailable
            }
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::NoRoom { .. } => ErrorReason::BudgetExhausted,
            Self::TooMany { .. } => ErrorReason::TooManyAtOnce,
            Self::NotAnswering { .. } => ErrorReason::PortalNotAnswering,
            Self::Moving { .. } => ErrorReason::PortalMigrating,
            Self::LeaseLost { .. } => ErrorReason::StorageUnavailable,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::NoRoom {
                bucket, retry_after, ..
            } => format!(
                "the portal's {} budget is used up: try again in {} ms, or allow a longer deadline",
                bucket.name(),
                retry_after.as_millis()
            ),
            Self::TooMany { limit, .. } => {
                format!(
                    "{limit} calls of this portal, or of this caller to it, wait and are under way, as many as may be: try again"
                )
            }
            Self::NotAnswering { retry_after, .. } => format!(
                "HubSpot has not answered for this portal, or not for what this is about, and is left alone; nothing was sent: \
                 try again in {} ms",
                retry_after.as_millis()
            ),
            Self::Moving { retry_after, .. } => format!(
                "HubSpot is moving the portal between data centres; nothing was sent: try again in {} s",
                retry_after.as_millis().div_ceil(1_000)
            ),
            Self::LeaseLost { .. } => {
                "this service cannot tell what is left of the portal's limits, so nothing was sent: try again"
                    .to_owned()
            }
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoRoom { bucket, .. } => vec![("bucket", bucket.name().to_owned())],
            Self::TooMany { setting, limit, .. } => {
                vec![("setting", (*setting).to_owned()), ("limit", limit.to_string())]
            }
            Self::NotAnswering { .. } | Self::Moving { .. } | Self::LeaseLost { .. } => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(match self {
            Self::NoRoom { retry_after, .. }
            | Self::NotAnswering { retry_after, .. }
            | Self::Moving { retry_after, .. } => *retry_after,
            Self::TooMany { .. } => SOON,
            Self::LeaseLost { .. } => RENEWED_WITHIN,
        })
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        let Self::NoRoom { portal, .. } = self else {
            return None;
        };
        Some(QuotaViolation {
            subject: format!("portal:{portal}"),
            description: self.public_message(),
        })
    }
}

/// The shares could not be read or written.
#[derive(Debug, ThisError)]
pub enum ShareError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] database::Error),
    /// No randomness for this replica's name.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// What was seen could not be put on record.
    #[error("the log does not take it")]
    Log(#[from] hubkeep_audit_log::Error),
    /// A row is none of ours.
    #[error("a share is not one of ours")]
    Unreadable(#[from] serde_json::Error),
}

impl From<sqlx::Error> for ShareError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_when_to_come_again_and_only_a_lack_of_room_is_a_violation() {
        let portal = PortalId::new(42).expect("not zero");
        let second = Duration::from_secs(1);
        let no_room = Error::NoRoom {
            portal,
            bucket: Bucket::Associations,
            retry_after: second,
        };
        let table = [
            (no_room, ErrorReason::BudgetExhausted, "associations"),
            (
                Error::TooMany {
                    portal,
                    setting: "quota.max_per_portal",
                    limit: 7,
                },
                ErrorReason::TooManyAtOnce,
                "quota.max_per_portal 7",
            ),
            (
                Error::NotAnswering {
                    portal,
                    retry_after: second,
                },
                ErrorReason::PortalNotAnswering,
                "",
            ),
            (
                Error::Moving {
                    portal,
                    retry_after: second,
                },
                ErrorReason::PortalMigrating,
                "",
            ),
            (Error::LeaseLost { portal }, ErrorReason::StorageUnavailable, ""),
        ];
        for (error, reason, metadata) in table {
            assert_eq!(error.reason(), reason, "{error}");
            let values: Vec<_> = error.metadata().into_iter().map(|(_, value)| value).collect();
            assert_eq!(values.join(" "), metadata);
            assert!(error.retry_after().is_some());
            assert_eq!(
                error.quota_violation().is_some(),
                reason == ErrorReason::BudgetExhausted
            );
        }
    }
}
