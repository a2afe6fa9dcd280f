//! What a client's access token is, as it lies sealed in its row.

use hubkeep_core::clock::Timestamp;
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::UserHandle;
use crate::{
    access::{Email, OidcSubject, User},
    handles::store::users::TABLE,
};

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// Binds the claims to one secret, as of other handles.
    secret_mac: String,
    handle_id: String,
    account: OidcSubject,
    email: Email,
    session_id: String,
    sequence: u64,
    client_id: String,
    resource: String,
    scopes: Vec<String>,
    issue_time: i64,
    expire_time: i64,
}

pub(super) fn place(row: &str) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::HandleClaims,
        table: TABLE,
        column: "claims",
        row,
        client_slug: "",
        kind: "user",
        generation: 1,
    }
}

pub(super) fn encode(handle: &UserHandle, secret_mac: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Claims {
        secret_mac: hex::encode(secret_mac),
        handle_id: handle.handle_id.to_string(),
        account: handle.user.account.clone(),
        email: handle.user.email.clone(),
        session_id: handle.session_id.to_string(),
        sequence: handle.sequence,
        client_id: handle.client_id.clone(),
        resource: handle.resource.as_str().to_owned(),
        scopes: handle.scopes.clone(),
        issue_time: handle.issue_time.as_micros(),
        expire_time: handle.expire_time.as_micros(),
    })
}

/// The handle in these bytes, and the mac of the secret it is bound to. The person is not in them: who it is may change.
pub(super) fn decode(bytes: &[u8]) -> Option<(UserHandle, Vec<u8>)> {
    let claims: Claims = serde_json::from_slice(bytes).ok()?;
    let handle = UserHandle {
        handle_id: claims.handle_id.parse().ok()?,
        user: User {
            name: claims.account.user_name(),
            account: claims.account,
            email: claims.email,
            person: None,
        },
        session_id: claims.session_id.parse().ok()?,
        sequence: claims.sequence,
        client_id: claims.client_id,
        resource: claims.resource.parse().ok()?,
        scopes: claims.scopes,
        issue_time: Timestamp::from_micros(claims.issue_time),
        expire_time: Timestamp::from_micros(claims.expire_time),
    };
    Some((handle, hex::decode(&claims.secret_mac).ok()?))
}
