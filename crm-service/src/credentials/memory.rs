//! The grants in memory, and how far the feed of revocations has been applied to them. One lock holds both: a grant
//! goes in only as of a place in the feed.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use aws_lc_rs::digest;
use hubkeep_core::{
    clock::Tick,
    grpc::Caller,
    handle_token::HandleToken,
    id::{CallerName, GrantId, HandleId, PersonId, PortalId},
};
use tokio_util::task::TaskTracker;

use super::grant::Grant;
use crate::sync::{Mutex, MutexGuard};

/// More grants than this are not kept: the oldest use of memory is not worth a risk.
const MAX_GRANTS: usize = 10_000;

/// So many events of the feed are remembered: those that may come while one redemption is under way.
const MAX_RECENT: usize = 1_024;

/// Something may be sent for so long after the question by which its handle was redeemed, where the feed is not heard:
/// credential-service counts on it.
const WITHOUT_FEED: Duration = Duration::from_secs(1);

/// A handle as presented by one caller, or at one resource. The handle itself is not kept, only its hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    handle: [u8; 32],
    caller: Caller,
    presented_at: Option<Arc<str>>,
}

impl Key {
    pub(super) fn of(handle: &HandleToken, caller: &Caller) -> Self {
        let hash = digest::digest(&digest::SHA256, handle.expose().as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        Self {
            handle: bytes,
            caller: caller.clone(),
            presented_at: handle.presented_at().cloned(),
        }
    }
}

/// What an event of the feed takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// This handle, and all that were narrowed from it.
    Handle(HandleId),
    PortalGeneration {
        portal: PortalId,
        generation: u64,
    },
    CredentialVersion {
        portal: PortalId,
        version: u64,
    },
    CallerGeneration {
        caller: CallerName,
        generation: u64,
    },
    PersonGeneration {
        person: PersonId,
        generation: u64,
    },
    GrantRevision {
        grant: GrantId,
        revision: u64,
    },
    /// Nothing: who is contained is kept elsewhere.
    CallerHold,
    /// Nothing either: whose own calls come is kept elsewhere.
    OwnCalls,
}

impl Scope {
    fn covers(&self, grant: &Grant) -> bool {
        let portal_id = grant.portal.portal_id();
        match self {
            Self::Handle(id) => grant.handle_id == *id || grant.ancestors.contains(id),
            Self::PortalGeneration { portal, generation } => {
                portal_id == *portal && grant.portal_generation < *generation
            }
            Self::CredentialVersion { portal, version } => {
                portal_id == *portal && grant.credential_version < *version
            }
            Self::CallerGeneration { caller, generation } => {
                grant.caller == *caller && grant.caller_generation < *generation
            }
            Self::PersonGeneration { person, generation } => {
                let own = grant.person.as_ref();
                own.is_some_and(|(own, of)| own == person && of < generation)
            }
            Self::CallerHold | Self::OwnCalls => false,
            Self::GrantRevision { grant: id, revision } => {
                let own = grant.allowed_by.as_ref();
                own.is_some_and(|(own, of)| own == id && of < revision)
            }
        }
    }
}

/// What was under way by grants that an event took away. It ends soon.
pub(super) type Ending = Vec<TaskTracker>;

#[derive(Default)]
struct State {
    grants: HashMap<Key, Arc<Grant>>,
    /// Every grant that somebody still works with, kept in memory or not.
    in_use: Vec<Weak<Grant>>,
    applied_seq: u64,
    /// The newest events that were applied, without a gap up to `applied_seq`.
    recent: VecDeque<(u64, Scope)>,
    /// As of when everything that was revoked is applied.
    heard: Option<Tick>,
}

impl State {
    /// Takes every grant away, from memory and from whoever works with them: what was missed may be about any.
    fn forget_all(&mut self) -> Ending {
        self.grants.clear();
        self.recent.clear();
        let in_use = self.in_use.iter().filter_map(Weak::upgrade);
        in_use.map(|grant| grant.take_away()).collect()
    }

    /// Takes away the grants that an event covers. A handle that gives another token now is redeemed anew, and what was
    /// sent by the old one goes on.
    fn forget(&mut self, seq: u64, scope: Scope) -> Ending {
        self.grants.retain(|_, grant| !scope.covers(grant));
        let mut ending = Ending::new();
        let covered = self.in_use.iter().filter_map(Weak::upgrade);
        for grant in covered.filter(|grant| scope.covers(grant)) {
            match scope {
                Scope::CredentialVersion { .. } => grant.supersede(),
                _ => ending.push(grant.take_away()),
            }
        }
        if self.recent.len() == MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((seq, scope));
        ending
    }

