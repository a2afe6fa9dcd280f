//! The authorization server that programs see: what it is, how they register, the page on which somebody consents, and the tokens.
//! Codes and tokens are credential-service's: they only pass through here.
//!
//! | file | does |
//! |---|---|
//! | `metadata` | what there is, for programs to find |
//! | `register`, `clients`, `document`, `redirect` | who asks, and where a browser may be sent back to |
//! | `request` | an authorization request, read |
//! | `authorize`, `consent`, `page` | the page on which somebody consents, and what they said |
//! | `flow`, `resume` | from the consent over the sign-in to the code |
//! | `token` | tokens for codes, next tokens, and their end |
//! | `form`, `cookie`, `rate`, `store` | forms and queries, cookies, how often an address may, and the tables |
//!
//! A browser that is signed in already is shown the consent page all the same: who would send it here to get a code for itself needs
//! the person to say so, on a page that names the program and where it is.

mod authorize;
mod clients;
mod consent;
mod cookie;
mod document;
mod flow;
mod form;
mod metadata;
mod page;
mod rate;
mod redirect;
mod register;
mod request;
mod resume;
mod store;
mod token;

use std::time::Duration;

use axum::{
    Router,
    http::header,
    routing::{get, post},
};
pub(super) use clients::Clients;
pub(super) use flow::Flows;
use hubkeep_core::clock::SharedClock;
use tokio_util::sync::CancellationToken;

use super::Mcp;

/// The paths of the authorization server.
pub(super) fn routes() -> Router<Mcp> {
    Router::new()
        .route(super::place::RESOURCE_METADATA, get(metadata::single))
        .route("/.well-known/oauth-protected-resource/mcp", get(metadata::single))
        .route(
            "/.well-known/oauth-protected-resource/mcp/{client_slug}",
            get(metadata::of_portal),
        )
        .route("/.well-known/oauth-authorization-server", get(metadata::server))
        .route("/oauth/register", post(register::register))
        .route("/oauth/authorize", get(authorize::ask))
        .route("/oauth/consent", post(consent::said))
        .route("/oauth/continue", get(resume::resume))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .route("/oauth/page.css", get(style))
}

async fn style() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("page.css"))
}

/// How often what is over is taken away.
const EVERY: Duration = Duration::from_secs(600);

/// Takes away what is over: programs that nobody has used, and consents that nobody has signed in for.
pub(super) async fn sweep(clients: Clients, flows: Flows, clock: SharedClock, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = clock.sleep(EVERY) => {}
        }
        for swept in [clients.forget_unused().await, flows.forget_old().await] {
            if let Err(error) = swept {
                tracing::warn!(%error, "what is over was not taken away");
            }
        }
    }
}
