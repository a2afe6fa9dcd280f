//! Takes no more requests at once than the server can carry, and says so at once instead of letting them wait.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::grpc::{Error, tools::Tools};

pub(super) async fn layer(State(tools): State<Arc<Tools>>, request: Request, next: Next) -> Response {
    let Ok(_place) = tools.places.clone().try_acquire_owned() else {
        return tools.refuse(&request, &Error::Overloaded(tools.limits.max_in_flight));
    };
    next.run(request).await
}
