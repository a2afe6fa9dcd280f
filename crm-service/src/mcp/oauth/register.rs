//! Programs register themselves (RFC 7591). One whose addresses cannot all be returned to is taken with those that can: editors send an
//! address of their own scheme along, and would never show a login if that spoiled the rest. Each request for a code is held to what
//! was kept.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    clients::{Client, ClientsError},
    document, rate,
};
use crate::mcp::{Mcp, SCOPE};

/// The most bytes of a registration.
const MOST_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    client_name: String,
}

pub(super) async fn register(State(mcp): State<Mcp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let address = rate::address(&parts, mcp.0.config.behind_proxy);
    let registered = match asked(&mcp, body).await {
        Ok(asked) => {
            let uris = document::sound(asked.redirect_uris);
            let name = document::name(&asked.client_name);
            match uris.is_empty() {
                true => Err(refused(
                    "invalid_redirect_uri",
                    "no redirect_uri is https, or http on loopback",
                )),
                false => mcp
                    .0
                    .clients
                    .register(name, uris, address)
                    .await
                    .map_err(|error| failed(&error)),
            }
        }
        Err(refusal) => Err(refusal),
    };
    let result = if registered.is_ok() { "ok" } else { "refused" };
    metrics::counter!("hubkeep_oauth_registrations_total", "result" => result).increment(1);
    match registered {
        Ok(client) => stored((StatusCode::CREATED, Json(told(&mcp, &client))).into_response()),
        Err(refusal) => stored(refusal),
    }
}

async fn asked(mcp: &Mcp, body: Body) -> Result<Asked, Response> {
    if !mcp.0.config.registration {
        let told = "clients do not register here: they have a document at an https address, which is their client_id";
        return Err((StatusCode::FORBIDDEN, error("access_denied", told)).into_response());
    }
    let bytes = to_bytes(body, MOST_BYTES).await;
    let bytes = bytes.map_err(|_| refused("invalid_client_metadata", "it is longer than 16 KiB"))?;
    // By its names: a list would be read by the places of its values.
    let object: Result<Map<String, Value>, _> = serde_json::from_slice(&bytes);
    let asked = object.and_then(|object| serde_json::from_value(object.into()));
    asked.map_err(|_| refused("invalid_client_metadata", "it is no JSON of a client"))
}

fn told(mcp: &Mcp, client: &Client) -> Value {
    json!({
        "client_id": client.id,
        "client_id_issued_at": mcp.0.clock.now().as_micros() / 1_000_000,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
    })
}

fn error(error: &str, told: &str) -> Json<Value> {
    Json(json!({ "error": error, "error_description": told }))
}

fn refused(kind: &str, told: &str) -> Response {
    (StatusCode::BAD_REQUEST, error(kind, told)).into_response()
}

fn failed(failure: &ClientsError) -> Response {
    let (status, told) = match failure {
        ClientsError::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            "too many registrations from this address: wait a minute",
        ),
        _ => {
            tracing::error!(error = %failure, "a client could not be registered");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "it cannot be kept now: try again",
            )
        }
    };
    let mut answer = (status, error("temporarily_unavailable", told)).into_response();
    let after = HeaderValue::from_static("60");
    answer.headers_mut().insert(header::RETRY_AFTER, after);
    answer
}

fn stored(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
