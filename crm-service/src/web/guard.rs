//! What keeps other sites, in the browser of an operator, from reading what that operator may read: whoever visits them has a
//! certificate, or is on loopback, too.
//!
//! A page of another site cannot read ours, because browsers keep origins apart. It could be taken for the same origin, by
//! letting its own name lead to our address (DNS rebinding): so only known names are answered. And it could make the browser ask, and so
//! put a reading on record in the operator's name: so only what our own pages ask, or the operator by typing, is answered.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hubkeep_core::error::ErrorReason;

use super::{Config, Viewer, method, refusal::Refusal};

/// What a page may do: show itself, in our style, with our script, which may ask us and can write no HTML.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The hosts under which pages are shown.
pub(super) fn hosts(config: &Config, certified: Option<&str>) -> Vec<String> {
    let own = ["localhost", "127.0.0.1", "[::1]"].into_iter().chain(certified);
    own.map(str::to_owned)
        .chain(config.names.iter().cloned())
        .collect()
}

/// Lets through what our own pages ask for, and what was typed; puts the headers on every answer.
pub(super) async fn guarded(State(viewer): State<Viewer>, request: Request, next: Next) -> Response {
    let mut answer = match stranger(&viewer.0.hosts, request.headers(), request.uri()) {
        None => next.run(request).await,
        Some(refusal) => {
            let (parts, _) = request.into_parts();
            if let Ok(entered) = viewer.0.front.enter(&parts, method::LIST) {
                viewer
                    .0
                    .front
                    .refused(&entered, ErrorReason::CallerNotAllowed)
                    .await;
            }
            refusal.into_response()
        }
    };
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Why a request is not one of our own pages'; `None` if it may be.
fn stranger(hosts: &[String], headers: &HeaderMap, uri: &Uri) -> Option<Refusal> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str));
    let name = host.map(|host| without_port(host).to_ascii_lowercase());
    if !name.as_ref().is_some_and(|name| hosts.contains(name)) {
        let told = "under this name nothing is shown, so that no other site can pass for this one: open it as localhost, by the \
                    name in the service's certificate, or by one that stands under [web] names";
        return Some(Refusal::plain(
            StatusCode::FORBIDDEN,
            "Not under this name",
            told.to_owned(),
        ));
    }
    match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        None | Some(b"none" | b"same-origin") => None,
        Some(_) => {
            let told = "another site led here, and sites are shown nothing. If it was you who followed a link, go on from here";
            let refusal = Refusal::plain(StatusCode::FORBIDDEN, "Led here by another site", told.to_owned());
            Some(refusal.going_on_to(uri))
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        // An IPv6 address has colons of its own, within its brackets.
        Some(colon) if !host.ends_with(']') => host.get(..colon).unwrap_or(host),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_kept_out(host: &'static str, site: Option<&'static str>) -> bool {
        let config = Config {
            names: vec!["hubkeep.internal".to_owned()],
            ..Config::default()
        };
        let hosts = hosts(&config, Some("crm.example"));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(site) = site {
            headers.insert(FETCH_SITE, HeaderValue::from_static(site));
        }
        stranger(&hosts, &headers, &Uri::from_static("/audit")).is_some()
    }

    #[test]
    fn only_known_names_are_answered() {
        for known in [
            "localhost",
            "LOCALHOST:7404",
            "127.0.0.1:7404",
            "[::1]",
            "[::1]:7404",
            "hubkeep.internal:443",
            "crm.example",
        ] {
            assert!(!is_kept_out(known, None), "{known}");
        }
        for unknown in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:7404",
            "127.0.0.1.evil.example",
            "",
            ":7404",
            "[::2]",
            "localhost:7404:7404",
        ] {
            assert!(is_kept_out(unknown, None), "{unknown}");
        }
        let nameless = stranger(
            &["localhost".to_owned()],
            &HeaderMap::new(),
            &Uri::from_static("/audit"),
        );
        assert!(nameless.is_some(), "no name is no known name");
    }

    #[test]
    fn no_other_site_is_answered() {
        for (site, kept_out) in [
            ("none", false),
            ("same-origin", false),
            ("same-site", true),
            ("cross-site", true),
            ("", true),
        ] {
            assert_eq!(is_kept_out("localhost", Some(site)), kept_out, "{site}");
        }
    }
}
