//! One request of the endpoint: its token, whose that is, and to the SDK with it.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    grpc::{Caller, Context, Entered},
    handle_token::HandleToken,
};
use rmcp::{
    model::{ErrorData, JsonRpcError, ProtocolVersion, RequestId},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    Mcp, Resource, SCOPE,
    challenge::Refused,
    server::{SUPPORTED, Server},
};
use crate::credentials::{ClientError, Visitor};

/// The most that a request may say.
const MOST_BYTES: usize = 256 * 1024;
/// In whose name requests stand on the log, before it is known which tool is called.
const METHOD: &str = "/mcp/request";

/// Whose a request is, as the handler of the SDK finds it.
#[derive(Clone)]
pub(super) struct Visit {
    /// The request.
    pub(super) context: Arc<Context>,
    /// The token, as it was presented.
    pub(super) token: HandleToken,
    /// The user, and what is connected.
    pub(super) visitor: Arc<Visitor>,
    /// Where it was asked.
    pub(super) resource: Resource,
}

/// The endpoint.
#[derive(Clone)]
pub(super) struct Endpoint {
    mcp: Mcp,
    sdk: StreamableHttpService<Server, NeverSessionManager>,
}

impl Endpoint {
    pub(super) fn new(mcp: Mcp, stopping: CancellationToken) -> Self {
        // Every request stands for itself, so that any replica answers it: there are no sessions, and nothing is resumed.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_allowed_hosts(mcp.0.place.hosts())
            .with_max_request_body_bytes(MOST_BYTES)
            .with_cancellation_token(stopping);
        let server = Server::new(mcp.clone());
        let sdk = StreamableHttpService::new(
            move || Ok(server.clone()),
            Arc::new(NeverSessionManager::default()),
            config,
        );
        Self { mcp, sdk }
    }
}

pub(super) async fn single(State(endpoint): State<Endpoint>, request: Request) -> Response {
    answered(&endpoint, Resource::Single, request).await
}

pub(super) async fn of_portal(
    State(endpoint): State<Endpoint>,
    slug: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let slug = slug.ok().and_then(|Path(slug)| slug.parse().ok());
    match slug {
        Some(slug) => answered(&endpoint, Resource::Portal(slug), request).await,
        None => (StatusCode::NOT_FOUND, "this is no client's name").into_response(),
    }
}

async fn answered(endpoint: &Endpoint, resource: Resource, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let visit = match visit(&endpoint.mcp, &parts, resource.clone()).await {
        Ok(visit) => visit,
        Err(refused) => return refused.answer(&endpoint.mcp, &resource),
    };
    if let Some(version) = unknown_version(&parts.headers) {
        return unsupported(version, body).await;
    }
    // The SDK hands these parts to the tools: what proves who asks is in the visit, and nowhere else.
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove(header::COOKIE);
    parts.extensions.insert(visit);
    let answer = endpoint.sdk.handle(Request::from_parts(parts, body)).await;
    answer.map(Body::new)
}

/// Whose a request is.
async fn visit(mcp: &Mcp, parts: &Parts, resource: Resource) -> Result<Visit, Refused> {
    if has_token_in_query(parts.uri.query().unwrap_or_default()) {
        return Err(Refused::Misplaced);
    }
    let entered = mcp.0.front.enter(parts, METHOD);
    let entered = entered.map_err(|_| Refused::NotNow(StatusCode::SERVICE_UNAVAILABLE, "try again"))?;
    let address = mcp.0.place.resource(&resource);
    let token = match bearer(&parts.headers)? {
        Some(token) => token.at(&address),
        None => return Err(invalid(mcp, &entered, ErrorReason::HandleMalformed).await),
    };
    let visitor = match mcp.0.credentials.introspect(&token, &address).await {
        Ok(visitor) => visitor,
        Err(ClientError::TokenInvalid | ClientError::ResourceMismatch | ClientError::Refused { .. }) => {
            return Err(invalid(mcp, &entered, ErrorReason::HandleInvalid).await);
        }
        Err(ClientError::Unavailable { detail, retry_after }) => {
            tracing::warn!(request_id = %entered.request_id(), detail, "nobody says whose a token is");
            return Err(Refused::Unavailable(retry_after));
        }
        Err(error @ (ClientError::GrantInvalid | ClientError::SessionInvalid)) => {
            tracing::error!(%error, "an answer to another question");
            return Err(Refused::TokenInvalid);
        }
    };
    if !visitor.scopes.iter().any(|scope| scope == SCOPE) {
        return Err(Refused::ScopeMissing);
    }
    let caller = Caller {
        name: visitor.user.clone(),
        thumbprint: None,
    };
    let context = mcp.0.front.admit_as(parts, &entered, caller).await;
    let context = context.map_err(|error| {
        tracing::debug!(request_id = %entered.request_id(), %error, "a request was not let in");
        not_now(error.reason())
    })?;
    Ok(Visit {
        context: Arc::new(context),
        token,
        visitor: Arc::new(visitor),
        resource,
    })
}

