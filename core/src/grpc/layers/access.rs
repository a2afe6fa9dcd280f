//! Whether a caller may use a gRPC service at all.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::grpc::{Caller, Error, GrpcMethod, tools::Tools};

pub(super) async fn layer(State(tools): State<Arc<Tools>>, mut request: Request, next: Next) -> Response {
    let method = request.extensions().get::<GrpcMethod>();
    let caller = request.extensions().get::<Caller>();
    let (Some(method), Some(caller)) = (method, caller) else {
        return tools.refuse(&request, &Error::LayerMissing("caller"));
    };
    if tools.access.allow(&caller.name, method.service()) {
        request.extensions_mut().insert(Arc::clone(&tools.access));
        return next.run(request).await;
    }
    let name = caller.name.clone();
    let error = Error::CallerNotAllowed {
        caller: name.clone(),
        grpc_service: method.service().to_owned(),
    };
    tools.refuse_on_record(request, Some(name), &error).await
}
