//! Takes no more requests at once than the server can carry, and none when it is stopping, and says so at once
//! instead of letting them wait.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    grpc::{
        Access, Error, GrpcMethod,
        ending::{Way, with_the_server},
        tools::Tools,
    },
    id::RequestId,
};

pub(super) async fn layer(State(tools): State<Arc<Tools>>, request: Request, next: Next) -> Response {
    let always_open = request
        .extensions()
        .get::<GrpcMethod>()
        .is_some_and(|method| Access::is_open(method.service()));
    let Some(request_id) = request.extensions().get::<RequestId>().copied() else {
        return tools.refuse(&request, &Error::LayerMissing("request_id"));
    };
    if always_open {
        // Whether the server is up is told also when it is full, and to its last moment. Whoever watches our health
        // would hold us up for ever.
        let request = request.map(|body| with_the_server(body, Way::In, request_id, &tools.stopping));
        let response = next.run(request).await;
        return response.map(|body| with_the_server(body, Way::Out, request_id, &tools.stopping));
    }
    if tools.stopping.is_cancelled() {
        return tools.refuse(&request, &Error::Stopping);
    }
    let admitted = match tools.admit() {
        Ok(admitted) => admitted,
        Err(error) => return tools.refuse(&request, &error),
    };
    let mut request = request.map(|body| with_the_server(body, Way::In, request_id, &tools.stopping));
    request.extensions_mut().insert(admitted);
    next.run(request).await
}
