//! From the consent to the code: once somebody is signed in, in the browser that consented, credential-service gives the code, and the
//! browser goes back to the program with it.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};

use super::{cookie, flow::Taken, page};
use crate::{
    credentials::{ClientError, Code},
    mcp::Mcp,
};

/// Where somebody signs in, and comes back from.
const SIGN_IN: &str = "/auth/sign-in?next=/oauth/continue";

pub(super) async fn resume(State(mcp): State<Mcp>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(secret) = cookie::value(&parts.headers, cookie::FLOW) else {
        return nothing();
    };
    let Some(session) = cookie::value(&parts.headers, cookie::SESSION) else {
        return Redirect::to(SIGN_IN).into_response();
    };
    match mcp.0.flows.take(secret).await {
        Ok(Some(taken)) => coded(&mcp, session, &taken).await,
        Ok(None) => nothing(),
        Err(error) => {
            tracing::error!(%error, "a consent cannot be looked up");
            not_now()
        }
    }
}

async fn coded(mcp: &Mcp, session: &str, taken: &Taken) -> Response {
    let asked = &taken.asked;
    let code = Code {
        client_id: &asked.client_id,
        client_name: &asked.client_name,
        redirect_uri: &asked.redirect_uri,
        challenge: &asked.challenge,
        resource: &asked.resource,
        scopes: &asked.scopes,
    };
    let answer = match mcp.0.credentials.authorize_client(session, &code).await {
        Ok(code) => asked.back().with(mcp, &[("code", &code)]),
        Err(error @ (ClientError::SessionInvalid | ClientError::Unavailable { .. })) => {
            if let Err(error) = mcp.0.flows.put_back(taken).await {
                tracing::error!(%error, "a consent is lost");
            }
            return match error {
                ClientError::SessionInvalid => Redirect::to(SIGN_IN).into_response(),
                _ => {
                    tracing::warn!(%error, "there is no code for a consent");
                    not_now()
                }
            };
        }
        Err(error) => {
            tracing::info!(%error, client = asked.client_id, "a user may not let a client read");
            asked.back().with(
                mcp,
                &[
                    ("error", "access_denied"),
                    ("error_description", "you may not do this here"),
                ],
            )
        }
    };
    let Some(address) = answer else {
        return nothing();
    };
    let mut answer = Redirect::to(&address).into_response();
    let headers = answer.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    if let Some(cookie) = cookie::set(cookie::FLOW, "", 0, true) {
        headers.append(header::SET_COOKIE, cookie);
    }
    answer
}

fn nothing() -> Response {
    let told = "There is nothing to go on with in this browser: it was done already, or took longer than ten minutes. Have the program \
                connect anew.";
    page::told(StatusCode::BAD_REQUEST, "Nothing to go on with", told)
}

fn not_now() -> Response {
    let told = "It does not work at the moment. Load this page again in a minute.";
    page::told(StatusCode::SERVICE_UNAVAILABLE, "Not now", told)
}
