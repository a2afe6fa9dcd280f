//! What a redeemed handle gives: the right to make some calls to one portal, and the token to make them with.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, atomic::Ordering},
};

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Tick,
    id::{CallerName, CredentialName, GrantId, HandleId, PersonId, PurposeCode},
    secret::{PortalToken, TokenFingerprint},
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use zeroize::Zeroizing;

use super::budget::Allowance;
use crate::{
    crm::{Bounds, ObjectType, Operation, PropertyName},
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
    /// The handles that it was narrowed from.
    pub(super) ancestors: Vec<HandleId>,
    pub(super) portal: ProvenPortal,
    pub(super) time_zone: String,
    pub(super) caller: CallerName,
    pub(super) operations: BTreeSet<Operation>,
    pub(super) object_types: ObjectTypes,
    pub(super) properties: Option<BTreeSet<PropertyName>>,
    pub(super) bounds: Bounds,
    pub(super) writes_need_approval: bool,
    /// On whose behalf the caller asks, as it says itself; empty if it names nobody. Personal data.
    pub(super) end_user: Zeroizing<String>,
    /// What may be spent of the handle's budget; `None` if it has none.
    pub(super) allowance: Option<Arc<Allowance>>,
    pub(super) purpose: PurposeCode,
    pub(super) token: PortalToken,
    pub(super) fingerprint: TokenFingerprint,
    pub(super) credential_version: u64,
    /// Which of the portal's apps the token belongs to; `None` for that of its first credential.
    pub(super) app: Option<CredentialName>,
    pub(super) portal_generation: u64,
    pub(super) caller_generation: u64,
    /// Who the caller is, and under which generation of that person's handles this one was issued.
    pub(super) person: Option<(PersonId, u64)>,
    /// What allowed the handle, in which revision.
    pub(super) allowed_by: Option<(GrantId, u64)>,
    pub(super) keep_until: Tick,
    pub(super) ends: Tick,
    /// When HubSpot stops to accept the token, if that ends by itself.
    pub(super) token_ends: Option<Tick>,
    pub(super) redeemed: Tick,
    /// Fires when the feed takes the grant away.
    pub(super) taken_away: CancellationToken,
    /// Counts what is under way by it.
    pub(super) under_way: TaskTracker,
    /// Set when the portal's credential has moved on: the handle lives, and gives another token.
    pub(super) superseded: AtomicBool,
}

impl Grant {
    /// Who holds it.
    pub const fn caller(&self) -> &CallerName {
        &self.caller
    }

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

    /// The only records it covers.
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Whether its writes are to be approved by a human, and not made by it directly.
    pub const fn writes_need_approval(&self) -> bool {
        self.writes_need_approval
    }

    /// Whether a person is behind its calls: the handle names an end user.
    pub fn is_for_a_person(&self) -> bool {
        !self.end_user.is_empty()
    }

    /// On whose behalf its calls are made, as the caller knows that person; empty for nobody. It goes where it is sealed, and
    /// nowhere else.
    pub fn end_user(&self) -> &str {
        &self.end_user
    }

    /// What may be spent of the handle's budget; `None` if it has none.
    pub const fn allowance(&self) -> Option<&Arc<Allowance>> {
        self.allowance.as_ref()
    }

    /// Takes it away from whoever works with it. Gives what is still under way by it: that ends soon, and nothing more
    /// is begun.
    pub(super) fn take_away(&self) -> TaskTracker {
        self.taken_away.cancel();
        self.under_way.close();
        self.under_way.clone()
    }

    pub(super) fn is_taken_away(&self) -> bool {
        self.taken_away.is_cancelled()
    }

    /// Fires when it is taken away: whatever waits or is under way by it must end then.
    pub const fn taken_away(&self) -> &CancellationToken {
        &self.taken_away
    }

    /// Something is under way by it until the token is dropped. To be taken before the grant is looked at for the last
    /// time: its end is told only when nothing is.
    pub fn begin(&self) -> TaskTrackerToken {
        self.under_way.token()
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

    /// Which of the portal's apps the token belongs to, by the name of the first onboarded of that app's credentials; `None` if
    /// that is the portal's first.
    pub const fn app(&self) -> Option<&CredentialName> {
        self.app.as_ref()
    }

    /// Whether HubSpot counts its calls by the day: not those of an OAuth app, whose tokens end by themselves.
    pub const fn counts_by_day(&self) -> bool {
        !self.ends_by_itself()
    }

    /// Whether its token ends by itself: that of an OAuth app, of which HubSpot gives another.
    pub(super) const fn ends_by_itself(&self) -> bool {
        self.token_ends.is_some()
    }

    /// Whether another one gives the very same token of the same credential.
    pub(super) fn has_the_token_of(&self, other: &Self) -> bool {
        self.credential_version == other.credential_version
            && self.fingerprint == other.fingerprint
            && self.portal.portal_id() == other.portal.portal_id()
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
