//! What the person has said. It counts only from our own page, in the browser that was shown it; everything that was asked is read anew.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use super::{
    authorize::{refused, unreadable},
    cookie,
    form::Form,
    page, rate, request,
};
use crate::mcp::Mcp;

/// How long somebody may take to sign in, in seconds.
const SIGN_IN_WITHIN: u32 = 600;

pub(super) async fn said(State(mcp): State<Mcp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(form) = Form::of(&parts.headers, body).await else {
        return unreadable();
    };
    if !is_from_our_page(&mcp, &parts.headers, &form) {
        let told = "This was not sent from the page that you were shown in this browser, or that page is too old. Have the program \
                    connect anew.";
        return page::told(StatusCode::FORBIDDEN, "Nothing was allowed", told);
    }
    let address = rate::address(&parts, mcp.0.config.behind_proxy);
    let (asked, client) = match request::read(&mcp, &form, address).await {
        Ok(asked) => asked,
        Err(unasked) => return refused(&mcp, unasked),
    };
    let allowed = form.get("decision") == Some("allow");
    let result = if allowed { "allowed" } else { "denied" };
    metrics::counter!("hubkeep_oauth_consents_total", "result" => result).increment(1);
    if !allowed {
        let denied = [
            ("error", "access_denied"),
            ("error_description", "the user does not allow it"),
        ];
        return match asked.back().with(&mcp, &denied) {
            Some(back) => over(page::onward(&back)),
            None => unreadable(),
        };
    }
    let begun = async {
        mcp.0.clients.used(&client).await?;
        mcp.0.flows.begin(&asked).await
    };
    match begun.await {
        Ok(flow) => {
            let mut answer = over(page::onward("/oauth/continue"));
            if let Some(cookie) = cookie::set(cookie::FLOW, &flow, SIGN_IN_WITHIN, true) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            answer
        }
        Err(error) => {
            tracing::error!(%error, "a consent cannot be kept");
            let told = "It cannot be kept now that you allow it. Have the program connect anew in a minute.";
            page::told(StatusCode::SERVICE_UNAVAILABLE, "Not now", told)
        }
    }
}

/// Whether the form is the one that this browser was shown, and was sent from there.
fn is_from_our_page(mcp: &Mcp, headers: &HeaderMap, form: &Form) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let own = text("origin").is_none_or(|origin| origin == mcp.0.place.issuer());
    let same = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let shown = cookie::value(headers, cookie::CONSENT).unwrap_or_default();
    let sent = form.get("csrf").unwrap_or_default();
    let fits = !shown.is_empty() && verify_slices_are_equal(shown.as_bytes(), sent.as_bytes()).is_ok();
    own && same && fits
}

/// The page is used up.
fn over(mut answer: Response) -> Response {
    if let Some(cookie) = cookie::set(cookie::CONSENT, "", 0, false) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}
