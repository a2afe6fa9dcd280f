//! `/oauth/{version}/token`, `…/introspect` and `…/revoke`. They take forms, and say what is wrong in the words of RFC
//! 6749 beside HubSpot's own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::apps::Install;
use super::codes::Refused;
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::reply::Reply;
use crate::state::State;
use crate::world::{AppSpec, TokenKind, TokenSpec};

/// How long an access token lives, in seconds.
const LIFETIME: i64 = 1_800;

/// What is asked of the authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OAuthAction {
    /// A new access token.
    Token,
    /// What a token is.
    Introspect,
    /// That a refresh token be refused.
    Revoke,
}

/// Answers a form.
pub(crate) fn answer(
    state: &State,
    action: OAuthAction,
    method: &str,
    form: Option<&Value>,
    now: i64,
) -> Result<Reply, Problem> {
    if method != "POST" {
        return Err(errors::method_not_allowed());
    }
    let field = |name: &str| {
        let value = form.and_then(|form| form.get(name)).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let app = known_app(state, field("client_id"), field("client_secret"))?;
    match action {
        OAuthAction::Token => match field("grant_type") {
            "refresh_token" => token(state, &app, field("refresh_token"), now),
            "authorization_code" => {
                let sent = (field("code"), field("redirect_uri"), field("code_verifier"));
                let refresh_token = redeem(state, &app, sent, now)?;
                token(state, &app, &refresh_token, now)
            }
            _ => {
                let message = "unsupported grant type";
                Err(refused("unsupported_grant_type", "BAD_GRANT_TYPE", message))
            }
        },
        OAuthAction::Introspect => Ok(introspect(state, &app, field("token"), now)),
        OAuthAction::Revoke => Ok(revoke(state, &app, field("token"))),
    }
}

fn known_app(state: &State, client_id: &str, client_secret: &str) -> Result<AppSpec, Problem> {
    let app = state
        .apps
        .app(client_id)
        .ok_or_else(|| refused("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id"))?;
    if app.client_secret == client_secret {
        Ok(app)
    } else {
        let message = "missing or invalid client secret";
        Err(refused("invalid_client", "BAD_CLIENT_SECRET", message))
    }
}

/// The refresh token for a code.
fn redeem(
    state: &State,
    app: &AppSpec,
    (code, redirect_uri, verifier): (&str, &str, &str),
    now: i64,
) -> Result<String, Problem> {
    let redeemed = state
        .apps
        .redeem(code, redirect_uri, verifier, (&app.client_id, now));
    redeemed.map_err(|why| match why {
        Refused::Code => refused("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code"),
        Refused::RedirectUri => {
            let message = "redirect_uri does not match the one of the authorization request";
            refused("invalid_grant", "BAD_REDIRECT_URI", message)
        }
        Refused::Verifier => {
            let message = "code_verifier does not match the code challenge";
            refused("invalid_grant", "BAD_CODE_VERIFIER", message)
        }
    })
}

fn token(state: &State, app: &AppSpec, refresh_token: &str, now: i64) -> Result<Reply, Problem> {
    let install = live(state, app, refresh_token).ok_or_else(|| {
        let message = "refresh token is invalid, expired or revoked";
        refused("invalid_grant", "BAD_REFRESH_TOKEN", message)
    })?;
    let access_token = state.apps.access_token(refresh_token);
    let spec = TokenSpec {
        token: access_token.clone(),
        kind: TokenKind::OAuth,
        scopes: install.scopes(),
        app_id: app.app_id,
        user_id: install.user_id,
        revoked: false,
    };
    let ends = now.saturating_add(LIFETIME * 1_000_000);
    let issued = state.accounts.issue_until(&install.portal, spec, ends);
    install.issued(issued);
    Ok(Reply::json(
        200,
        &json!({
            "access_token": access_token,
            "refresh_token": state.apps.next_refresh_token(refresh_token),
            "expires_in": LIFETIME,
            "token_type": "bearer",
            "token_use": "access_token",
            "hub_id": install.portal.id,
            "user_id": install.user_id,
            "scopes": install.scopes(),
        }),
    ))
}

fn live(state: &State, app: &AppSpec, refresh_token: &str) -> Option<Arc<Install>> {
    let install = state.apps.by_refresh_token(refresh_token)?;
    (install.client_id == app.client_id && !install.is_revoked()).then_some(install)
}

/// A token that is not valid, or another app's, is not active: nothing more is said of it.
fn introspect(state: &State, app: &AppSpec, text: &str, now: i64) -> Reply {
    let (portal, user_id, scopes, token_use) = if let Some(install) = live(state, app, text) {
        (
            install.portal.clone(),
            install.user_id,
            install.scopes(),
            "refresh_token",
        )
    } else {
        let token = state.accounts.token(text);
        let live = token.filter(|token| token.app_id == app.app_id && token.is_live(now));
        match live {
            Some(token) if token.kind == TokenKind::OAuth => (
                token.portal.clone(),
                token.user_id,
                token.scopes(),
                "access_token",
            ),
            _ => return Reply::json(200, &json!({ "active": false })),
        }
    };
    Reply::json(
        200,
        &json!({
            "active": true,
            "hub_id": portal.id,
            "hub_domain": format!("{}.example", portal.slug),
            "user_id": user_id,
            "user": portal.email_of(user_id),
            "app_id": app.app_id,
            "client_id": app.client_id,
            "scopes": scopes,
            "token_type": "bearer",
            "token_use": token_use,
            "is_private_distribution": true,
            "signed_access_token": {
                "hublet": lock(&portal.details).data_hosting_location,
                "hubId": portal.id,
                "userId": user_id,
                "appId": app.app_id,
                "isUserLevel": app.user_level,
                "installingUserId": user_id,
            },
        }),
    )
}

fn revoke(state: &State, app: &AppSpec, text: &str) -> Reply {
    if let Some(install) = live(state, app, text) {
        install.revoke();
    }
    Reply::json(200, &json!({}))
}

fn refused(error: &str, status: &str, message: &str) -> Problem {
    Problem::new(400, message)
        .with("error", json!(error))
        .with("error_description", json!(message))
        .with("status", json!(status))
}
