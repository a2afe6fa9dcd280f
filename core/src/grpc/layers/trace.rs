//! One span for each request, and one line when it is answered.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::{
    grpc::{GrpcMethod, tools::Tools},
    id::RequestId,
};

pub(super) async fn layer(State(tools): State<Arc<Tools>>, request: Request, next: Next) -> Response {
    let method = request.extensions().get::<GrpcMethod>().map(GrpcMethod::as_str);
    let request_id = request
        .extensions()
        .get::<RequestId>()
        .map(tracing::field::display);
    let span = tracing::info_span!("request", grpc_method = method, request_id);
    let began = tools.clock.tick();
    async move {
        let response = next.run(request).await;
        let code = response
            .extensions()
            .get::<Status>()
            .map_or(Code::Ok, Status::code);
        let took = tools.clock.tick().since(began);
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
