//! What all pages for people have around them, and the pages that say what is wrong.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use hubkeep_core::{clock::Timestamp, error::ErrorReason};
use maud::{DOCTYPE, Markup, html};

use super::{ACCOUNT, SIGN_IN};
use crate::credentials::ClientError;

/// A page. `who` is the address of whoever has signed in.
pub(super) fn page(title: &str, who: Option<&str>, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Hubkeep" }
                link rel="stylesheet" href="/oauth/page.css";
            }
            body {
                main {
                    p class="brand" { "Hubkeep" }
                    (content)
                    @if let Some(who) = who { p class="soft" { "You are signed in as " strong { (who) } "." } }
                }
            }
        }
    };
    Html(page.into_string())
}

/// A time, for people.
pub(super) fn time(at: Timestamp) -> Markup {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M UTC").to_string()) } }
}

/// A page that says what is wrong, and how to go on.
pub(super) struct Wrong {
    status: StatusCode,
    title: &'static str,
    message: String,
    /// Where to go on, and what that is called.
    onward: (&'static str, &'static str),
}

const TO_ACCOUNT: (&str, &str) = (ACCOUNT, "Go to your account");
const TO_SIGN_IN: (&str, &str) = (SIGN_IN, "Sign in");

/// Something that is not done.
pub(super) fn wrong(title: &'static str, message: &str) -> Wrong {
    Wrong {
        status: StatusCode::FORBIDDEN,
        title,
        message: message.to_owned(),
        onward: TO_ACCOUNT,
    }
}

/// A sign-in that gave nothing.
pub(super) fn not_signed_in(message: &str) -> Wrong {
    Wrong {
        status: StatusCode::BAD_REQUEST,
        onward: TO_SIGN_IN,
        ..wrong("You are not signed in", message)
    }
}

/// A page that there is not.
pub(super) fn nowhere() -> Wrong {
    Wrong {
        status: StatusCode::NOT_FOUND,
        ..wrong("No such page", "There is no such page here.")
    }
}

/// Something that does not answer now.
pub(super) fn not_now(message: &str) -> Wrong {
    Wrong {
        status: StatusCode::SERVICE_UNAVAILABLE,
        ..wrong("Not now", message)
    }
}

/// What credential-service has refused. Whose session is over signs in again.
pub(super) fn refused(error: &ClientError) -> Wrong {
    match error {
        ClientError::SessionInvalid => Wrong {
            status: StatusCode::UNAUTHORIZED,
            ..not_signed_in("Nobody is signed in in this browser, or no longer.")
        },
        ClientError::Refused { reason, said } => {
            tracing::info!(
                reason = reason.wire_name(),
                "something was refused to somebody in a browser"
            );
            let signing_in = matches!(
                reason,
                ErrorReason::IdTokenRefused | ErrorReason::OrganisationNotAllowed
            );
            let first = said.chars().next().into_iter().flat_map(char::to_uppercase);
            let message: String = first.chain(said.chars().skip(1)).chain(['.']).collect();
            Wrong {
                onward: if signing_in { TO_SIGN_IN } else { TO_ACCOUNT },
                ..wrong("That did not work", &message)
            }
        }
        error => {
            tracing::warn!(%error, "a page cannot be shown");
            not_now("A part of this service does not answer now. Load this page again in a minute.")
        }
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let (path, called) = self.onward;
        let content = html! {
            h1 { (self.title) }
            p role="alert" { (self.message) }
            p { a class="primary" href=(path) { (called) } }
        };
        (self.status, page(self.title, None, &content)).into_response()
    }
}
