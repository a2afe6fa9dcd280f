//! The true answer to a request, made of the account's data.

use std::sync::Arc;

use super::{Received, with_rate_headers};
use crate::api::query::Query;
use crate::api::route::Route;
use crate::api::{self, Call, Payload};
use crate::clock;
use crate::errors::{self, Problem};
use crate::limits::Headroom;
use crate::oauth;
use crate::reply::Reply;
use crate::state::State;
use crate::world::TokenKind;

/// What is not as it was sent, by a fault.
#[derive(Debug, Default)]
pub(super) struct Twist {
    /// Another account, whose data answers.
    pub(super) other: Option<u64>,
    /// Another body.
    pub(super) payload: Option<Payload>,
}

/// The true answer; what the request asks for is done.
pub(super) fn truth(state: &State, received: &Received, twist: &Twist, headroom: Option<Headroom>) -> Reply {
    let reply = match try_truth(state, received, twist) {
        Ok(reply) => {
            state.journal.add_effect(received.seq);
            reply
        }
        Err(problem) => received.refuse(problem),
    };
    with_rate_headers(reply, received, headroom)
}

/// An OAuth access token past its time is told apart; what else is not valid is not known.
fn not_let_in(received: &Received) -> Problem {
    let ended = received.token.as_ref().and_then(|token| {
        let ended = token.expired(received.now);
        ended.filter(|_| token.kind == TokenKind::OAuth)
    });
    match ended {
        Some(at) => {
            let seconds = received.now.saturating_sub(at) / 1_000_000;
            errors::expired(u64::try_from(seconds).unwrap_or_default(), clock::iso(at))
        }
        None => errors::unauthenticated(),
    }
}

/// From 2026-09 on writes are held to what an account's administrators demand; older paths are not.
fn enforces(path: &str) -> bool {
    path.split('/').any(|segment| segment == "2026-09")
}

fn try_truth(state: &State, received: &Received, twist: &Twist) -> Result<Reply, Problem> {
    let route = received.route.as_ref().ok_or_else(errors::not_found)?;
    if let Route::OAuth(action) = route {
        let form = received.payload.json.as_ref();
        return oauth::answer(state, *action, &received.method, form, received.now);
    }
    if let Route::Consent(account) = route {
        let asked = oauth::Asked {
            account: account.as_deref(),
            method: &received.method,
            query: Query::parse(&received.query),
            form: received.payload.json.as_ref(),
            now: received.now,
        };
        return oauth::consent(state, &asked);
    }
    let live = received
        .token
        .as_ref()
        .filter(|token| token.is_live(received.now));
    let token = live.ok_or_else(|| not_let_in(received))?;
    let portal = match twist.other {
        Some(id) => state.accounts.portal(id).map_err(|_| errors::not_found())?,
        None => Arc::clone(&token.portal),
    };
    let call = Call {
        method: &received.method,
        query: Query::parse(&received.query),
        body: twist.payload.as_ref().unwrap_or(&received.payload),
        token,
        portal: &portal,
        accounts: &state.accounts,
        now: received.now,
        enforces: enforces(&received.path),
    };
    api::answer(&call, route)
}
