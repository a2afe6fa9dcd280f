//! The layers of every server, one a file.

mod access;
mod admit;
mod caller;
mod complete;
mod deadline;
mod request_id;
mod share;
mod trace;

use std::sync::Arc;

use axum::{Router, middleware};
pub use request_id::REQUEST_ID_HEADER;

use super::tools::Tools;

/// Puts the layers around the services, outermost first, all in one: each that is put on by itself is one more box
/// that every request is copied into.
pub(super) fn around(services: Router, tools: &Arc<Tools>) -> Router {
    let with = Arc::clone;
    services.layer((
        middleware::from_fn_with_state(with(tools), request_id::layer),
        middleware::from_fn(complete::layer),
        middleware::from_fn_with_state(with(tools), trace::layer),
        middleware::from_fn_with_state(with(tools), deadline::layer),
        middleware::from_fn_with_state(with(tools), admit::layer),
        middleware::from_fn_with_state(with(tools), caller::layer),
        middleware::from_fn_with_state(with(tools), access::layer),
        middleware::from_fn_with_state(with(tools), share::layer),
    ))
}
