//! Tokens for codes, next tokens for refresh tokens, and their end. credential-service judges all of it; here it is only read, and told in
//! OAuth's words.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::form::Form;
use crate::{
    credentials::{ClientError, ClientTokens, Exchange},
    mcp::Mcp,
};

/// A refusal in OAuth's words.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    told: &'static str,
    retry_after: Option<u64>,
}

const fn refusal(error: &'static str, told: &'static str) -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        error,
        told,
        retry_after: None,
    }
}

pub(super) async fn token(State(mcp): State<Mcp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(form) = Form::of(&parts.headers, body).await else {
        return answered("token", Err(unreadable()));
    };
    let given = match form.get("grant_type") {
        Some("authorization_code") => by_code(&mcp, &parts, &form).await,
        Some("refresh_token") => by_refresh(&mcp, &parts, &form).await,
        _ => Err(refusal(
            "unsupported_grant_type",
            "grant_type must be authorization_code or refresh_token",
        )),
    };
    answered("token", given.map(|tokens| told(&tokens)))
}

pub(super) async fn revoke(State(mcp): State<Mcp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(form) = Form::of(&parts.headers, body).await else {
        return answered("revoke", Err(unreadable()));
    };
    let revoked = async {
        let client_id = client(&mcp, &parts, &form).await?;
        let token = needed(&form, "token", "token is missing")?;
        match mcp.0.credentials.revoke_token(token, client_id).await {
            Err(error @ ClientError::Unavailable { .. }) => Err(refused(&error)),
            // What is none, or another client's, is as good as ended: who asks learns nothing of it (RFC 7009).
            Ok(()) | Err(_) => Ok(json!({})),
        }
    };
    answered("revoke", revoked.await)
}

/// Who asks. It proves nothing: what it brings does.
async fn client<'a>(mcp: &Mcp, parts: &Parts, form: &'a Form) -> Result<&'a str, Refusal> {
    let unknown = |told| Refusal {
        status: StatusCode::UNAUTHORIZED,
        ..refusal("invalid_client", told)
    };
    if parts.headers.contains_key(header::AUTHORIZATION) || form.get("client_secret").is_some() {
        return Err(unknown("clients have no secret here: send client_id alone"));
    }
    let client_id = needed(form, "client_id", "client_id is missing")?;
    match mcp.0.clients.is_known(client_id).await {
        Ok(true) => Ok(client_id),
        Ok(false) => Err(unknown("the client is not known here any more: register again")),
        Err(error) => {
            tracing::error!(%error, "whether a client is known cannot be looked up");
            Err(not_now(1))
        }
    }
}

async fn by_code(mcp: &Mcp, parts: &Parts, form: &Form) -> Result<ClientTokens, Refusal> {
    let client_id = client(mcp, parts, form).await?;
    let verifier = needed(form, "code_verifier", "code_verifier is missing: PKCE is needed")?;
    if !is_verifier(verifier) {
        return Err(refusal(
            "invalid_grant",
            "code_verifier must be 43 to 128 of A-Z, a-z, 0-9, '-', '.', '_' and '~'",
        ));
    }
    let exchange = Exchange {
        code: needed(form, "code", "code is missing")?,
        client_id,
        redirect_uri: needed(form, "redirect_uri", "redirect_uri is missing")?,
        verifier,
        resource: resource(mcp, form)?,
    };
    let given = mcp.0.credentials.exchange_code(exchange).await;
    given.map_err(|error| refused(&error))
}

async fn by_refresh(mcp: &Mcp, parts: &Parts, form: &Form) -> Result<ClientTokens, Refusal> {
    let client_id = client(mcp, parts, form).await?;
    let token = needed(form, "refresh_token", "refresh_token is missing")?;
    let given = mcp
        .0
        .credentials
        .refresh_tokens(token, client_id, resource(mcp, form)?)
        .await;
    given.map_err(|error| refused(&error))
}

/// The resource, which is one of ours or left out.
fn resource<'a>(mcp: &Mcp, form: &'a Form) -> Result<&'a str, Refusal> {
    let Some(named) = form.get("resource") else {
        return Ok("");
    };
    if mcp.0.place.resource_named(named).is_none() {
        return Err(refusal(
            "invalid_target",
            "resource is none that tokens are given for here",
        ));
    }
    Ok(named)
}

fn needed<'a>(form: &'a Form, name: &str, told: &'static str) -> Result<&'a str, Refusal> {
    form.get(name).ok_or_else(|| refusal("invalid_request", told))
}

fn is_verifier(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(letter)
}

fn unreadable() -> Refusal {
    refusal(
        "invalid_request",
        "the body must be a form in which each name stands once",
    )
}

fn not_now(after: u64) -> Refusal {
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_after: Some(after.max(1)),
        ..refusal("temporarily_unavailable", "try again")
    }
}

fn refused(error: &ClientError) -> Refusal {
    match error {
        ClientError::GrantInvalid | ClientError::TokenInvalid | ClientError::SessionInvalid => refusal(
            "invalid_grant",
            "the code or refresh token gives nothing: have the user consent again",
        ),
        ClientError::ResourceMismatch => {
            refusal("invalid_target", "the resource is another than was asked for")
        }
        ClientError::Refused { .. } => {
            tracing::info!(%error, "a client is given no tokens");
            refusal("invalid_grant", "the user may not do this any more")
        }
        ClientError::Unavailable { retry_after, .. } => {
            tracing::warn!(%error, "a client is given no tokens now");
            not_now(retry_after.as_secs())
        }
    }
}

fn told(tokens: &ClientTokens) -> Value {
    json!({
        "access_token": tokens.access_token.as_str(),
        "token_type": "Bearer",
        "expires_in": tokens.time_left.as_secs(),
        "refresh_token": tokens.refresh_token.as_str(),
        "scope": tokens.scopes.join(" "),
    })
}

fn answered(endpoint: &'static str, given: Result<Value, Refusal>) -> Response {
    let result = given.as_ref().map_or_else(|refusal| refusal.error, |_| "ok");
    metrics::counter!("hubkeep_oauth_requests_total", "endpoint" => endpoint, "result" => result)
        .increment(1);
    let (mut answer, after) = match given {
        Ok(given) => (Json(given).into_response(), None),
        Err(refusal) => {
            let body = json!({ "error": refusal.error, "error_description": refusal.told });
            ((refusal.status, Json(body)).into_response(), refusal.retry_after)
        }
    };
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    if let Some(after) = after {
        headers.insert(header::RETRY_AFTER, after.into());
    }
    answer
}
