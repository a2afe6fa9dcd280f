//! One span for each request, and one line when it is answered.

use std::future::Future;

use axum::response::Response;
use tonic::{Code, Status};
use tracing::{Instrument as _, field::display};

use crate::{clock::Clock, grpc::context::Asked};

pub(super) async fn traced(
    clock: &dyn Clock,
    asked: &Asked,
    answered: impl Future<Output = Response>,
) -> Response {
    let (grpc_method, request_id) = (asked.grpc_method.as_str(), display(asked.request_id));
    let span = tracing::info_span!("request", grpc_method, request_id);
    let began = clock.tick();
    async move {
        let response = answered.await;
        let code = response
            .extensions()
            .get::<Status>()
            .map_or(Code::Ok, Status::code);
        let took = clock.tick().since(began);
        tracing::debug!(
            ?code,
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}
