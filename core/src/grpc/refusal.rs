//! What is refused before any method sees it, and where that is put on record.

use std::{future::Future, pin::Pin};

use super::GrpcMethod;
use crate::{
    error::ErrorReason,
    id::{CallerName, RequestId},
};

/// A request that was refused before any method saw it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Who asked, where it is known.
    pub caller: Option<CallerName>,
    /// For what.
    pub grpc_method: GrpcMethod,
    /// Why not.
    pub reason: ErrorReason,
    /// The request's id.
    pub request_id: RequestId,
}

/// Where refusals are put on record: the audit log of the service.
pub trait RefusalLog: Send + Sync + 'static {
    /// Records a refusal. Ends when it is durable, or cannot be.
    fn record(&self, refusal: Refusal) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
