//! The front door for people's programs: an MCP endpoint whose tools are the actions, and the authorization server that lets a
//! program in for somebody who has signed in and consented.
//!
//! | file | does |
//! |---|---|
//! | `config`, `place` | where it listens, and by which addresses the world knows it |
//! | `guard` | who may ask from a browser; the headers of every answer |
//! | `endpoint` | one request: its token, whose it is, and to the SDK with it |
//! | `challenge` | what an answer without a right token says |
//! | `server`, `tools` | the SDK's handler: which tools there are, and what a call of one does |
//! | `chosen` | the portal that a call is about: the only one, or the one that the address names |
//! | `connect` | the tools about the connection itself |
//! | `results` | what came of a call, as a tool's result |
//! | `oauth` | the authorization server: metadata, registration, consent, tokens |
//!
//! Nothing is judged here. Whose a token is, and what it opens, credential-service says; what is called goes down the one way of every
//! call. A token is good at its own resource: "/mcp" of whoever has one connection, "/mcp/<client_slug>" of one portal. No portal is
//! ever chosen for anybody.

mod challenge;
mod chosen;
mod config;
mod connect;
mod endpoint;
mod guard;
mod oauth;
mod place;
mod results;
mod server;
mod tools;

use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse as _, Response},
    routing::post,
};
pub use config::Config;
use hubkeep_core::{
    clock::SharedClock,
    database::Database,
    grpc::{Front, Listening, StartError},
    random::SharedRandom,
};
use hubkeep_webhook::Documents;
use place::Place;
pub use place::Resource;
use tokio_util::sync::CancellationToken;

use crate::{actions::Actions, credentials::Credentials};

/// What it works with.
pub struct Deps {
    /// What tools do.
    pub actions: Actions,
    /// Who judges tokens.
    pub credentials: Credentials,
    /// Lets requests in.
    pub front: Front,
    /// Where clients that have registered are kept.
    pub database: Database,
    /// Reads the documents of clients.
    pub documents: Documents,
    /// Makes the pages on which people sign in and connect HubSpot, at the same address, of which this is the origin.
    pub pages: Box<dyn FnOnce(&str) -> Router + Send>,
    /// Fires when nothing new is taken.
    pub stopping: CancellationToken,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub random: SharedRandom,
}

/// The scope that every tool needs.
const SCOPE: &str = "crm.read";

/// What the handlers share.
#[derive(Clone)]
struct Mcp(Arc<Inner>);

struct Inner {
    config: Config,
    place: Place,
    actions: Actions,
    credentials: Credentials,
    front: Front,
    clients: oauth::Clients,
    flows: oauth::Flows,
    clock: SharedClock,
    random: SharedRandom,
}

/// Serves it where the configuration says; `None` where it does not. It ends with the server of `front`.
///
/// # Errors
/// If the address is not to be had.
pub async fn start(config: Config, deps: Deps) -> Result<Option<Listening>, StartError> {
    let Some(listen) = config.listen else {
        return Ok(None);
    };
    let reach = config.reach();
    let front = deps.front.clone();
    let door = front.door_for_people(listen, reach).await?;
    let place = Place::of(config.public_url.as_ref(), door.address());
    tracing::info!(address = %door.address(), issuer = place.issuer(), "the MCP endpoint is at /mcp");
    let Deps {
        actions,
        credentials,
        front,
        database,
        documents,
        pages,
        stopping,
        clock,
        random,
    } = deps;
    let clients = oauth::Clients::new(
        &config,
        database.clone(),
        documents,
        clock.clone(),
        random.clone(),
    );
    let pages = pages(place.issuer());
    let flows = oauth::Flows::new(database, clock.clone(), random.clone());
    tokio::spawn(oauth::sweep(
        clients.clone(),
        flows.clone(),
        clock.clone(),
        stopping.clone(),
    ));
    let mcp = Mcp(Arc::new(Inner {
        config,
        place,
        actions,
        credentials,
        front,
        clients,
        flows,
        clock,
        random,
    }));
    Ok(Some(door.serve(routes(&mcp, stopping, pages))))
}

fn routes(mcp: &Mcp, stopping: CancellationToken, pages: Router) -> Router {
    let endpoint = endpoint::Endpoint::new(mcp.clone(), stopping);
    let calls = Router::new()
        .route("/mcp", post(endpoint::single))
        .route("/mcp/{client_slug}", post(endpoint::of_portal))
        .method_not_allowed_fallback(only_post)
        .with_state(endpoint);
    oauth::routes()
        .with_state(mcp.clone())
        .merge(calls)
        .merge(pages)
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(mcp.clone(), guard::guarded))
}

async fn only_post() -> Response {
    let allow = [(header::ALLOW, "POST, OPTIONS")];
    (StatusCode::METHOD_NOT_ALLOWED, allow, "this is asked by POST").into_response()
}

async fn nowhere() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing here").into_response()
}
