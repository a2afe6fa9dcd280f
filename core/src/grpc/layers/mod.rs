//! What every request goes through before its method sees it, one file for each part.

mod access;
mod admit;
mod complete;
mod deadline;
mod request_id;
mod trace;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
#[cfg(feature = "fuzzing")]
pub(super) use deadline::grpc_timeout;
use http::request::Parts;
pub use request_id::REQUEST_ID_HEADER;
#[cfg(feature = "fuzzing")]
pub(super) use request_id::brought;
pub(super) use request_id::of as id_of;

use super::{
    Access, Caller, Context, Error, GrpcMethod,
    context::Asked,
    ending::{Way, with_the_caller, with_the_server},
    tools::Tools,
};
use crate::error::status;

/// Puts the layers around the services. They are one middleware: each that stood by itself would be one more box that
/// every request is moved into.
pub(super) fn around(services: Router, tools: &Arc<Tools>) -> Router {
    let services = services.layer(middleware::from_fn_with_state(Arc::clone(tools), through));
    #[cfg(feature = "dying")]
    let services = services.layer(middleware::from_fn(dying));
    services
}

#[cfg(feature = "dying")]
async fn dying(request: Request, next: Next) -> Response {
    crate::dying::first(next.run(request)).await
}

async fn through(State(tools): State<Arc<Tools>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(request_id) = request_id::of(&parts.headers, &tools) else {
        return request_id::unnamed();
    };
    let asked = Asked {
        request_id,
        grpc_method: GrpcMethod::new(parts.uri.path()),
    };
    let span = trace::span(&parts.headers, &asked);
    let answered = trace::traced(&*tools.clock, span, &asked, async {
        let entered = match Access::is_open(asked.grpc_method.service()) {
            true => enter_open(parts, body, next, &tools, &asked).await,
            false => enter(parts, body, next, &tools, &asked).await,
        };
        entered.unwrap_or_else(|refusal| status::from_error(&refusal, request_id).into_http())
    });
    request_id::stamped(complete::completed(answered.await, request_id), request_id)
}

/// A request goes on to its method, with what was learned of it, unless one of these refuses it.
async fn enter(
    mut parts: Parts,
    body: Body,
    next: Next,
    tools: &Tools,
    asked: &Asked,
) -> Result<Response, Error> {
    let context = learned(&parts, tools, asked).await?;
    let name = context.caller.name.clone();
    parts.extensions.insert(context);
    let body = with_the_server(body, Way::In, asked.request_id, &tools.stopping);
    let answer = next.run(Request::from_parts(parts, body)).await;
    Ok(answer.map(|body| with_the_caller(body, asked.request_id, tools, name)))
}

/// Who asks, and that it may: what every request goes through, however it came.
pub(super) async fn learned(parts: &Parts, tools: &Tools, asked: &Asked) -> Result<Context, Error> {
    let deadline = deadline::granted(&parts.headers, tools)?;
    let admitted = admit::admitted(tools)?;
    let caller = access::allowed(parts, tools, asked, deadline.granted).await?;
    let place = tools.places.place(admitted, &caller.name)?;
    let access = Arc::clone(&tools.access);
    Ok(Context::new(asked.clone(), caller, access, deadline, place))
}

/// The same where who asks is known from what the request carries: whether it may is for whoever found that out.
pub(super) async fn learned_as(
    parts: &Parts,
    tools: &Tools,
    asked: &Asked,
    caller: Caller,
) -> Result<Context, Error> {
    let deadline = deadline::granted(&parts.headers, tools)?;
    let admitted = admit::admitted(tools)?;
    access::at_large(tools, asked, &caller).await?;
    let place = tools.places.place(admitted, &caller.name)?;
    let access = Arc::clone(&tools.access);
    Ok(Context::new(asked.clone(), caller, access, deadline, place))
}

/// Whether the server is up is told also when it is full, and to its last moment. Whoever watches our health would hold
/// us up for ever.
async fn enter_open(
    parts: Parts,
    body: Body,
    next: Next,
    tools: &Tools,
    asked: &Asked,
) -> Result<Response, Error> {
    let deadline = deadline::granted(&parts.headers, tools)?;
    access::allowed(&parts, tools, asked, deadline.granted).await?;
    let ending = |body, way| with_the_server(body, way, asked.request_id, &tools.stopping);
    let request = Request::from_parts(parts, ending(body, Way::In));
    Ok(next.run(request).await.map(|body| ending(body, Way::Out)))
}
