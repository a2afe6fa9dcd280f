//! Reservations: one call each, made when its caller is gone, with the very bytes that were meant and no others.

use std::time::Duration;

use aws_lc_rs::constant_time;
use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    clock::Timestamp,
    grpc::Caller,
    handle_token::HandleToken,
    id::{CallId, PortalId, PurposeCode, ReservationId},
};
use serde::{Deserialize, Serialize};

use super::{
    Error, Handle, Handles, Living, Redeemed, Slice, claims,
    issue::MIN_LIFETIME,
    narrow::Wider,
    store::{
        self,
        reservations::{self, Row},
    },
};
use crate::{
    access::{Budget, Scope},
    portals::State,
    record::Act,
};

/// A call that writes may be made within this.
const LONGEST_WRITE: Duration = Duration::from_secs(24 * 60 * 60);
/// A call that only reads may be made within this.
const LONGEST_READ: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// So often a reserved read may be made: what a write has come to may not be seen at the first look.
const LOOKS: u64 = 32;

/// SHA-256 of the bytes of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionHash(pub [u8; 32]);

/// What is to be reserved.
#[derive(Debug)]
pub struct Reserving {
    /// The handle by which.
    pub token: HandleToken,
    /// Who presented it, as the redeemer knows them.
    pub by: Caller,
    /// The bytes.
    pub action_hash: ActionHash,
    /// What the call is: one operation.
    pub scope: Scope,
    /// Why; `None` for the handle's.
    pub purpose: Option<PurposeCode>,
    /// How many records it may touch.
    pub max_records: u64,
    /// How long it may be redeemed.
    pub lifetime: Duration,
    /// The call for which.
    pub call_id: CallId,
}

/// A call that is reserved.
#[derive(Clone, Copy, Debug)]
pub struct Reserved {
    /// Its name. No secret: only the redeemer that reserved it can redeem it.
    pub reservation_id: ReservationId,
    /// When it ends.
    pub expire_time: Timestamp,
}

/// A reservation that is to be redeemed.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Which.
    pub reservation_id: ReservationId,
    /// The bytes that are about to be sent.
    pub action_hash: ActionHash,
    /// The newest revocation that the redeemer has seen.
    pub seen_revocation_seq: u64,
    /// The call for which it is redeemed.
    pub call_id: CallId,
}

/// What is sealed beside the claims of the handle, as which it is redeemed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    action_hash: String,
    redeemer: String,
    /// The claims, as of a handle that may do just this.
    handle: String,
}

impl Handles {
    /// Reserves one call by a living handle. It costs one call of the handle's budget, and its records, now.
    ///
    /// # Errors
    /// If the handle is not valid for who presented it, does not cover the call, or its budget is used up; or if it would
    /// last too long.
    pub async fn reserve(&self, act: &Act, wish: Reserving) -> Result<Reserved, Error> {
        act.for_call(wish.call_id);
        let living = self.living_at(act, &wish.token, &wish.by).await?;
        let handle = as_reserved(&living.handle, &wish, self.time.now().await?)?;
        let reservation_id = ReservationId::make(&*self.clock, &*self.random)?;
        act.subject(&reservation_id.to_string());
        let sealed = Sealed {
            action_hash: hex::encode(wish.action_hash.0),
            redeemer: act.context().caller.name.to_string(),
            handle: hex::encode(claims::encode(&handle, &[])?),
        };
        let row = self.reservation_row(reservation_id, &handle, &sealed).await?;
        self.charge(&living.handle, wish.max_records).await?;
        let mut transaction = self.database.begin().await?;
        reservations::lock(&mut transaction, handle.portal_id).await?;
        // Judged before: whoever has ended it since did not find this reservation, to void it.
        if store::is_any_ended(&mut transaction, living.handle.lineage()).await? {
            transaction.rollback().await?;
            act.cause(Cause::HandleRevoked);
            return Err(Error::Invalid {
                cause: Cause::HandleRevoked,
                handle_id: Some(living.handle.handle_id),
                portal: Some(living.portal.proven()),
            });
        }
        reservations::insert(&mut transaction, &row).await?;
        transaction.commit().await?;
        Ok(Reserved {
            reservation_id,
            expire_time: handle.expire_time,
        })
    }

    /// Gives the token for a reserved call, once.
    ///
    /// # Errors
    /// [`Error::ReservationUnusable`] if it is unknown, over, used, void or another redeemer's; [`Error::ActionChanged`] if
    /// the bytes are others, and then it can still be redeemed for the right ones.
    pub async fn redeem_reservation(&self, act: &Act, due: Due) -> Result<Redeemed, Error> {
        act.for_call(due.call_id);
        act.subject(&due.reservation_id.to_string());
        let revocation_seq = self.not_behind(due.seen_revocation_seq).await?;
        let judged = self.due(act, &due).await;
        if let Err(Error::ReservationUnusable(_)) = &judged {
            act.cause(Cause::ReservationUnusable);
        }
        let living = judged?;
        if !reservations::mark_used(&self.database, due.reservation_id, self.time.now().await?).await? {
            act.cause(Cause::ReservationUnusable);
            return Err(Error::ReservationUnusable("it was used at the same time"));
        }
        let Budget {
            max_calls,
            max_records,
        } = living.handle.budget;
        let mut redeemed = self
            .open_for(act, (living, None), revocation_seq, Duration::ZERO)
            .await?;
        redeemed.slice = Slice {
            calls: max_calls,
            records: max_records,
        };
        Ok(redeemed)
    }

