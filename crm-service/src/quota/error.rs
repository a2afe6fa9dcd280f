//! No room in a portal's budget.

use std::time::Duration;

use hubkeep_core::{
    error::{ErrorKind, ErrorReason, QuotaViolation, ServiceError},
    id::PortalId,
};
use thiserror::Error as ThisError;

use super::Bucket;

/// There is no room before the deadline.
#[derive(Debug, ThisError)]
#[error("portal {portal} has no room in its {} bucket for {retry_after:?}", .bucket.name())]
pub struct Error {
    /// Whose budget.
    pub portal: PortalId,
    /// Which limit.
    pub bucket: Bucket,
    /// When there is room again.
    pub retry_after: Duration,
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ResourceExhausted
    }

    fn reason(&self) -> ErrorReason {
        ErrorReason::BudgetExhausted
    }

    fn public_message(&self) -> String {
        format!(
            "the portal's {} budget is used up: try again in {} ms, or allow a longer deadline",
            self.bucket.name(),
            self.retry_after.as_millis()
        )
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        vec![("bucket", self.bucket.name().to_owned())]
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(self.retry_after)
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        let subject = format!("portal:{}", self.portal);
        Some(QuotaViolation {
            subject,
            description: self.public_message(),
        })
    }
}
