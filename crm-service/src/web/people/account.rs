//! What is a user's own here: what they have connected, whom they let read for them, and where they are signed in. Each can be ended.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    ACCOUNT, Desk, SIGN_IN, hubspot, pages,
    query::Values,
    session::{self, Browser},
    sign_in,
};
use crate::credentials::{Allowed, ClientError, OwnConnection, OwnSession};

pub(super) const SIGN_OUT: &str = "/account/sign-out";
pub(super) const FORBID: &str = "/account/forbid";
/// The longest form.
const LONGEST: usize = 16 * 1024;

pub(super) async fn page(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    let browser = match desk.who(&headers).await {
        Ok(browser) => browser,
        Err(ClientError::SessionInvalid) => return sign_in::first(ACCOUNT),
        Err(error) => return pages::refused(&error).into_response(),
    };
    match shown(&desk, &browser).await {
        Ok(content) => browser.with(pages::page("Your account", Some(&browser.user.email), &content)),
        Err(error) => browser.with(pages::refused(&error)),
    }
}

async fn shown(desk: &Desk, browser: &Browser) -> Result<Markup, ClientError> {
    let people = &desk.0.people;
    let connections = people.connected(browser.token()).await?;
    let allowed = people.allowed(browser.token()).await?;
    let sessions = people.all_sessions(browser.token()).await?;
    let word = browser.word();
    Ok(html! {
        h1 { "Your account" }
        section aria-labelledby="connections" {
            h2 id="connections" { "HubSpot" }
            @if connections.is_empty() { p { "You have not connected HubSpot." } }
            @for one in &connections { (connection(one, &word)) }
            p { a class="primary" href=(hubspot::link(browser)) { "Connect HubSpot" } }
        }
        section aria-labelledby="programs" {
            h2 id="programs" { "Programs that read for you" }
            @if allowed.is_empty() { p { "You let no program read for you." } }
            @for one in &allowed { (program(one, &word)) }
        }
        section aria-labelledby="sessions" {
            h2 id="sessions" { "Where you are signed in" }
            @for one in &sessions { (signed_in(one, one.session_id == browser.user.session_id, &word)) }
            (button(SIGN_OUT, &word, ("everywhere", "yes"), "Sign out everywhere, and end all programs"))
        }
    })
}

fn connection(one: &OwnConnection, word: &str) -> Markup {
    html! {
        article {
            h3 { (one.client_slug) }
            p { "HubSpot account " (one.portal_id) ", as " (one.hubspot_email) ". " (reach(one)) }
            @if one.is_lost {
                p class="warning" role="note" { "HubSpot takes this connection no longer: connect it again." }
            }
            (button(hubspot::DISCONNECT, word, ("connection_id", &one.connection_id), &format!("Disconnect {}", one.client_slug)))
        }
    }
}

/// How far a connection reaches, in words.
pub(super) const fn reach(one: &OwnConnection) -> &'static str {
    match one.follows_the_user {
        Some(true) => "User-level: it reaches as far as your own permissions in HubSpot.",
        Some(false) => {
            "Account-level: it reaches as far as the app may in this account, whatever your own permissions are. Here it only reads."
        }
        None => "HubSpot has not said how far it reaches.",
    }
}

fn program(one: &Allowed, word: &str) -> Markup {
    let called = match one.client_name.as_str() {
        "" => one.client_id.as_str(),
        name => name,
    };
    html! {
        article {
            h3 class="client" { (called) }
            p class="host" {
                "Calls itself so; its id is " code { (one.client_id) } ". "
                @if let Some(consented) = one.consented { "You allowed it on " (pages::time(consented)) ". " }
                @if one.live == 0 { "It has no token now." } @else { "Sign-ins that live: " (one.live) "." }
            }
            (button(FORBID, word, ("client_id", &one.client_id), &format!("End {called}")))
        }
    }
}

fn signed_in(one: &OwnSession, is_this: bool, word: &str) -> Markup {
    let called = if is_this { "Sign out" } else { "End this session" };
    html! {
        article {
            p {
                @if is_this { strong { "This browser. " } }
                @if let Some(opened) = one.opened { "Signed in on " (pages::time(opened)) ". " }
                @if let Some(ends) = one.ends { "Ends on " (pages::time(ends)) "." }
            }
            (button(SIGN_OUT, word, ("session_id", &one.session_id), called))
        }
    }
}

/// A form of one button.
fn button(to: &str, word: &str, (name, value): (&str, &str), called: &str) -> Markup {
    html! {
        form method="post" action=(to) {
            input type="hidden" name="word" value=(word);
            input type="hidden" name=(name) value=(value);
            button type="submit" { (called) }
        }
    }
}

/// Whose form it is, and what it says, if it comes from a page of theirs.
pub(super) async fn form(
    desk: &Desk,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Browser, Values), Box<Response>> {
    let browser = desk.who(headers).await;
    let browser = browser.map_err(|error| Box::new(pages::refused(&error).into_response()))?;
    let values = match body.len() <= LONGEST {
        true => Values::read(body),
        false => Values::default(),
    };
    // Of a session that was renewed by this very request, the form is of the one before: its page is shown anew.
    if browser.is_renewed() || values.get("word") != browser.word() {
        let told = "The page was too old, so that nothing was done. Open it again.";
        return Err(Box::new(browser.with(pages::wrong("Once more", told))));
    }
    Ok((browser, values))
}

pub(super) async fn sign_out(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    let (browser, values) = match form(&desk, &headers, &body).await {
        Ok(both) => both,
        Err(answer) => return *answer,
    };
    let (people, everywhere) = (&desk.0.people, !values.get("everywhere").is_empty());
    let session_id = Some(values.get("session_id")).filter(|id| !id.is_empty());
    let ended = match everywhere {
        true => people.end_everything(browser.token(), &browser.user.user).await,
        false => people.end(browser.token(), session_id).await,
    };
    match ended {
        Err(error) => browser.with(pages::refused(&error)),
        Ok(()) if !everywhere && session_id.is_some_and(|id| id != browser.user.session_id) => {
            Redirect::to(ACCOUNT).into_response()
        }
        Ok(()) => signed_out(),
    }
}

fn signed_out() -> Response {
    let content = html! {
        h1 { "You are signed out" }
        p { a class="primary" href=(SIGN_IN) { "Sign in" } }
    };
    let mut answer = pages::page("You are signed out", None, &content).into_response();
    for cookie in session::forgotten() {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

pub(super) async fn forbid(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    let (browser, values) = match form(&desk, &headers, &body).await {
        Ok(both) => both,
        Err(answer) => return *answer,
    };
    match desk
        .0
        .people
        .forbid(browser.token(), values.get("client_id"))
        .await
    {
        Ok(()) => Redirect::to(ACCOUNT).into_response(),
        Err(error) => browser.with(pages::refused(&error)),
    }
}
