//! Pages for people: they sign in, connect HubSpot, and see and end what was given in their name. Nothing is decided here: the
//! browser is led to the provider and to HubSpot, and what it comes back with is credential-service's to judge.
//!
//! | file | does |
//! |---|---|
//! | `config`, `provider` | whom people sign in with: where its pages are, and what it gives for a code |
//! | `sign_in` | to the provider and back |
//! | `hubspot` | to HubSpot and back; ends a connection |
//! | `account` | what is a user's own here, and its end |
//! | `session` | whose browser it is; renews its session |
//! | `cookies`, `query` | what browsers keep, and what they send |
//! | `guard` | who may not change anything; the headers of every page |
//! | `pages` | what all pages have around them |
//!
//! What is begun in a browser is completed in the same: its state is in a cookie of this host alone, besides being bound to the user.
//! What changes something is asked by POST, from a page of this origin, with a word that follows from the session.

mod account;
mod config;
mod cookies;
mod guard;
mod hubspot;
mod pages;
mod provider;
mod query;
mod session;
mod sign_in;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};
pub use config::Provider as ProviderConfig;
pub(super) use config::check;
use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use hubkeep_seal::remote::RemoteError;
use provider::Provider;

use crate::credentials::People;

/// Where a user sees what is theirs.
const ACCOUNT: &str = "/account";
/// Where somebody chooses whom to sign in with.
const SIGN_IN: &str = "/auth/sign-in";

/// What these pages are made from.
pub struct Deps {
    /// Where everything is decided.
    pub people: People,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// Pages that do not know their address yet.
pub struct Pages {
    deps: Deps,
    providers: Vec<Provider>,
}

/// What the handlers share.
#[derive(Clone)]
struct Desk(Arc<Inner>);

struct Inner {
    people: People,
    providers: Vec<Provider>,
    clock: SharedClock,
    random: SharedRandom,
    /// As browsers say it.
    origin: String,
    renewals: session::Renewals,
    used_up: sign_in::UsedUp,
}

impl Pages {
    /// Reads our secrets at the providers. Nothing is asked of them yet.
    ///
    /// # Errors
    /// If a secret cannot be read.
    pub fn open(providers: &[ProviderConfig], deps: Deps) -> Result<Self, RemoteError> {
        let opened = providers
            .iter()
            .map(|one| Provider::open(one.clone(), deps.clock.clone()));
        let providers = opened.collect::<Result<_, _>>()?;
        Ok(Self { deps, providers })
    }

    /// The pages, at this origin.
    pub fn at(self, origin: &str) -> Router {
        let Deps {
            people,
            clock,
            random,
        } = self.deps;
        let desk = Desk(Arc::new(Inner {
            people,
            providers: self.providers,
            clock,
            random,
            origin: origin.to_owned(),
            renewals: session::Renewals::default(),
            used_up: sign_in::UsedUp::default(),
        }));
        routes(desk)
    }
}

fn routes(desk: Desk) -> Router {
    Router::new()
        .route(SIGN_IN, get(sign_in::choose))
        .route(sign_in::DONE, get(sign_in::done))
        .route("/auth/{provider}", get(sign_in::begin))
        .route("/auth/{provider}/callback", get(sign_in::come_back))
        .route(hubspot::BEGIN, get(hubspot::begin))
        .route(hubspot::CALLBACK, get(hubspot::come_back))
        .route(hubspot::DISCONNECT, post(hubspot::disconnect))
        .route(ACCOUNT, get(account::page))
        .route(account::SIGN_OUT, post(account::sign_out))
        .route(account::FORBID, post(account::forbid))
        .route_layer(middleware::from_fn_with_state(desk.clone(), guard::guarded))
        .with_state(desk)
}
