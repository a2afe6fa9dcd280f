//! What a handle is, as it lies sealed in its row.

use hubkeep_core::{
    clock::Timestamp,
    grpc::{Caller, Thumbprint},
    id::{CallerName, ClientSlug, GrantId, HandleId, PersonId, PortalId, PurposeCode},
};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{EndUser, OfUser, store};
use crate::{
    access::{Budget, Operation, Scope},
    portals::Need,
};

/// What a handle is, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// Its public id.
    pub handle_id: HandleId,
    /// The handles it was narrowed from, its parent first.
    pub ancestors: Vec<HandleId>,
    /// The portal.
    pub portal_id: PortalId,
    /// The portal's slug.
    pub client_slug: ClientSlug,
    /// The portal's generation when it was issued. It dies when that moves.
    pub portal_generation: u64,
    /// The only caller that can use it.
    pub caller: Caller,
    /// The only service that may redeem it.
    pub audience: CallerName,
    /// What it allows.
    pub scope: Scope,
    /// How much it may do in its whole life.
    pub budget: Budget,
    /// The handles of its lineage that have a budget of their own: what it spends is spent of each.
    pub budgeted: Vec<HandleId>,
    /// By what right it was issued. It dies when that ends.
    pub under: Under,
    /// Why it was issued.
    pub purpose: PurposeCode,
    /// On whose behalf, as the caller stated it.
    pub end_user: Option<EndUser>,
    /// When it was issued.
    pub issue_time: Timestamp,
    /// When it ends.
    pub expire_time: Timestamp,
    /// What makes it one of somebody who has signed in: no caller can present it.
    pub user: Option<OfUser>,
}

impl Handle {
    /// The handle and those it was narrowed from, itself first.
    pub fn lineage(&self) -> impl Iterator<Item = HandleId> + '_ {
        std::iter::once(self.handle_id).chain(self.ancestors.iter().copied())
    }

    /// The handle from which its whole family was narrowed; itself, if it was narrowed from none.
    pub fn root(&self) -> HandleId {
        self.ancestors.last().copied().unwrap_or(self.handle_id)
    }
}

/// By what right a handle was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Under {
    /// The grant.
    pub grant_id: GrantId,
    /// The grant's revision.
    pub grant_revision: u64,
    /// The generation of the caller's handles.
    pub caller_generation: u64,
    /// The person that the caller was, and the generation of that person's handles.
    pub person: Option<(PersonId, u64)>,
    /// Whether its writes are proposed, and made when a human has approved them.
    pub writes_need_approval: bool,
}

/// What a scope takes of a token.
pub(super) fn need(scope: &Scope) -> Need {
    let reads = scope.operations().any(|one| one.is_on_records() && !one.writes());
    let writes = scope.operations().any(Operation::writes_records);
    let need = Need::new(scope.object_types(), reads, writes);
    match scope.operations().any(|one| one == Operation::WriteSchema) {
        true => need.and_schemas(scope.object_types()),
        false => need,
    }
}

/// The sealed form. Field names are short-lived: no handle lives longer than minutes, no reservation longer than days.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// Binds the claims to one secret: claims moved to the row of another handle's secret are refused.
    secret_mac: String,
    handle_id: String,
    ancestors: Vec<String>,
    portal_id: u64,
    client_slug: String,
    portal_generation: u64,
    caller: String,
    thumbprint: String,
    audience: String,
    scope: Scope,
    budget: Budget,
    budgeted: Vec<String>,
    grant_id: String,
    grant_revision: u64,
    caller_generation: u64,
    person: Option<(String, u64)>,
    writes_need_approval: bool,
    purpose: String,
    end_user: Option<String>,
    issue_time: i64,
    expire_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<UserClaims>,
}

/// What only handles of people have.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserClaims {
    connection_id: String,
    resource: String,
}

/// Where the claims of a handle lie.
pub(super) fn place<'a>(row: &'a str, portal_id: PortalId, client_slug: &'a str) -> Place<'a> {
    place_in(store::TABLE, row, portal_id, client_slug)
}

