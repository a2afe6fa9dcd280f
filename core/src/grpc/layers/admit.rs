//! Takes no more requests at once than the server can carry, and says so at once instead of letting them wait.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::grpc::{Error, context::Place, tools::Tools};

pub(super) async fn layer(State(tools): State<Arc<Tools>>, mut request: Request, next: Next) -> Response {
    let Ok(place) = tools.places.clone().try_acquire_owned() else {
        return tools.refuse(&request, &Error::Overloaded(tools.limits.max_in_flight));
    };
    request.extensions_mut().insert(Place(Arc::new(place)));
    next.run(request).await
}
