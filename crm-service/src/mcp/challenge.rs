//! What an answer without a right token says: where to get one, and for what (RFC 6750, RFC 9728). The words after "Bearer" are in the
//! order in which clients in the field read them.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{Mcp, Resource, SCOPE};

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It brings no token.
    NoToken,
    /// It brings one where none belongs.
    Misplaced,
    /// It brings one that is none, or none for here.
    TokenInvalid,
    /// It brings one that may not do this.
    ScopeMissing,
    /// Nobody can say now.
    Unavailable(Duration),
    /// The server is full, stops, or the user is contained.
    NotNow(StatusCode, &'static str),
}

impl Refused {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoToken | Self::TokenInvalid => StatusCode::UNAUTHORIZED,
            Self::Misplaced => StatusCode::BAD_REQUEST,
            Self::ScopeMissing => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotNow(status, _) => status,
        }
    }

    /// OAuth's word for it.
    const fn error(self) -> Option<&'static str> {
        match self {
            Self::NoToken | Self::Unavailable(_) | Self::NotNow(..) => None,
            Self::Misplaced => Some("invalid_request"),
            Self::TokenInvalid => Some("invalid_token"),
            Self::ScopeMissing => Some("insufficient_scope"),
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::NoToken => "sign in first: the header WWW-Authenticate says where",
            Self::Misplaced => "a token is sent in the header Authorization, and nowhere else",
            Self::TokenInvalid => "the token is not valid here: take a new one",
            Self::ScopeMissing => "the token does not allow this: ask for the scope that the header names",
            Self::Unavailable(_) => "nobody can say now whose the token is: try again",
            Self::NotNow(_, told) => told,
        }
    }

    /// The word for it in metrics.
    const fn word(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Misplaced => "misplaced_token",
            Self::TokenInvalid => "token",
            Self::ScopeMissing => "scope",
            Self::Unavailable(_) => "unavailable",
            Self::NotNow(..) => "not_now",
        }
    }

    /// The answer, at this resource.
    pub(super) fn answer(self, mcp: &Mcp, resource: &Resource) -> Response {
        metrics::counter!("hubkeep_mcp_refusals_total", "why" => self.word()).increment(1);
        let error = self.error().unwrap_or("unauthorized");
        let body = Json(json!({ "error": error, "error_description": self.told() }));
        let mut answer = (self.status(), body).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Self::Unavailable(after) = self {
            headers.insert(header::RETRY_AFTER, after.as_secs().max(1).into());
        }
        let challenged = self.status() == StatusCode::UNAUTHORIZED || self.error().is_some();
        let challenge = HeaderValue::try_from(challenge(mcp, resource, self.error()));
        if let (true, Ok(challenge)) = (challenged, challenge) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

fn challenge(mcp: &Mcp, resource: &Resource, error: Option<&str>) -> String {
    let metadata = mcp.0.place.metadata(resource);
    let error = error
        .map(|error| format!("error=\"{error}\", "))
        .unwrap_or_default();
    format!("Bearer {error}resource_metadata=\"{metadata}\", scope=\"{SCOPE}\"")
}