    /// The reserved call as a handle that lives, if it may be made now.
    async fn due(&self, act: &Act, due: &Due) -> Result<Living, Error> {
        let unusable = Error::ReservationUnusable;
        let row = reservations::by_id(&self.database, due.reservation_id).await?;
        let row = row.ok_or(unusable("it is unknown"))?;
        let (sealed, handle) = self.opened(&row).await?;
        if sealed.redeemer != act.context().caller.name.as_str() {
            return Err(unusable("it is another redeemer's"));
        }
        act.concerns(ProvenPortal::by_redeemed_handle(
            handle.portal_id,
            handle.client_slug.clone(),
        ));
        act.handle(handle.handle_id);
        act.purpose(&handle.purpose);
        if row.used_time.is_some() {
            return Err(unusable("it was used"));
        }
        let now = self.time.now().await?;
        if row.void_seq.is_some() {
            return Err(unusable("its handle was revoked"));
        }
        if handle.expire_time <= now {
            return Err(unusable("its time is over"));
        }
        let portal = self.portals.find(handle.portal_id).await?;
        let portal = portal.filter(|portal| {
            portal.portal_generation == handle.portal_generation && portal.state == State::Active
        });
        let portal = portal.ok_or(unusable("the portal's generation moved"))?;
        if self.lapsed(&handle, &portal).await?.is_some() {
            return Err(unusable(
                "what its handle was issued under does not hold any more",
            ));
        }
        let hash = hex::encode(due.action_hash.0);
        if constant_time::verify_slices_are_equal(hash.as_bytes(), sealed.action_hash.as_bytes()).is_err() {
            return Err(Error::ActionChanged);
        }
        let time_left = handle.expire_time.since(now);
        Ok(Living {
            handle,
            portal,
            time_left,
        })
    }

    async fn reservation_row(
        &self,
        id: ReservationId,
        handle: &Handle,
        sealed: &Sealed,
    ) -> Result<Row, Error> {
        let reservation_id = id.to_string();
        let slug = handle.client_slug.as_str();
        let place = claims::place_in(reservations::TABLE, &reservation_id, handle.portal_id, slug);
        let claims = self.keyring.seal(&place, &serde_json::to_vec(sealed)?).await?;
        Ok(Row {
            portal_id: handle.portal_id.as_i64(),
            client_slug: slug.to_owned(),
            lineage: reservations::lineage(handle.lineage()),
            expire_time: handle.expire_time.as_micros(),
            claims,
            used_time: None,
            void_seq: None,
            reservation_id,
        })
    }

    /// What a row says, if every column is what was sealed in it.
    async fn opened(&self, row: &Row) -> Result<(Sealed, Handle), Error> {
        let altered = || Error::Altered(format!("reservation {}", row.reservation_id));
        let portal_id = PortalId::from_i64(row.portal_id).ok_or_else(altered)?;
        let place = claims::place_in(
            reservations::TABLE,
            &row.reservation_id,
            portal_id,
            &row.client_slug,
        );
        let opened = self.keyring.open(&place, &row.claims).await?;
        let sealed: Sealed = serde_json::from_slice(&opened).map_err(|_| altered())?;
        let bytes = hex::decode(&sealed.handle).map_err(|_| altered())?;
        let (handle, _) = claims::decode(&bytes).ok_or_else(altered)?;
        let fits = handle.portal_id == portal_id
            && handle.client_slug.as_str() == row.client_slug
            && handle.expire_time.as_micros() == row.expire_time
            && reservations::lineage(handle.lineage()) == row.lineage;
        if fits {
            Ok((sealed, handle))
        } else {
            Err(altered())
        }
    }
}

/// The handle as which a reserved call is redeemed: no wider than the one by which it is reserved, but longer-lived.
fn as_reserved(handle: &Handle, wish: &Reserving, now: Timestamp) -> Result<Handle, Error> {
    if let Some(part) = wish.scope.beyond(&handle.scope) {
        return Err(Error::Wider(handle.handle_id, Wider(part.name())));
    }
    let longest = if wish.scope.writes() {
        LONGEST_WRITE
    } else {
        LONGEST_READ
    };
    if !(MIN_LIFETIME..=longest).contains(&wish.lifetime) {
        return Err(Error::Lifetime {
            max_secs: longest.as_secs(),
        });
    }
    let times = if wish.scope.writes() { 1 } else { LOOKS };
    Ok(Handle {
        scope: wish.scope.clone(),
        purpose: wish.purpose.clone().unwrap_or_else(|| handle.purpose.clone()),
        issue_time: now,
        expire_time: now.plus(wish.lifetime),
        // Paid for when it was reserved: nobody else's budget is spent by it.
        budget: Budget {
            max_calls: Some(times),
            max_records: Some(wish.max_records.saturating_mul(times)),
        },
        budgeted: Vec::new(),
        ..handle.clone()
    })
}
