//! One span for each request, and one line when it is answered.

use std::{future::Future, time::Duration};

use axum::response::Response;
use http::HeaderMap;
use tonic::{Code, Status};
use tracing::{
    Instrument as _, Span,
    field::{Empty, display},
};

use crate::{clock::Clock, grpc::context::Asked, telemetry::traces};

/// The span of a request.
pub(super) fn span(headers: &HeaderMap, asked: &Asked) -> Span {
    let (grpc_method, request_id) = (asked.grpc_method.as_str(), display(asked.request_id));
    let span = tracing::info_span!(
        "request",
        grpc_method,
        request_id,
        otel.name = Empty,
        otel.kind = Empty,
        rpc.grpc.status_code = Empty,
    );
    traces::serve(headers, grpc_method, &span);
    span
}

pub(super) async fn traced(
    clock: &dyn Clock,
    span: Span,
    asked: &Asked,
    answered: impl Future<Output = Response>,
) -> Response {
    let grpc_method = asked.grpc_method.as_str();
    let began = clock.tick();
    async move {
        let response = answered.await;
        let code = response
            .extensions()
            .get::<Status>()
            .map_or(Code::Ok, Status::code);
        let took = clock.tick().since(began);
        count(grpc_method, code, took);
        traces::served(&Span::current(), code);
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

/// A stream counts when it opens. What is asked for by a name that this server does not have is of no method: strangers
/// would make as many as they like.
fn count(grpc_method: &str, code: Code, took: Duration) {
    let method = match code {
        Code::Unimplemented => "other".to_owned(),
        _ => grpc_method.trim_start_matches('/').to_owned(),
    };
    let code = format!("{code:?}");
    metrics::counter!("hubkeep_grpc_requests_total", "method" => method.clone(), "code" => code).increment(1);
    metrics::histogram!("hubkeep_grpc_request_seconds", "method" => method).record(took.as_secs_f64());
}
