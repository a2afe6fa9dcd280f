//! Finds out who asks.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::grpc::tools::Tools;

pub(super) async fn layer(State(tools): State<Arc<Tools>>, mut request: Request, next: Next) -> Response {
    match tools
        .callers
        .identify(request.headers(), request.extensions(), tools.clock.now())
    {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => tools.refuse_on_record(request, None, &error).await,
    }
}
