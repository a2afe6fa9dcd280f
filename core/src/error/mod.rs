//! What an error must say of itself before it may leave the process.
//!
//! Each room has its own `Error`. It says what happened and carries ids; [`ServiceError`] says what the caller is
//! told. `Display` is the sentence for the log, [`ServiceError::public_message`] the one for the caller.

pub mod status;

use std::time::Duration;

pub use hubkeep_proto::error::v1::ErrorReason;

/// The kinds of failure a caller can tell apart: a restricted set of gRPC's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong; sending it again will not help.
    InvalidArgument,
    /// The request, or its answer, is larger than allowed.
    OutOfRange,
    /// Who asks was not proven.
    Unauthenticated,
    /// Who asks is known and may not.
    PermissionDenied,
    /// What was named is not there.
    NotFound,
    /// What should be made is already there.
    AlreadyExists,
    /// The state of things does not allow it; somebody must change that first.
    FailedPrecondition,
    /// A limit is used up.
    ResourceExhausted,
    /// Something needed does not answer now; the same request may succeed later.
    Unavailable,
    /// Time ran out.
    DeadlineExceeded,
    /// It may or may not have been done.
    Unknown,
    /// A defect of ours.
    Internal,
}

/// One field of a request that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field in the request: "filter_groups[2].filters".
    pub field: String,
    /// The rule, and what to do.
    pub description: String,
}

/// A limit that was hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaViolation {
    /// Whose limit: "portal:acme".
    pub subject: String,
    /// Which limit, and when there is room again.
    pub description: String,
}

/// An error that may become a gRPC status.
///
/// Never implemented for a catch-all error type: what the caller is told is decided variant by variant.
pub trait ServiceError: std::error::Error + Send + Sync {
    /// The kind, which gives the canonical code.
    fn kind(&self) -> ErrorKind;
    /// The machine-readable reason.
    fn reason(&self) -> ErrorReason;
    /// One sentence for the caller: what happened and what to do. Names nothing the caller did not know.
    fn public_message(&self) -> String;
    /// The metadata that the reason promises in its `.proto` file.
    fn metadata(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// When the same request may succeed; `None` if waiting is no help.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
    /// The fields at fault.
    fn field_violations(&self) -> Vec<FieldViolation> {
        Vec::new()
    }
    /// The limit at fault.
    fn quota_violation(&self) -> Option<QuotaViolation> {
        None
    }
}
