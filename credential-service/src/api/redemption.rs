//! What redeemers ask and get, from the wire and back.

use hubkeep_core::{
    grpc::{Caller, Thumbprint},
    secret::TokenFingerprint,
};
use hubkeep_proto::credential::v1::{
    BudgetSlice, RedeemHandleRequest, RedeemHandleResponse, RedeemReservationRequest, ReserveCallRequest,
};

use super::{Error, fields, handle_service::to_wire, people, scope};
use crate::handles::{ActionHash, Due, Opened, Presented, Presenter, Redeemed, Reserving, Slice, Unspent};

/// The most records that one call touches: HubSpot takes no more in a batch.
const MOST_RECORDS: u64 = 100;

/// A handle that was presented to the redeemer.
pub(super) fn presented(request: &RedeemHandleRequest) -> Result<Presented, Error> {
    Ok(Presented {
        token: fields::handle(&request.handle)?,
        by: match request.presented_resource.as_str() {
            "" => Presenter::Caller(presenter(&request.presented_by, &request.presented_thumbprint)?),
            text if request.presented_by.is_empty() && request.presented_thumbprint.is_empty() => {
                Presenter::Client(people::resource(text)?)
            }
            _ => {
                return Err(Error::field(
                    "presented_by",
                    "leave it out where a resource is named",
                ));
            }
        },
        seen_revocation_seq: request.seen_revocation_seq,
        call_id: fields::id("call_id", &request.call_id)?,
        unspent: Unspent {
            calls: request.unspent_calls,
            records: request.unspent_records,
        },
        refused: refused(&request.refused_token_fingerprint),
    })
}

/// The token that HubSpot refuses, as the redeemer names it. What names none is as if nothing was named: what is in force is
/// given.
fn refused(fingerprint: &str) -> Option<TokenFingerprint> {
    (!fingerprint.is_empty()).then(|| TokenFingerprint::from_stored(fingerprint.to_owned()))
}

/// A call that is to be reserved.
pub(super) fn reserving(request: ReserveCallRequest) -> Result<Reserving, Error> {
    let scope = scope::read(request.scope.unwrap_or_default())?;
    if scope.operations().count() != 1 {
        return Err(Error::field("scope.operations", "a call is one operation"));
    }
    let lifetime = request.lifetime.unwrap_or_default();
    Ok(Reserving {
        token: fields::handle(&request.handle)?,
        by: presenter(&request.presented_by, &request.presented_thumbprint)?,
        action_hash: action_hash(&request.action_hash)?,
        scope,
        purpose: match request.purpose_code.as_str() {
            "" => None,
            text => Some(fields::name("purpose_code", text)?),
        },
        max_records: match request.max_records {
            0 => 1,
            stated @ 1..=MOST_RECORDS => stated,
            _ => return Err(Error::field("max_records", "must be from 1 to 100")),
        },
        lifetime: fields::duration("lifetime", lifetime)?,
        call_id: fields::id("call_id", &request.call_id)?,
    })
}

/// A reservation that is to be redeemed.
pub(super) fn due(request: &RedeemReservationRequest) -> Result<Due, Error> {
    Ok(Due {
        reservation_id: fields::id("reservation_id", &request.reservation_id)?,
        action_hash: action_hash(&request.action_hash)?,
        seen_revocation_seq: request.seen_revocation_seq,
        call_id: fields::id("call_id", &request.call_id)?,
    })
}

/// Who presented a handle to the redeemer.
pub(super) fn presenter(name: &str, thumbprint: &[u8]) -> Result<Caller, Error> {
    Ok(Caller {
        name: fields::name("presented_by", name)?,
        thumbprint: Thumbprint::from_wire(thumbprint),
    })
}

fn action_hash(bytes: &[u8]) -> Result<ActionHash, Error> {
    let hash = bytes.try_into().map(ActionHash);
    hash.map_err(|_| Error::field("action_hash", "must be 32 bytes: the SHA-256 of the action's"))
}

/// What a redeemer gets.
pub(super) fn answer(redeemed: &Redeemed) -> RedeemHandleResponse {
    let (handle, portal) = (&redeemed.living.handle, &redeemed.living.portal);
    let under = &handle.under;
    let person = under.person.as_ref();
    RedeemHandleResponse {
        description: Some(to_wire(handle)),
        portal_token: redeemed.token.expose().to_owned(),
        credential_version: redeemed.version,
        portal_generation: portal.portal_generation,
        keep_for: fields::to_wire(redeemed.keep_for),
        time_left: fields::to_wire(redeemed.living.time_left),
        revocation_seq: redeemed.revocation_seq,
        token_fingerprint: redeemed.token.fingerprint().to_string(),
        time_zone: portal.facts.time_zone.clone(),
        token_time_left: redeemed.token_time_left.and_then(fields::to_wire),
        slice: slice(redeemed.slice),
        caller_generation: under.caller_generation,
        person_id: person.map(|(person, _)| person.to_string()).unwrap_or_default(),
        person_generation: person.map(|(_, generation)| *generation).unwrap_or_default(),
        grant_revision: under.grant_revision,
        app: match &redeemed.of {
            Opened::Credential(credential) => portal
                .app_of(credential)
                .map(ToString::to_string)
                .unwrap_or_default(),
            Opened::Connection(connection) => portal.app_of_connection(connection.details.app_id).to_owned(),
        },
    }
}

fn slice(slice: Slice) -> Option<BudgetSlice> {
    let Slice { calls, records } = slice;
    (calls.is_some() || records.is_some()).then_some(BudgetSlice { calls, records })
}
