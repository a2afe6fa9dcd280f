//! Who asks, and whether they may use a gRPC service at all. Who may not is put on record.

use http::request::Parts;

use crate::{
    error::ServiceError as _,
    grpc::{Caller, Error, Refusal, context::Asked, tools::Tools},
    id::CallerName,
};

pub(super) async fn allowed(parts: &Parts, tools: &Tools, asked: &Asked) -> Result<Caller, Error> {
    let now = tools.clock.now();
    let caller = match tools.callers.identify(&parts.headers, &parts.extensions, now) {
        Ok(caller) => caller,
        Err(error) => return Err(recorded(error, None, tools, asked).await),
    };
    let grpc_service = asked.grpc_method.service();
    if tools.access.allow(&caller.name, grpc_service) {
        return Ok(caller);
    }
    let error = Error::CallerNotAllowed {
        caller: caller.name.clone(),
        grpc_service: grpc_service.to_owned(),
        role: tools.access.role_for(grpc_service).map(str::to_owned),
    };
    Err(recorded(error, Some(caller.name), tools, asked).await)
}

async fn recorded(error: Error, caller: Option<CallerName>, tools: &Tools, asked: &Asked) -> Error {
    let refusal = Refusal {
        caller,
        grpc_method: asked.grpc_method.clone(),
        reason: error.reason(),
        request_id: asked.request_id,
    };
    tools.refusals.record(refusal).await;
    error
}
