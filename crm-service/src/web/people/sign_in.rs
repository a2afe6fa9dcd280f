//! To the provider and back. What is begun in a browser comes back to it once, within 10 min, with the same state, or it is nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::constant_time;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hubkeep_core::{clock::Timestamp, random::RandomError};
use maud::html;

use super::{
    ACCOUNT, Desk, SIGN_IN, cookies, hubspot, pages,
    provider::{Begun, Provider},
    query::{Values, address, onward},
    session,
};
use crate::credentials::{ClientError, SignedIn};

/// What is shown after it.
pub(super) const DONE: &str = "/auth/done";
/// A sign-in is to be completed within this, in seconds.
const LIVES: u32 = 600;
/// The most states that are known to be used up.
const MOST: usize = 10_000;

/// States that were used up, and until when that must be known.
#[derive(Default)]
pub(super) struct UsedUp(Mutex<HashMap<String, Timestamp>>);

impl UsedUp {
    /// Uses a state up; whether it was not before.
    fn take(&self, state: &str, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, ends| *ends > now);
        if all.len() >= MOST {
            all.clear();
        }
        let ends = now.plus(Duration::from_secs(LIVES.into()));
        all.insert(state.to_owned(), ends).is_none()
    }
}

/// A sign-in as the browser holds it.
struct Held {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    began: Timestamp,
    next: String,
}

impl Held {
    fn new(desk: &Desk, provider: &str, next: &str) -> Result<Self, RandomError> {
        let word =
            || -> Result<String, RandomError> { Ok(URL_SAFE_NO_PAD.encode(desk.0.random.bytes::<32>()?)) };
        Ok(Self {
            provider: provider.to_owned(),
            state: word()?,
            nonce: word()?,
            verifier: word()?,
            began: desk.0.clock.now(),
            next: onward(next).unwrap_or_default().to_owned(),
        })
    }

    fn write(&self) -> String {
        let next = URL_SAFE_NO_PAD.encode(&self.next);
        let began = self.began.as_micros();
        format!(
            "{}.{}.{}.{}.{began}.{next}",
            self.provider, self.state, self.nonce, self.verifier
        )
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let text = cookies::value(headers, cookies::SIGN_IN)?;
        let mut parts = text.split('.').map(str::to_owned);
        let mut part = || parts.next();
        let (provider, state, nonce, verifier) = (part()?, part()?, part()?, part()?);
        let began = Timestamp::from_micros(part()?.parse().ok()?);
        let next = URL_SAFE_NO_PAD.decode(part()?).ok()?;
        let next = onward(std::str::from_utf8(&next).ok()?).unwrap_or_default();
        Some(Self {
            provider,
            state,
            nonce,
            verifier,
            began,
            next: next.to_owned(),
        })
    }

    fn begun<'a>(&'a self, redirect_uri: &'a str) -> Begun<'a> {
        Begun {
            redirect_uri,
            state: &self.state,
            nonce: &self.nonce,
            verifier: &self.verifier,
        }
    }
}

/// Where somebody who is not signed in goes first, to come back to this page.
pub(super) fn first(next: &str) -> Response {
    Redirect::to(&address(SIGN_IN, &[("next", next)])).into_response()
}

/// Leads to the provider, or lets choose one.
pub(super) async fn choose(State(desk): State<Desk>, uri: Uri, headers: HeaderMap) -> Response {
    let values = Values::read(uri.query().unwrap_or_default().as_bytes());
    let next = onward(values.get("next")).unwrap_or_default();
    // A session that is merely to be renewed is, without anybody being asked.
    match desk.who(&headers).await {
        Ok(browser) if browser.is_renewed() && !next.is_empty() => return browser.with(Redirect::to(next)),
        Err(error @ ClientError::Unavailable { .. }) => return pages::refused(&error).into_response(),
        _ => {}
    }
    let to = |provider: &Provider| address(&format!("/auth/{}", provider.config.name), &[("next", next)]);
    match desk.0.providers.as_slice() {
        [] => {
            pages::not_now("Nobody can sign in here yet: the operator has named no provider.").into_response()
        }
        [only] => Redirect::to(&to(only)).into_response(),
        several => {
            let content = html! {
                h1 { "Sign in" }
                ul class="choices" {
                    @for one in several { li { a class="primary" href=(to(one)) { "Sign in with " (one.config.title) } } }
                }
            };
            pages::page("Sign in", None, &content).into_response()
        }
    }
}

