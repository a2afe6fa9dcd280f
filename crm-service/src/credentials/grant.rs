//! What a redeemed handle gives: the right to make some calls to one portal, and the token to make them with.

use std::{collections::BTreeSet, fmt, sync::atomic::Ordering};

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Tick,
    id::{CallerName, HandleId, PurposeCode},
    secret::{PortalToken, TokenFingerprint},
};

use crate::{
    crm::{ObjectType, Operation, PropertyName},
    sync::AtomicBool,
};

/// The types a grant covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectTypes {
    /// Every type.
    All,
    /// These.
    Only(BTreeSet<ObjectType>),
}

/// A redeemed handle. Only this room makes one.
pub struct Grant {
    pub(super) handle_id: HandleId,
    pub(super) portal: ProvenPortal,
    pub(super) time_zone: String,
    pub(super) caller: CallerName,
    pub(super) operations: BTreeSet<Operation>,
    pub(super) object_types: ObjectTypes,
    pub(super) properties: Option<BTreeSet<PropertyName>>,
    pub(super) purpose: PurposeCode,
    pub(super) token: PortalToken,
    pub(super) fingerprint: TokenFingerprint,
    pub(super) credential_version: u64,
    pub(super) portal_generation: u64,
    pub(super) keep_until: Tick,
    pub(super) ends: Tick,
    /// When HubSpot stops to accept the token, if that ends by itself.
    pub(super) token_ends: Option<Tick>,
    pub(super) redeemed: Tick,
    /// Set when the feed takes the grant away.
    pub(super) taken_away: AtomicBool,
    /// Set when the portal's credential has moved on: the handle lives, and gives another token.
    pub(super) superseded: AtomicBool,
}

impl Grant {
    /// The public id of the handle.
    pub const fn handle_id(&self) -> HandleId {
        self.handle_id
    }

    /// The portal, proven by the redeemed handle.
    pub const fn portal(&self) -> &ProvenPortal {
        &self.portal
    }

    /// The portal's IANA time zone, as HubSpot told it; empty if it told none.
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }

    /// Whether it covers an operation on a type.
    pub fn allows(&self, operation: Operation, object_type: &ObjectType) -> bool {
        let covers_type = match &self.object_types {
            ObjectTypes::All => true,
            ObjectTypes::Only(types) => types.contains(object_type),
        };
        covers_type && self.allows_operation(operation)
    }

    /// Whether it covers an operation that is on no record.
    pub fn allows_operation(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// The only properties it covers; `None` for all.
    pub const fn properties(&self) -> Option<&BTreeSet<PropertyName>> {
        self.properties.as_ref()
    }

    /// Whether it covers a property.
    pub fn allows_property(&self, name: &PropertyName) -> bool {
        self.properties
            .as_ref()
            .is_none_or(|properties| properties.contains(name))
    }

    pub(super) fn take_away(&self) {
        self.taken_away.store(true, Ordering::Release);
    }

    pub(super) fn is_taken_away(&self) -> bool {
        self.taken_away.load(Ordering::Acquire)
    }

    pub(super) fn supersede(&self) {
        self.superseded.store(true, Ordering::Release);
    }

    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Why the handle was issued.
    pub const fn purpose(&self) -> &PurposeCode {
        &self.purpose
    }

    /// The portal's token.
    pub const fn token(&self) -> &PortalToken {
        &self.token
    }

    /// What tells the token from others.
    pub const fn fingerprint(&self) -> &TokenFingerprint {
        &self.fingerprint
    }

    /// The version of the credential.
    pub const fn credential_version(&self) -> u64 {
        self.credential_version
    }

    /// Whether HubSpot counts its calls by the day: not those of an OAuth app, whose tokens end by themselves.
    pub const fn counts_by_day(&self) -> bool {
        self.token_ends.is_none()
    }

    /// Whether nothing may be sent by its token any more.
    pub(super) fn token_is_over(&self, now: Tick) -> bool {
        self.token_ends.is_some_and(|ends| now >= ends)
    }

    /// When the handle ends.
    pub const fn ends(&self) -> Tick {
        self.ends
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("handle_id", &self.handle_id)
            .field("caller", &self.caller)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}
