//! The pages of the authorization server. They work without a script, and nothing is fetched for them but their style.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{clients::Client, redirect, request::Asked};

/// What a page may do: show itself in our style, and send its form to us.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn page(title: &str, onward: Option<&str>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                // A form may lead to our own pages only, and browsers hold redirects after it to that too.
                @if let Some(onward) = onward { meta http-equiv="refresh" content={ "0; url=" (onward) }; }
                title { (title) " · Hubkeep" }
                link rel="stylesheet" href="/oauth/page.css";
            }
            body { main { p class="brand" { "Hubkeep" } (content) } }
        }
    }
}

fn answer(status: StatusCode, page: Markup) -> Response {
    let mut answer = (status, Html(page.into_string())).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Asks whether a program may read.
pub(super) fn consent(asked: &Asked, client: &Client, csrf: &str) -> Response {
    let to = redirect::host(&asked.redirect_uri);
    let content = html! {
        h1 { "May " span class="client" { (client.name) } " read your HubSpot?" }
        dl {
            dt { "Who says so" }
            dd {
                @match &client.host {
                    Some(host) => { strong { (host) } " speaks for this program." }
                    None => { "Nobody: any program can call itself that." }
                }
            }
            dt { "What it may do" }
            dd { "Read contacts, companies, deals, tickets and owners, as far as you may. It can change nothing." }
            dt { "For how long" }
            dd { "Up to 30 days, or until you end it on your account page." }
            dt { "Where you go next" }
            dd { strong class="host" { (to) } }
        }
        @if redirect::is_loopback(&asked.redirect_uri) {
            p class="warning" role="note" {
                strong { "This program runs on your own computer. " }
                "Any program there can pass for it. Go on only if you have just asked for this yourself."
            }
        }
        form method="post" action="/oauth/consent" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="response_type" value="code";
            input type="hidden" name="code_challenge_method" value="S256";
            input type="hidden" name="client_id" value=(asked.client_id);
            input type="hidden" name="redirect_uri" value=(asked.redirect_uri);
            input type="hidden" name="code_challenge" value=(asked.challenge);
            input type="hidden" name="resource" value=(asked.resource);
            input type="hidden" name="scope" value=(asked.scopes.join(" "));
            @if let Some(state) = &asked.state { input type="hidden" name="state" value=(state); }
            div class="choices" {
                button class="primary" type="submit" name="decision" value="allow" { "Allow and sign in" }
                button type="submit" name="decision" value="deny" { "Do not allow" }
            }
        }
        p class="soft" { "You did not ask for this? Close this page: nothing has happened." }
    };
    answer(StatusCode::OK, page("May it read your HubSpot?", None, &content))
}

/// Sends the browser on, after a form.
pub(super) fn onward(to: &str) -> Response {
    let content = html! {
        h1 { "One moment" }
        p { a class="primary" href=(to) { "Go on" } }
    };
    answer(StatusCode::OK, page("One moment", Some(to), &content))
}

/// Says what is wrong.
pub(super) fn told(status: StatusCode, title: &str, told: &str) -> Response {
    let content = html! {
        h1 { (title) }
        p role="alert" { (told) }
    };
    answer(status, page(title, None, &content))
}
