//! Gives each request an id. A caller may bring its own, if it is a UUID.

use axum::response::Response;
use http::{HeaderMap, HeaderValue};

use crate::{grpc::tools::Tools, id::RequestId, random::RandomError};

/// The metadata under which a request's id travels, both ways.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

pub(in crate::grpc) fn of(headers: &HeaderMap, tools: &Tools) -> Result<RequestId, RandomError> {
    match brought(headers) {
        Some(id) => Ok(id),
        None => RequestId::make(&*tools.clock, &*tools.random),
    }
}

/// The id that the caller brought, if it is one.
pub(in crate::grpc) fn brought(headers: &HeaderMap) -> Option<RequestId> {
    headers.get(REQUEST_ID_HEADER)?.to_str().ok()?.parse().ok()
}

/// The answer to the request with this id.
pub(super) fn stamped(mut response: Response, id: RequestId) -> Response {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

/// Without randomness there is no id, and without an id no request is taken.
pub(super) fn unnamed() -> Response {
    let mut response = Response::default();
    let unavailable = HeaderValue::from(i32::from(tonic::Code::Unavailable));
    response.headers_mut().insert("grpc-status", unavailable);
    response
}
