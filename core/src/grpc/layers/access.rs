//! Who asks, and whether they may use a gRPC service at all: not while they are contained. Who may not is put on record.

use std::time::Duration;

use http::request::Parts;

use crate::{
    clock::Tick,
    error::ServiceError as _,
    grpc::{Access, Caller, Error, Refusal, context::Asked, tools::Tools},
    id::CallerName,
};

/// How long it is waited for the word who is contained, where that was not heard of late: a moment after a start.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn allowed(
    parts: &Parts,
    tools: &Tools,
    asked: &Asked,
    until: Tick,
) -> Result<Caller, Error> {
    let now = tools.clock.now();
    let caller = match tools.callers.identify(&parts.headers, &parts.extensions, now) {
        Ok(caller) => caller,
        Err(error) => return Err(recorded(error, None, tools, asked).await),
    };
    let grpc_service = asked.grpc_method.service();
    if tools.access.acts_by_itself(&caller.name) && !Access::is_open(grpc_service) {
        let until = until.min(tools.clock.tick().plus(PATIENCE));
        if !tools.holds.known(&tools.clock, until).await {
            return Err(recorded(Error::HoldsUnknown, Some(caller.name), tools, asked).await);
        }
    }
    if !Access::is_open(grpc_service) {
        at_large(tools, asked, &caller).await?;
    }
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

/// Refuses who is contained.
pub(super) async fn at_large(tools: &Tools, asked: &Asked, caller: &Caller) -> Result<(), Error> {
    if !tools.holds.has(&caller.name) {
        return Ok(());
    }
    let error = Error::Contained(caller.name.clone());
    Err(recorded(error, Some(caller.name.clone()), tools, asked).await)
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
