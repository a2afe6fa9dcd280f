//! Gives each request an id. A caller may bring its own, if it is a UUID.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::HeaderValue;

use crate::{
    grpc::{GrpcMethod, tools::Tools},
    id::RequestId,
};

/// The metadata under which a request's id travels, both ways.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

pub(super) async fn layer(State(tools): State<Arc<Tools>>, mut request: Request, next: Next) -> Response {
    let brought = request
        .headers()
        .get(REQUEST_ID_HEADER)
        .and_then(|value| value.to_str().ok());
    let id = match brought.and_then(|text| text.parse::<RequestId>().ok()) {
        Some(id) => Ok(id),
        None => RequestId::make(&*tools.clock, &*tools.random),
    };
    let Ok(id) = id else { return unnamed() };
    let method = GrpcMethod::new(request.uri().path());
    request.extensions_mut().insert(method);
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

/// Without randomness there is no id, and without an id no request is taken.
fn unnamed() -> Response {
    let mut response = Response::default();
    let unavailable = HeaderValue::from(i32::from(tonic::Code::Unavailable));
    response.headers_mut().insert("grpc-status", unavailable);
    response
}
