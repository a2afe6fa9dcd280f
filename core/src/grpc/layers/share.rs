//! Takes no more requests of one caller at once than one caller may have, so that there are places for the others.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::grpc::{Access, Caller, Error, GrpcMethod, places::Admitted, tools::Tools};

pub(super) async fn layer(State(tools): State<Arc<Tools>>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let always_open = extensions
        .get::<GrpcMethod>()
        .is_some_and(|method| Access::is_open(method.service()));
    if always_open {
        return next.run(request).await;
    }
    let Some(caller) = extensions.get::<Caller>().map(|caller| caller.name.clone()) else {
        return tools.refuse(&request, &Error::LayerMissing("caller"));
    };
    let Some(admitted) = request.extensions_mut().remove::<Admitted>() else {
        return tools.refuse(&request, &Error::LayerMissing("admit"));
    };
    match tools.places.place(admitted, &caller) {
        Ok(place) => {
            request.extensions_mut().insert(place);
            next.run(request).await
        }
        Err(error) => tools.refuse(&request, &error),
    }
}
