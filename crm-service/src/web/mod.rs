//! The browser front door: pages, drawn here, which work without a script. The audit viewer, and at another address ([`people`]) the
//! pages on which people sign in.
//!
//! | module | does |
//! |---|---|
//! | [`Config`] | where it listens |
//! | [`people`] | people sign in, connect HubSpot, and end what was given in their name |
//! | `guard` | who else may not read pages: other sites, in the operator's browser; the headers of every answer |
//! | `asked`, `times` | what a page is asked for, from its address to a filter and back |
//! | `list` | entries, newest first, and the form that narrows them |
//! | `call`, `fields` | all entries of one call with every field |
//! | `proof`, `proven` | the proof of each, checked again here, and shown |
//! | `follow` | entries as they come, by Server-Sent Events |
//! | `row`, `words` | an entry as a line, for the list and for who follows |
//! | `refusal`, `layout` | pages that say what is wrong; what all pages have around them |
//!
//! Of the viewer: nothing is changed by a page, and nothing is read past `AuditService`: its own methods are asked, in this process, in the name
//! of whoever asked for the page. So the same role opens them, and the same entries say who read what.

mod asked;
mod call;
mod config;
mod fields;
mod follow;
mod guard;
mod layout;
mod list;
pub mod people;
mod proof;
mod proven;
mod refusal;
mod row;
mod times;
mod words;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    middleware,
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
pub use config::Config;
use hubkeep_audit_log::{AuditApi, AuditLog};
use hubkeep_core::{
    clock::SharedClock,
    error::ServiceError as _,
    grpc::{Context, Front, Listening, StartError},
};
use refusal::Refusal;

/// What pages are made from.
pub struct Deps {
    /// Reads the log for whoever may, and records that.
    pub audit: Arc<AuditApi>,
    /// The log itself: only for what is public, its end, its checkpoints and the keys that signed them.
    pub log: AuditLog,
    /// Lets browsers in.
    pub front: Front,
    /// The time.
    pub clock: SharedClock,
}

/// The path of the list, below which all that is read lies.
const LIST: &str = "/audit";

/// What the handlers of pages share.
#[derive(Clone)]
struct Viewer(Arc<Inner>);

struct Inner {
    audit: Arc<AuditApi>,
    log: AuditLog,
    front: Front,
    clock: SharedClock,
    /// The hosts under which pages may be asked for, without ports.
    hosts: Vec<String>,
}

/// Serves the pages where the configuration says; `None` where it does not. They end with the server of `front`.
///
/// # Errors
/// If the address is not to be had, or callers would not be known there.
pub async fn start(config: &Config, deps: Deps) -> Result<Option<Listening>, StartError> {
    let Some(listen) = config.listen else {
        return Ok(None);
    };
    let Deps {
        audit,
        log,
        front,
        clock,
    } = deps;
    let hosts = guard::hosts(config, front.host().as_deref());
    let viewer = Viewer(Arc::new(Inner {
        audit,
        log,
        front: front.clone(),
        clock,
        hosts,
    }));
    let listening = front.serve(listen, pages(viewer)).await?;
    tracing::info!(address = %listening.address(), "the audit viewer is at /audit");
    Ok(Some(listening))
}

fn pages(viewer: Viewer) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to(LIST) }))
        .route(LIST, get(list::page))
        .route("/audit/calls/{call_id}", get(call::of_call))
        .route("/audit/entries/{position}", get(call::of_entry))
        .route("/audit/follow", get(follow::events))
        .route("/web/viewer.css", get(|| file("text/css; charset=utf-8", CSS)))
        .route(
            "/web/viewer.js",
            get(|| file("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route("/web/icon.svg", get(|| file("image/svg+xml", ICON)))
        .fallback(nowhere)
        .method_not_allowed_fallback(only_read)
        .layer(middleware::from_fn_with_state(viewer.clone(), guard::guarded))
        .with_state(viewer)
}

const CSS: &str = include_str!("viewer.css");
const SCRIPT: &str = include_str!("viewer.js");
const ICON: &str = include_str!("icon.svg");

async fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn nowhere(State(_): State<Viewer>, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let told = format!("there is no page {path}: all that can be read begins at the list");
    Refusal::plain(StatusCode::NOT_FOUND, "No such page", told).into_response()
}

async fn only_read() -> Response {
    let told = "pages are read, by GET: nothing can be changed here".to_owned();
    let refusal = Refusal::plain(StatusCode::METHOD_NOT_ALLOWED, "Only reading", told);
    ([(header::ALLOW, "GET, HEAD")], refusal).into_response()
}

impl Viewer {
    /// Who asks, if it may ask this method of `AuditService`.
    async fn admitted(&self, parts: &Parts, grpc_method: &str) -> Result<Context, Refusal> {
        let front = &self.0.front;
        let entered = front.enter(parts, grpc_method).map_err(|_| Refusal::defect())?;
        let admitted = front.admit(parts, &entered).await;
        admitted.map_err(|error| {
            let (request_id, message) = (entered.request_id(), error.public_message());
            tracing::debug!(%request_id, %error, "a page was refused");
            Refusal::of(
                error.kind(),
                error.reason().wire_name(),
                message,
                request_id.to_string(),
            )
        })
    }

    /// The answer, if it comes within the time of the request.
    async fn in_time<T>(
        &self,
        context: &Context,
        answer: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let answered = self.0.clock.timeout_at(context.deadline, answer).await;
        answered.unwrap_or_else(|| Err(Refusal::late(context)))
    }
}

/// The paths of the methods that pages ask.
mod method {
    pub(super) const LIST: &str = "/hubkeep.audit.v1.AuditService/ListEvents";
    pub(super) const STREAM: &str = "/hubkeep.audit.v1.AuditService/StreamEvents";
    pub(super) const PROOF: &str = "/hubkeep.audit.v1.AuditService/GetProof";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_beside_pages_fetches_nothing_and_writes_no_html() {
        assert!(!CSS.contains("url(") && !CSS.contains("@import"));
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
        ] {
            assert!(!SCRIPT.contains(way), "{way}");
        }
        for text in [CSS, SCRIPT] {
            assert!(!text.contains("http://") && !text.contains("https://"));
        }
    }
}