/// Where claims lie in a table.
pub(super) fn place_in<'a>(
    table: &'static str,
    row: &'a str,
    portal_id: PortalId,
    client_slug: &'a str,
) -> Place<'a> {
    Place {
        owner: Owner::Portal(portal_id),
        purpose: Purpose::HandleClaims,
        table,
        column: "claims",
        row,
        client_slug,
        kind: "claims",
        generation: 2,
    }
}

/// A handle as bytes to be sealed, bound to its secret.
pub(super) fn encode(handle: &Handle, secret_mac: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let thumbprint = handle.caller.thumbprint.as_ref();
    let under = &handle.under;
    let person = under.person.as_ref();
    serde_json::to_vec(&Claims {
        secret_mac: hex::encode(secret_mac),
        handle_id: handle.handle_id.to_string(),
        ancestors: texts(&handle.ancestors),
        portal_id: handle.portal_id.get(),
        client_slug: handle.client_slug.to_string(),
        portal_generation: handle.portal_generation,
        caller: handle.caller.name.to_string(),
        thumbprint: thumbprint
            .map(|print| hex::encode(print.as_bytes()))
            .unwrap_or_default(),
        audience: handle.audience.to_string(),
        scope: handle.scope.clone(),
        budget: handle.budget,
        budgeted: texts(&handle.budgeted),
        grant_id: under.grant_id.to_string(),
        grant_revision: under.grant_revision,
        caller_generation: under.caller_generation,
        person: person.map(|(person, generation)| (person.to_string(), *generation)),
        writes_need_approval: under.writes_need_approval,
        purpose: handle.purpose.to_string(),
        end_user: handle.end_user.as_ref().map(|user| user.expose().to_owned()),
        issue_time: handle.issue_time.as_micros(),
        expire_time: handle.expire_time.as_micros(),
        user: handle.user.as_ref().map(|user| UserClaims {
            connection_id: user.connection_id.to_string(),
            resource: user.resource.as_str().to_owned(),
        }),
    })
}

/// The handle in these bytes, and the mac of the secret it is bound to; `None` if they are not such bytes.
pub(super) fn decode(bytes: &[u8]) -> Option<(Handle, Vec<u8>)> {
    let claims: Claims = serde_json::from_slice(bytes).ok()?;
    let name: CallerName = claims.caller.parse().ok()?;
    let thumbprint = Thumbprint::from_wire(&hex::decode(&claims.thumbprint).ok()?);
    let person = match claims.person {
        Some((person, generation)) => Some((person.parse().ok()?, generation)),
        None => None,
    };
    let end_user = match claims.end_user {
        Some(user) => Some(user.parse().ok()?),
        None => None,
    };
    let user = match claims.user {
        Some(user) => Some(OfUser {
            connection_id: user.connection_id.parse().ok()?,
            resource: user.resource.parse().ok()?,
        }),
        None => None,
    };
    let handle = Handle {
        handle_id: claims.handle_id.parse().ok()?,
        ancestors: ids(&claims.ancestors)?,
        portal_id: PortalId::new(claims.portal_id)?,
        client_slug: claims.client_slug.parse().ok()?,
        portal_generation: claims.portal_generation,
        caller: Caller { name, thumbprint },
        audience: claims.audience.parse().ok()?,
        scope: claims.scope,
        budget: claims.budget,
        budgeted: ids(&claims.budgeted)?,
        under: Under {
            grant_id: claims.grant_id.parse().ok()?,
            grant_revision: claims.grant_revision,
            caller_generation: claims.caller_generation,
            person,
            writes_need_approval: claims.writes_need_approval,
        },
        purpose: claims.purpose.parse().ok()?,
        end_user,
        issue_time: Timestamp::from_micros(claims.issue_time),
        expire_time: Timestamp::from_micros(claims.expire_time),
        user,
    };
    Some((handle, hex::decode(&claims.secret_mac).ok()?))
}

fn texts(ids: &[HandleId]) -> Vec<String> {
    ids.iter().map(HandleId::to_string).collect()
}

fn ids(texts: &[String]) -> Option<Vec<HandleId>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}
