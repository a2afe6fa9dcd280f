//! What a handle is, as it lies sealed in its row.

use hubkeep_core::{
    clock::Timestamp,
    grpc::{Caller, Thumbprint},
    id::{CallerName, ClientSlug, HandleId, PortalId, PurposeCode},
};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::store;
use crate::{
    access::{Operation, Scope},
    portals::Need,
};

/// What a handle is, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// Its public id.
    pub handle_id: HandleId,
    /// The portal.
    pub portal_id: PortalId,
    /// The portal's slug.
    pub client_slug: ClientSlug,
    /// The portal's generation when it was issued. It dies when that moves.
    pub portal_generation: u64,
    /// The only caller that can use it.
    pub caller: Caller,
    /// What it allows.
    pub scope: Scope,
    /// Why it was issued.
    pub purpose: PurposeCode,
    /// When it was issued.
    pub issue_time: Timestamp,
    /// When it ends.
    pub expire_time: Timestamp,
}

/// What a scope takes of a token.
pub(super) fn need(scope: &Scope) -> Need {
    let reads = scope.operations().any(|one| one.is_on_records() && !one.writes());
    Need::new(
        scope.object_types(),
        reads,
        scope.operations().any(Operation::writes),
    )
}

/// The sealed form. Field names are short-lived: no handle lives longer than minutes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// Binds the claims to one secret: claims moved to the row of another handle's secret are refused.
    secret_mac: String,
    portal_id: u64,
    client_slug: String,
    portal_generation: u64,
    caller: String,
    thumbprint: String,
    scope: Scope,
    purpose: String,
    issue_time: i64,
    expire_time: i64,
}

/// Where the claims of a handle lie.
pub(super) fn place<'a>(row: &'a str, portal_id: PortalId, client_slug: &'a str) -> Place<'a> {
    Place {
        owner: Owner::Portal(portal_id),
        purpose: Purpose::HandleClaims,
        table: store::TABLE,
        column: "claims",
        row,
        client_slug,
        kind: "claims",
        generation: 1,
    }
}

/// A handle as bytes to be sealed, bound to its secret.
pub(super) fn encode(handle: &Handle, secret_mac: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let thumbprint = handle.caller.thumbprint.as_ref();
    serde_json::to_vec(&Claims {
        secret_mac: hex::encode(secret_mac),
        portal_id: handle.portal_id.get(),
        client_slug: handle.client_slug.to_string(),
        portal_generation: handle.portal_generation,
        caller: handle.caller.name.to_string(),
        thumbprint: thumbprint
            .map(|print| hex::encode(print.as_bytes()))
            .unwrap_or_default(),
        scope: handle.scope.clone(),
        purpose: handle.purpose.to_string(),
        issue_time: handle.issue_time.as_micros(),
        expire_time: handle.expire_time.as_micros(),
    })
}

/// The handle in these bytes, and the mac of the secret it is bound to; `None` if they are not such bytes.
pub(super) fn decode(handle_id: HandleId, bytes: &[u8]) -> Option<(Handle, Vec<u8>)> {
    let claims: Claims = serde_json::from_slice(bytes).ok()?;
    let name: CallerName = claims.caller.parse().ok()?;
    let thumbprint = Thumbprint::from_wire(&hex::decode(&claims.thumbprint).ok()?);
    let handle = Handle {
        handle_id,
        portal_id: PortalId::new(claims.portal_id)?,
        client_slug: claims.client_slug.parse().ok()?,
        portal_generation: claims.portal_generation,
        caller: Caller { name, thumbprint },
        scope: claims.scope,
        purpose: claims.purpose.parse().ok()?,
        issue_time: Timestamp::from_micros(claims.issue_time),
        expire_time: Timestamp::from_micros(claims.expire_time),
    };
    Some((handle, hex::decode(&claims.secret_mac).ok()?))
}
