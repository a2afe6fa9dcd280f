//! What there is, for programs to find: who gives tokens for a resource (RFC 9728), and how (RFC 8414). There is no
//! /.well-known/openid-configuration: clients try the next address then.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::mcp::{Mcp, Resource, SCOPE};

pub(super) async fn single(State(mcp): State<Mcp>) -> Json<Value> {
    Json(of(&mcp, &Resource::Single))
}

pub(super) async fn of_portal(State(mcp): State<Mcp>, slug: Result<Path<String>, PathRejection>) -> Response {
    let slug = slug.ok().and_then(|Path(slug)| slug.parse().ok());
    match slug {
        // Of every name, whether there is such a client or not: that is nobody's to find out here.
        Some(slug) => Json(of(&mcp, &Resource::Portal(slug))).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn of(mcp: &Mcp, resource: &Resource) -> Value {
    let place = &mcp.0.place;
    json!({
        "resource": place.resource(resource),
        "resource_name": "Hubkeep",
        "authorization_servers": [place.issuer()],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
    })
}

pub(super) async fn server(State(mcp): State<Mcp>) -> Json<Value> {
    let place = &mcp.0.place;
    let mut told = json!({
        "issuer": place.issuer(),
        "authorization_endpoint": place.address("/oauth/authorize"),
        "token_endpoint": place.address("/oauth/token"),
        "revocation_endpoint": place.address("/oauth/revoke"),
        "scopes_supported": [SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": true,
    });
    if let (true, Some(told)) = (mcp.0.config.registration, told.as_object_mut()) {
        let endpoint = place.address("/oauth/register");
        told.insert("registration_endpoint".to_owned(), endpoint.into());
    }
    Json(told)
}
