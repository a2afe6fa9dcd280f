//! The life of one request: journal, token, limits, faults, answer.

mod suffer;
mod truth;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use suffer::suffer;

use crate::accounts::Token;
use crate::api::Payload;
use crate::api::rate_limited::{self, Window};
use crate::api::route::Route;
use crate::clock;
use crate::control::http as control_http;
use crate::errors::Problem;
use crate::journal::{JournalEntry, fingerprint, without_tokens};
use crate::limits::{Arrival, Headroom, Policy};
use crate::lock::lock;
use crate::reply::{CORRELATION, Reply};
use crate::state::State;
use crate::wire::{self, Cut, Ending, WireBody};
use crate::world::TokenKind;

/// No request has a larger body.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A request that has been written down.
struct Received {
    seq: u64,
    method: String,
    path: String,
    query: String,
    token: Option<Arc<Token>>,
    correlation_id: String,
    payload: Payload,
    now: i64,
    route: Option<Route>,
}

impl Received {
    fn portal_id(&self) -> Option<u64> {
        self.token.as_ref().map(|token| token.portal.id)
    }

    fn is_association(&self) -> bool {
        self.route.as_ref().is_some_and(Route::is_association)
    }

    fn is_search(&self) -> bool {
        self.route.as_ref().is_some_and(Route::is_search)
    }

    fn refuse(&self, problem: Problem) -> Reply {
        Reply::refusal(problem, &self.correlation_id)
    }
}

/// Answers one request; an error cuts the connection.
pub(crate) async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<WireBody>, Cut> {
    let (head, body) = request.into_parts();
    if head.uri.path().starts_with(control_http::PREFIX) {
        let body = read_body(body).await?;
        let reply = control_http::answer(&state, head.method.as_str(), &head.uri, &body);
        return Ok(wire::response(reply, Ending::Whole));
    }
    let received = receive(&state, &head, body).await?;
    let (reply, ending) = decide(&state, &received).await?;
    state.journal.add_status(received.seq, reply.status.as_u16());
    Ok(wire::response(
        reply.header(CORRELATION, &received.correlation_id),
        ending,
    ))
}

/// Writes the request down before anything is known about it, then reads its body.
async fn receive(state: &State, head: &Parts, body: Incoming) -> Result<Received, Cut> {
    let now = state.clock.micros();
    let text = bearer(&head.headers);
    let token = text.and_then(|text| state.accounts.token(text));
    let correlation_id = state.correlation_id();
    let (method, path) = (head.method.as_str().to_owned(), head.uri.path().to_owned());
    let query = head.uri.query().unwrap_or_default().to_owned();
    let seq = state.journal.record(JournalEntry {
        seq: 0,
        received_at: now,
        method: method.clone(),
        path: path.clone(),
        query: query.clone(),
        token_fingerprint: text.map(fingerprint),
        portal_id: token.as_ref().map(|token| token.portal.id),
        body_bytes: 0,
        body: None,
        headers: visible_headers(&head.headers),
        correlation_id: correlation_id.clone(),
        status: None,
        carried_out: false,
    });
    let bytes = read_body(body).await?;
    let json: Option<Value> = match is_form(&head.headers) {
        true => Some(form(&bytes)),
        false => serde_json::from_slice(&bytes).ok(),
    };
    state
        .journal
        .add_body(seq, bytes.len(), json.as_ref().map(without_tokens));
    let payload = Payload {
        json,
        chars: String::from_utf8_lossy(&bytes).chars().count(),
    };
    let route = Route::parse(&path);
    Ok(Received {
        seq,
        method,
        path,
        query,
        token,
        correlation_id,
        payload,
        now,
        route,
    })
}

async fn read_body(body: Incoming) -> Result<Bytes, Cut> {
    Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map(|body| body.to_bytes())
        .map_err(|_| Cut)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// A form as an object of texts.
fn form(bytes: &[u8]) -> Value {
    let fields = form_urlencoded::parse(bytes);
    fields
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn visible_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let visible = headers.iter().filter(|(name, _)| *name != AUTHORIZATION);
    visible
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// Limits first, for they count at arrival; then faults; then the true answer.
async fn decide(state: &State, received: &Received) -> Result<(Reply, Ending), Cut> {
    let live = received
        .token
        .as_ref()
        .filter(|token| token.is_live(received.now));
    let mut headroom = None;
    if let Some(token) = live {
        let (left, admitted) = admit(received, token);
        headroom = Some(left);
        if let Err(policy) = admitted {
            return Ok((over_limit(received, policy, headroom), Ending::Whole));
        }
    }
    let fate = state
        .faults
        .take(received.portal_id(), &received.method, &received.path);
    let outcome = suffer(state, received, &fate, headroom);
    if fate.delay_ms > 0 {
        clock::sleep(Duration::from_millis(fate.delay_ms)).await;
    }
    if let Some(gate) = fate.gate {
        state.faults.wait_at(gate).await;
    }
    outcome
}

fn admit(received: &Received, token: &Token) -> (Headroom, Result<(), Policy>) {
    let portal = &token.portal;
    let arrival = Arrival {
        app_id: token.app_id,
        is_search: received.is_search(),
        is_association: received.is_association(),
        is_oauth: token.kind == TokenKind::OAuth,
        at: received.now,
        utc_offset_ms: portal.utc_offset_ms(),
    };
    lock(&portal.meter).admit(arrival)
}

fn over_limit(received: &Received, policy: Policy, headroom: Option<Headroom>) -> Reply {
    let window = Window {
        app_id: received.token.as_ref().map_or(0, |token| token.app_id),
        portal_id: received.portal_id().unwrap_or_default(),
        of_associations: received.is_association(),
    };
    let problem = rate_limited::problem(policy, window, &received.correlation_id);
    with_rate_headers(received.refuse(problem), received, headroom)
}

/// A search never tells what is left.
fn with_rate_headers(reply: Reply, received: &Received, headroom: Option<Headroom>) -> Reply {
    match headroom {
        Some(left) if !received.is_search() => reply.rate_headers(left),
        _ => reply,
    }
}