const fn not_now(reason: ErrorReason) -> Refused {
    match reason {
        ErrorReason::CallerContained => Refused::NotNow(
            StatusCode::FORBIDDEN,
            "this user is let do nothing now: ask an operator",
        ),
        ErrorReason::TooManyAtOnce => Refused::NotNow(
            StatusCode::TOO_MANY_REQUESTS,
            "this user asks too much at once: wait for answers",
        ),
        _ => Refused::NotNow(
            StatusCode::SERVICE_UNAVAILABLE,
            "too much at once, or stopping: try again",
        ),
    }
}

/// A token that is none here, which is on record.
async fn invalid(mcp: &Mcp, entered: &Entered, reason: ErrorReason) -> Refused {
    mcp.0.front.refused(entered, reason).await;
    Refused::TokenInvalid
}

/// The token in the head; `None` for one that is none.
fn bearer(headers: &HeaderMap) -> Result<Option<HandleToken>, Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refused::NoToken);
    };
    // Of two, which one counts must not be a matter of who reads.
    let alone = values.next().is_none();
    let value = value.to_str().ok().filter(|_| alone);
    let token = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Ok(token.and_then(|(_, token)| HandleToken::parse(token.trim()).ok()))
}

/// Whether somebody put a token where logs and histories keep it.
fn has_token_in_query(query: &str) -> bool {
    const NAMES: [&str; 4] = ["access_token", "token", "authorization", "bearer"];
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) || value.contains("hk1_")
    })
}

/// The version in the head, where it is none that is spoken here.
fn unknown_version(headers: &HeaderMap) -> Option<String> {
    let version = headers.get("mcp-protocol-version")?;
    let known = |text: &str| SUPPORTED.iter().any(|supported| supported.as_str() == text);
    match version.to_str() {
        Ok(text) if known(text) => None,
        Ok(text) => Some(text.chars().take(32).collect()),
        Err(_) => Some(String::new()),
    }
}

/// The answer to a version that is not spoken, with the id of the request where it can be read.
async fn unsupported(version: String, body: Body) -> Response {
    let read = to_bytes(body, MOST_BYTES).await.ok();
    let message: Option<serde_json::Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let id = message.as_ref().and_then(|message| message.get("id"));
    let id: Option<RequestId> = id.and_then(|id| serde_json::from_value(id.clone()).ok());
    let requested: Result<ProtocolVersion, _> = serde_json::from_value(version.into());
    let Ok(requested) = requested else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let error = ErrorData::unsupported_protocol_version(requested, &SUPPORTED);
    let answer = axum::Json(JsonRpcError::new(id, error));
    (StatusCode::BAD_REQUEST, answer).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_query_is_found_by_whatever_name() {
        for found in [
            "access_token=x",
            "a=b&Access_Token=x",
            "t=hk1_abc",
            "%61ccess_token=x",
            "token",
        ] {
            assert!(has_token_in_query(found), "{found}");
        }
        assert!(!has_token_in_query("") && !has_token_in_query("a=b&tokens=1"));
    }
}