    /// Notes that a grant is in use, if nothing that came since is about it. Gives whether it may be used.
    fn use_of(&mut self, grant: &Arc<Grant>, as_of_seq: u64) -> bool {
        if !self.is_untouched_since(as_of_seq, grant) {
            return false;
        }
        self.in_use.retain(|grant| grant.strong_count() > 0);
        self.in_use.push(Arc::downgrade(grant));
        true
    }

    /// Whether it is known that nothing which came after a place is about this grant.
    fn is_untouched_since(&self, place: u64, grant: &Grant) -> bool {
        if place >= self.applied_seq {
            return true;
        }
        let known = self
            .recent
            .front()
            .is_some_and(|(oldest, _)| *oldest <= place.saturating_add(1));
        let mut later = self.recent.iter().filter(|(seq, _)| *seq > place);
        known && !later.any(|(_, scope)| scope.covers(grant))
    }
}

/// The grants in memory.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        // What could panic under the lock does not leave the state half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place in the feed up to which everything is applied.
    pub(super) fn applied_seq(&self) -> u64 {
        self.state().applied_seq
    }

    /// As of when everything that was said on the feed is applied.
    pub(super) fn heard(&self) -> Option<Tick> {
        self.state().heard
    }

    /// A grant that still holds, if the feed has been heard recently enough to say so.
    pub(super) fn recall(&self, key: &Key, now: Tick, max_view_age: Duration) -> Option<Arc<Grant>> {
        let state = self.state();
        let fresh = state.heard.is_some_and(|heard| now.since(heard) < max_view_age);
        state
            .grants
            .get(key)
            .filter(|grant| fresh && now < grant.keep_until)
            .cloned()
    }

    /// Until when a grant that was redeemed some time ago holds, if nothing more is heard; `None` if it does not.
    pub(super) fn holds_until(&self, grant: &Grant, now: Tick, max_view_age: Duration) -> Option<Tick> {
        if grant.is_taken_away() || now >= grant.ends {
            return None;
        }
        let by_feed = self.state().heard.map(|heard| heard.plus(max_view_age));
        // Without the feed only what was just redeemed is known to hold.
        let by_answer = grant.redeemed.plus(max_view_age.min(WITHOUT_FEED));
        let until = by_feed.map_or(by_answer, |by_feed| by_feed.max(by_answer));
        Some(until.min(grant.ends))
    }

    /// Keeps a grant that is true as of a place in the feed. Returns whether it may be used: not if the feed has
    /// moved past that place meanwhile by something that is, or may have been, about this very grant.
    pub(super) fn keep(&self, key: Key, grant: &Arc<Grant>, as_of_seq: u64, now: Tick) -> bool {
        let mut state = self.state();
        if !state.use_of(grant, as_of_seq) {
            return false;
        }
        state.grants.retain(|_, kept| now < kept.keep_until);
        if state.grants.len() < MAX_GRANTS {
            state.grants.insert(key, grant.clone());
        }
        true
    }

    /// The same for a grant that nobody presents a handle for: it is used, and not kept.
    pub(super) fn watch(&self, grant: &Arc<Grant>, as_of_seq: u64) -> bool {
        self.state().use_of(grant, as_of_seq)
    }

    /// Lets go of every grant that gives the token of this one.
    pub(super) fn forget_token_of(&self, grant: &Grant) {
        self.state()
            .grants
            .retain(|_, kept| !kept.has_the_token_of(grant));
    }

    /// Applies one event of the feed, and gives what must end for it. After a gap nothing in memory is trusted.
    pub(super) fn apply(&self, seq: u64, scope: Option<Scope>) -> Ending {
        let mut state = self.state();
        if seq <= state.applied_seq {
            return Ending::new();
        }
        let ending = match scope {
            Some(scope) if seq == state.applied_seq.saturating_add(1) => state.forget(seq, scope),
            _ => state.forget_all(),
        };
        state.applied_seq = seq;
        ending
    }

    /// A heartbeat: nothing newer than `seq` existed when the message that was sent at `said` had been heard. If that is
    /// not what was applied, nothing in memory is trusted; then this gives what must end.
    pub(super) fn beat(&self, seq: u64, said: Option<Tick>) -> Option<Ending> {
        let mut state = self.state();
        let mut ending = None;
        if seq > state.applied_seq {
            ending = Some(state.forget_all());
            state.applied_seq = seq;
        }
        if seq == state.applied_seq {
            state.heard = state.heard.max(said);
        }
        ending
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
#[cfg(feature = "models")]
mod models;
