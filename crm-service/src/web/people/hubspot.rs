//! To HubSpot and back, and the end of a connection.

use aws_lc_rs::constant_time;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::html;

use super::{
    ACCOUNT, Desk, account, cookies, pages,
    query::{Values, address},
    session::Browser,
    sign_in,
};
use crate::credentials::{ClientError, Disconnected, OwnConnection};

pub(super) const BEGIN: &str = "/auth/hubspot";
/// Where HubSpot sends browsers back.
pub(super) const CALLBACK: &str = "/auth/hubspot/callback";
pub(super) const DISCONNECT: &str = "/auth/hubspot/disconnect";
/// A connection is to be completed within this, in seconds.
const LIVES: u32 = 600;

/// The address at which this user connects HubSpot.
pub(super) fn link(browser: &Browser) -> String {
    address(BEGIN, &[("c", &browser.mark())])
}

pub(super) async fn begin(State(desk): State<Desk>, uri: Uri, headers: HeaderMap) -> Response {
    let values = Values::read(uri.query().unwrap_or_default().as_bytes());
    let (mark, slug) = (values.get("c"), values.get("client_slug"));
    let browser = match desk.who(&headers).await {
        Ok(browser) => browser,
        Err(ClientError::SessionInvalid) => {
            return sign_in::first(&address(BEGIN, &[("c", mark), ("client_slug", slug)]));
        }
        Err(error) => return pages::refused(&error).into_response(),
    };
    if mark.is_empty() {
        return asked_first(&browser, slug);
    }
    if mark != browser.mark() {
        let told = "This link is for somebody else: with it you would connect your HubSpot to what is theirs. Begin on your account page.";
        return browser.with(pages::wrong("Not your link", told));
    }
    match desk.0.people.start(browser.token(), slug).await {
        Ok((url, state)) => {
            let cookie = cookies::set(cookies::CONNECTION, &state, LIVES);
            browser.with(([(header::SET_COOKIE, cookie)], Redirect::to(&url)))
        }
        Err(error) => browser.with(pages::refused(&error)),
    }
}

/// Of a link that says for nobody that it is, the user says whether to go on.
fn asked_first(browser: &Browser, slug: &str) -> Response {
    let to = address(BEGIN, &[("c", &browser.mark()), ("client_slug", slug)]);
    let content = html! {
        h1 { "Connect HubSpot" }
        p { "Programs that you allow can then read there, as far as you may." }
        div class="choices" {
            a class="primary" href=(to) { "Connect HubSpot" }
            a class="button" href=(ACCOUNT) { "Skip for now" }
        }
    };
    browser.with(pages::page(
        "Connect HubSpot",
        Some(&browser.user.email),
        &content,
    ))
}

pub(super) async fn come_back(State(desk): State<Desk>, uri: Uri, headers: HeaderMap) -> Response {
    let values = Values::read(uri.query().unwrap_or_default().as_bytes());
    let mut answer = completed(&desk, &values, &headers).await;
    let over = cookies::removed(cookies::CONNECTION);
    answer.headers_mut().append(header::SET_COOKIE, over);
    answer
}

async fn completed(desk: &Desk, values: &Values, headers: &HeaderMap) -> Response {
    let begun = cookies::value(headers, cookies::CONNECTION).unwrap_or_default();
    let state = values.get("state");
    let same = constant_time::verify_slices_are_equal(begun.as_bytes(), state.as_bytes());
    if begun.is_empty() || same.is_err() {
        let told = "This connection was not begun in this browser, or too long ago. Begin anew.";
        return pages::wrong("Nothing was connected", told).into_response();
    }
    let browser = match desk.who(headers).await {
        Ok(browser) => browser,
        Err(error) => return pages::refused(&error).into_response(),
    };
    let completed = desk.0.people.complete(browser.token(), state, values.get("code"));
    match completed.await {
        Ok(connection) => connected(&browser, &connection),
        Err(error) => browser.with(pages::refused(&error)),
    }
}

fn connected(browser: &Browser, connection: &OwnConnection) -> Response {
    let content = html! {
        h1 { "HubSpot connected" }
        p {
            "HubSpot account " strong { (connection.portal_id) } " of " strong { (connection.client_slug) }
            " is connected as " strong { (connection.hubspot_email) } "."
        }
        p { (account::reach(connection)) }
        p { "You can close this page, and go on in your program." }
        p { a class="primary" href=(ACCOUNT) { "Go to your account" } }
    };
    browser.with(pages::page(
        "HubSpot connected",
        Some(&browser.user.email),
        &content,
    ))
}

pub(super) async fn disconnect(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    let (browser, form) = match account::form(&desk, &headers, &body).await {
        Ok(both) => both,
        Err(answer) => return *answer,
    };
    let ended = desk
        .0
        .people
        .disconnect(browser.token(), form.get("connection_id"));
    match ended.await {
        Ok(ended) => disconnected(&browser, &ended),
        Err(error) => browser.with(pages::refused(&error)),
    }
}

fn disconnected(browser: &Browser, ended: &Disconnected) -> Response {
    let content = html! {
        h1 { "HubSpot disconnected" }
        p { "Nothing reads " strong { (ended.connection.client_slug) } " for you here any more. You are still signed in." }
        @if ended.connection.is_ending {
            p class="warning" role="alert" {
                "HubSpot did not answer, so that it does not know yet: disconnect again later, or remove the app in HubSpot itself."
            }
        }
        @if let Some(until) = ended.may_live_until {
            p { "If somebody has a copy of an access token, HubSpot would accept it until " (pages::time(until)) "." }
        }
        p { a class="primary" href=(ACCOUNT) { "Go to your account" } }
    };
    browser.with(pages::page(
        "HubSpot disconnected",
        Some(&browser.user.email),
        &content,
    ))
}
