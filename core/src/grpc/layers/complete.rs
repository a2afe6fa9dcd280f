//! Completes what gRPC itself refused (a message too large, an unknown method) with the details that every
//! Hubkeep error carries.

use axum::response::Response;
use tonic::{Code, Status};

use crate::{error::status, id::RequestId};

pub(super) fn completed(response: Response, request_id: RequestId) -> Response {
    match bare(&response) {
        Some((code, message)) => status::completed(code, &message, request_id).into_http(),
        None => response,
    }
}

/// The code and message of a refusal that carries no details; `None` for answers and for our own refusals.
fn bare(response: &Response) -> Option<(Code, String)> {
    let status = match response.extensions().get::<Status>() {
        Some(status) => status.clone(),
        None => Status::from_header_map(response.headers())?,
    };
    (status.code() != Code::Ok && status.details().is_empty())
        .then(|| (status.code(), status.message().to_owned()))
}
