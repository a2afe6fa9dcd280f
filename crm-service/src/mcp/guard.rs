//! What keeps pages of other sites out. A page could be taken for one of ours by letting its own name lead to our address (DNS
//! rebinding), so only known names are answered; and a page that calls the endpoint says where it comes from, so only known origins
//! are. What everybody may read, any page may: metadata, and the answers of the token endpoint, which carry no cookie.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Mcp, place};

const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not "no-referrer": a browser would say of our own forms, too, that they come from the origin "null".
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// What a page may send to the endpoint and to the authorization server.
const MAY_SEND: &str = "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID";
/// What it may read of the answer's head.
const MAY_READ: &str = "WWW-Authenticate, Mcp-Session-Id, X-Request-Id";

/// Who may read an answer from a page of another origin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readable {
    /// Everybody: nothing in it is anybody's own.
    Everybody,
    /// Those that are known.
    Known,
    /// Nobody.
    Nobody,
}

fn readable(path: &str) -> Readable {
    let is_endpoint = path
        .strip_prefix(place::ENDPOINT)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if is_endpoint {
        Readable::Known
    } else if path.starts_with("/.well-known/")
        || ["/oauth/token", "/oauth/register", "/oauth/revoke"].contains(&path)
    {
        Readable::Everybody
    } else {
        Readable::Nobody
    }
}

/// Refuses other names and other origins; puts the headers on every answer.
pub(super) async fn guarded(State(mcp): State<Mcp>, request: Request, next: Next) -> Response {
    let place = &mcp.0.place;
    let readable = readable(request.uri().path());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let named = host(request.headers(), request.uri()).is_some_and(|host| place.is_named(host));
    let known = origin.as_ref().is_none_or(|origin| is_known(&mcp, origin));
    let mut answer = if !named {
        refused("this server is not known by this name")
    } else if readable == Readable::Known && !known {
        refused(
            "pages of this origin may not call: an operator names those that may under [mcp] origins of crm-service",
        )
    } else if request.method() == Method::OPTIONS && readable != Readable::Nobody {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if place.is_encrypted() {
        let always = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    if let (true, true, Some(origin)) = (named, known || readable == Readable::Everybody, origin) {
        shared(readable, origin, headers);
    }
    answer
}

fn refused(told: &'static str) -> Response {
    metrics::counter!("hubkeep_mcp_refusals_total", "why" => "origin").increment(1);
    (StatusCode::FORBIDDEN, told).into_response()
}

fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let mut named = headers.get_all(header::HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, _) => uri.authority().map(Authority::as_str),
        _ => None,
    }
}

fn is_known(mcp: &Mcp, origin: &HeaderValue) -> bool {
    let own = mcp.0.place.issuer();
    let others = mcp.0.config.origins.iter().map(String::as_str);
    origin
        .to_str()
        .is_ok_and(|origin| others.chain([own]).any(|known| known == origin))
}

/// Lets a page of another origin read the answer.
fn shared(readable: Readable, origin: HeaderValue, headers: &mut HeaderMap) {
    let allowed = match readable {
        Readable::Nobody => return,
        Readable::Everybody => HeaderValue::from_static("*"),
        Readable::Known => {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
            origin
        }
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, MAY_READ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nobodys_own_is_readable_by_every_page() {
        for (path, expected) in [
            ("/mcp", Readable::Known),
            ("/mcp/acme", Readable::Known),
            ("/mcpx", Readable::Nobody),
            ("/.well-known/oauth-authorization-server", Readable::Everybody),
            ("/oauth/token", Readable::Everybody),
            ("/oauth/authorize", Readable::Nobody),
            ("/oauth/consent", Readable::Nobody),
            ("/account", Readable::Nobody),
        ] {
            assert!(readable(path) == expected, "{path}");
        }
    }
}
