//! What the layers work with.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Access, CallerSource, Config, Error, GrpcMethod, Refusal, RefusalLog};
use crate::{
    clock::SharedClock,
    error::{ServiceError as _, status},
    id::{CallerName, RequestId},
    random::SharedRandom,
};

/// What the layers work with.
pub(super) struct Tools {
    pub(super) clock: SharedClock,
    pub(super) random: SharedRandom,
    pub(super) limits: Config,
    pub(super) callers: CallerSource,
    pub(super) access: Arc<Access>,
    pub(super) refusals: Arc<dyn RefusalLog>,
    pub(super) places: Arc<Semaphore>,
    /// Fires when nothing new is taken any more.
    pub(super) stopping: CancellationToken,
}

impl Tools {
    /// Why a request finds no place. A server that stops takes the places back one by one.
    pub(super) fn no_place(&self) -> Error {
        if self.stopping.is_cancelled() {
            Error::Stopping
        } else {
            Error::Overloaded(self.limits.max_in_flight)
        }
    }

    pub(super) fn refuse(&self, request: &Request, error: &Error) -> Response {
        match request.extensions().get::<RequestId>() {
            Some(id) => status::from_error(error, *id).into_http(),
            None => Response::default(),
        }
    }

    /// Refuses, and puts it on record. Takes the whole request: its body must not be looked at any more.
    pub(super) async fn refuse_on_record(
        &self,
        request: Request,
        caller: Option<CallerName>,
        error: &Error,
    ) -> Response {
        let refused = self.refuse(&request, error);
        let (parts, _body) = request.into_parts();
        let request_id = parts.extensions.get::<RequestId>().copied();
        let method = parts.extensions.get::<GrpcMethod>().cloned();
        if let (Some(request_id), Some(grpc_method)) = (request_id, method) {
            let refusal = Refusal {
                caller,
                grpc_method,
                reason: error.reason(),
                request_id,
            };
            self.refusals.record(refusal).await;
        }
        refused
    }
}
