//! What the layers work with.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use tokio_util::sync::CancellationToken;

use super::{
    Access, CallerSource, Config, Error, GrpcMethod, Refusal, RefusalLog,
    places::{Admitted, Places},
};
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
    pub(super) places: Arc<Places>,
    /// Fires when nothing new is taken any more.
    pub(super) stopping: CancellationToken,
}

impl Tools {
    /// Lets a request in, if there is a place. A server that stops takes the places back one by one.
    pub(super) fn admit(&self) -> Result<Admitted, Error> {
        self.places.admit().map_err(|full| {
            if self.stopping.is_cancelled() {
                Error::Stopping
            } else {
                full
            }
        })
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