/// Begins it at a provider.
pub(super) async fn begin(State(desk): State<Desk>, Path(name): Path<String>, uri: Uri) -> Response {
    let Some(provider) = desk.provider(&name) else {
        return pages::nowhere().into_response();
    };
    let values = Values::read(uri.query().unwrap_or_default().as_bytes());
    let Ok(held) = Held::new(&desk, &name, values.get("next")) else {
        return pages::not_now("Something is broken on our side.").into_response();
    };
    match provider.authorize_url(&held.begun(&desk.callback(&name))).await {
        Ok(url) => {
            let cookie = cookies::set(cookies::SIGN_IN, &held.write(), LIVES);
            ([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, provider = name, "a provider that people sign in with was not reached");
            pages::not_now("The sign-in provider does not answer. Try again in a minute.").into_response()
        }
    }
}

/// Completes it.
pub(super) async fn come_back(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let values = Values::read(uri.query().unwrap_or_default().as_bytes());
    let answer = completed(&desk, &name, &values, &headers).await;
    let mut answer = answer.unwrap_or_else(|wrong| wrong.into_response());
    let over = cookies::removed(cookies::SIGN_IN);
    answer.headers_mut().append(header::SET_COOKIE, over);
    answer
}

async fn completed(
    desk: &Desk,
    name: &str,
    values: &Values,
    headers: &HeaderMap,
) -> Result<Response, pages::Wrong> {
    let held = held(desk, name, values.get("state"), headers);
    let strange = "This sign-in was not begun in this browser, or too long ago, or it is done already.";
    let held = held.ok_or_else(|| pages::not_signed_in(strange))?;
    let code = values.get("code");
    if !values.get("error").is_empty() || code.is_empty() {
        return Err(pages::not_signed_in("The provider says that this was declined."));
    }
    let provider = desk.provider(name).ok_or_else(pages::nowhere)?;
    let id_token = provider.redeem(code, &held.begun(&desk.callback(name))).await;
    let id_token = id_token.map_err(|error| {
        tracing::warn!(%error, provider = name, "a code of a provider gave nothing");
        pages::not_now("The sign-in provider did not complete this. Sign in again.")
    })?;
    let opened = desk.0.people.open(&id_token, &held.nonce).await;
    let (_, tokens) = opened.map_err(|error| pages::refused(&error))?;
    let to = if held.next.is_empty() {
        DONE
    } else {
        held.next.as_str()
    };
    let mut answer = Redirect::to(to).into_response();
    session::keep(&mut answer, &tokens);
    Ok(answer)
}

/// What this browser has begun, if it comes back with its state, in time, for the first time.
fn held(desk: &Desk, name: &str, state: &str, headers: &HeaderMap) -> Option<Held> {
    let held = Held::read(headers)?;
    let same = constant_time::verify_slices_are_equal(held.state.as_bytes(), state.as_bytes());
    let now = desk.0.clock.now();
    let in_time = now.since(held.began) <= Duration::from_secs(LIVES.into()) && held.began <= now;
    let fits = same.is_ok() && in_time && held.provider == name;
    (fits && desk.0.used_up.take(state, now)).then_some(held)
}

/// After signing in: HubSpot may be connected, or not.
pub(super) async fn done(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    let browser = match desk.who(&headers).await {
        Ok(browser) => browser,
        Err(error) => return pages::refused(&error).into_response(),
    };
    let title = format!("{} connected", desk.called(&browser.user));
    let content = html! {
        h1 { (title) }
        p { "Also connect HubSpot? Programs that you allow can then read there, as far as you may." }
        div class="choices" {
            a class="primary" href=(hubspot::link(&browser)) { "Connect HubSpot" }
            a class="button" href=(ACCOUNT) { "Skip for now" }
        }
    };
    browser.with(pages::page(&title, Some(&browser.user.email), &content))
}

impl Desk {
    fn provider(&self, name: &str) -> Option<&Provider> {
        self.0.providers.iter().find(|one| one.config.name == name)
    }

    /// What people call the provider that somebody has signed in with.
    fn called(&self, user: &SignedIn) -> &str {
        let issuer = user.issuer.trim_end_matches('/');
        let found = self.0.providers.iter().find(|one| one.config.issuer() == issuer);
        found.map_or("Your account", |one| one.config.title.as_str())
    }

    /// Where a provider sends browsers back.
    fn callback(&self, name: &str) -> String {
        format!("{}/auth/{name}/callback", self.0.origin)
    }
}
