//! The headers of every page, and who may not change anything: pages of other sites. Under another name than ours nothing is answered
//! in the first place; that is looked at where requests come in.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Desk, pages};

/// What a page may do: show itself in our style, and send its forms to us. There is no script.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Lets through what reads; of what changes something only what our own pages ask.
pub(super) async fn guarded(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let mut answer = match reads || is_own(&desk.0.origin, request.headers()) {
        true => next.run(request).await,
        false => pages::wrong(
            "Nothing was done",
            "Another site asked for this, so that nothing was done.",
        )
        .into_response(),
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Whether a form comes from a page of ours: browsers say so in one header or the other.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    match text(header::ORIGIN) {
        Some(from) => from == origin && site.is_none_or(|site| site == "same-origin"),
        None => site == Some("same-origin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_ours_changes_anything() {
        let is_let_in = |headers: &[(&'static str, &'static str)]| {
            let mut all = HeaderMap::new();
            for (name, value) in headers {
                all.append(*name, HeaderValue::from_static(value));
            }
            is_own("https://h.example", &all)
        };
        let own = ("origin", "https://h.example");
        assert!(is_let_in(&[own]));
        assert!(is_let_in(&[own, ("sec-fetch-site", "same-origin")]));
        assert!(is_let_in(&[("sec-fetch-site", "same-origin")]));
        for headers in [
            &[][..],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[own, ("sec-fetch-site", "cross-site")],
            &[own, ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
        ] {
            assert!(!is_let_in(headers), "{headers:?}");
        }
    }
}
