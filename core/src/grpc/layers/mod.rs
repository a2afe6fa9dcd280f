//! The layers of every server, one a file.

mod access;
mod admit;
mod caller;
mod complete;
mod deadline;
mod request_id;
mod trace;

use std::sync::Arc;

use axum::{Router, middleware};
pub use request_id::REQUEST_ID_HEADER;

use super::tools::Tools;

/// Puts the layers around the services, innermost first: the list in this module's parent, read from the bottom up.
pub(super) fn around(services: Router, tools: &Arc<Tools>) -> Router {
    let with = Arc::clone;
    services
        .layer(middleware::from_fn_with_state(with(tools), access::layer))
        .layer(middleware::from_fn_with_state(with(tools), caller::layer))
        .layer(middleware::from_fn_with_state(with(tools), admit::layer))
        .layer(middleware::from_fn_with_state(with(tools), deadline::layer))
        .layer(middleware::from_fn_with_state(with(tools), trace::layer))
        .layer(middleware::from_fn(complete::layer))
        .layer(middleware::from_fn_with_state(with(tools), request_id::layer))
}
