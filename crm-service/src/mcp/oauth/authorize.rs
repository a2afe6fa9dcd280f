//! Asks the person whether a program may read: always, also in a browser that is signed in already.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    cookie,
    form::Form,
    page, rate,
    request::{self, Unasked},
};
use crate::mcp::Mcp;

/// How long the page may stand open, in seconds.
const OPEN_FOR: u32 = 1_800;

pub(super) async fn ask(State(mcp): State<Mcp>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let address = rate::address(&parts, mcp.0.config.behind_proxy);
    let Ok(form) = Form::read(parts.uri.query().unwrap_or_default()) else {
        return unreadable();
    };
    let (asked, client) = match request::read(&mcp, &form, address).await {
        Ok(asked) => asked,
        Err(unasked) => return refused(&mcp, unasked),
    };
    let Ok(secret) = mcp.0.random.bytes::<32>() else {
        return refused(&mcp, Unasked::NotNow);
    };
    let csrf = URL_SAFE_NO_PAD.encode(secret);
    let mut answer = page::consent(&asked, &client, &csrf);
    if let Some(cookie) = cookie::set(cookie::CONSENT, &csrf, OPEN_FOR, false) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// A request that says something twice.
pub(super) fn unreadable() -> Response {
    let told = "The request cannot be read: it says something twice, or is no form.";
    page::told(StatusCode::BAD_REQUEST, "This does not work", told)
}

/// The answer where nobody is asked.
pub(super) fn refused(mcp: &Mcp, unasked: Unasked) -> Response {
    match unasked {
        Unasked::Told(told) => page::told(StatusCode::BAD_REQUEST, "This program is not let in", &told),
        Unasked::NotNow => {
            let told =
                "It cannot be found out now who this program is. Wait a minute, and have it connect anew.";
            page::told(StatusCode::SERVICE_UNAVAILABLE, "Not now", told)
        }
        Unasked::SentBack(back, error, told) => {
            match back.with(mcp, &[("error", error), ("error_description", told)]) {
                Some(address) => Redirect::to(&address).into_response(),
                None => unreadable(),
            }
        }
    }
}
