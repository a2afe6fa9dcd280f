//! What a private token is: its account, app, user and scopes.

use serde_json::{Value, json};

use super::Call;
use crate::errors::{self, Problem};
use crate::reply::Reply;

/// Answers about the token in the body, which need not be the one that the call is made with.
pub(super) fn answer(call: &Call<'_>) -> Result<Reply, Problem> {
    if call.method != "POST" {
        return Err(errors::method_not_allowed());
    }
    let key = call
        .json()?
        .get("tokenKey")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let token = call
        .accounts
        .token(key)
        .filter(|token| token.is_live(call.now))
        .ok_or_else(errors::not_found)?;
    // A fault that answers for another account does so here too.
    let portal_id = if token.portal.id == call.token.portal.id {
        call.portal.id
    } else {
        token.portal.id
    };
    Ok(Reply::json(
        200,
        &json!({
            "userId": token.user_id,
            "hubId": portal_id,
            "appId": token.app_id,
            "scopes": token.scopes(),
        }),
    ))
}
