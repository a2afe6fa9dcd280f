//! Ids, one type per kind of thing: a portal's id cannot be passed where a handle's is meant.

mod name;
mod uuid;

pub use name::{CallerName, ClientSlug, CredentialName, GrantId, InvalidName, PersonId, PurposeCode};
pub use uuid::{
    CallId, ConnectionId, CredentialId, DeliveryId, EntryId, HandleId, InvalidId, RedeemerId, RequestId,
    ReservationId, RotationId, SessionId,
};

use std::{fmt, num::NonZeroU64};

/// HubSpot's id of an account. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalId(NonZeroU64);

impl PortalId {
    /// The portal with this id; `None` for 0, which on the wire means "not stated", and for what a database's
    /// BIGINT cannot hold.
    pub fn new(id: u64) -> Option<Self> {
        i64::try_from(id).ok()?;
        NonZeroU64::new(id).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The number as databases keep it.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0.get()).unwrap_or(i64::MAX)
    }

    /// The portal with this id as a database gave it.
    pub fn from_i64(id: i64) -> Option<Self> {
        u64::try_from(id).ok().and_then(Self::new)
    }
}

impl fmt::Display for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
