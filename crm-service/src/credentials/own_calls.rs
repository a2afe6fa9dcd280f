//! Calls that credential-service makes itself, to verify tokens. HubSpot counts them in the same limits as the calls made here,
//! and a few places are kept free for them. While it is known that it makes none they may be used.
//!
//! It says so on the feed before it calls, and waits until that was heard; who cannot hear it must not use them. So this
//! holds as grants in memory do: by what was heard in the last 5 s.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::{clock::Tick, id::PortalId};

/// After it was said, places are kept free for so long. credential-service calls within 30 s, and its last call counts for
/// 10 s after that.
const KEPT_FOR: Duration = Duration::from_secs(45);
/// More portals than this are looked through for those of long ago.
const MANY: usize = 1_024;

#[derive(Debug, Default)]
struct State {
    heard: Option<Tick>,
    come: HashMap<PortalId, Tick>,
    come_everywhere: Option<Tick>,
}

/// What is known of them. Clones know the same.
#[derive(Clone, Debug)]
pub struct OwnCalls {
    /// What was heard longer ago says nothing.
    max_view_age: Duration,
    state: Arc<Mutex<State>>,
}

impl OwnCalls {
    /// Nothing was heard yet.
    pub(super) fn new(max_view_age: Duration) -> Self {
        Self {
            max_view_age,
            state: Arc::default(),
        }
    }

    /// Whether it is known that none come for this portal.
    pub fn are_none(&self, portal: PortalId, now: Tick) -> bool {
        let state = self.state();
        let is_known = state
            .heard
            .is_some_and(|heard| now < heard.plus(self.max_view_age));
        let come = state.come.get(&portal).copied().max(state.come_everywhere);
        is_known && come.is_none_or(|come| now >= come.plus(KEPT_FOR))
    }

    /// Everything that was said until then is known.
    pub(super) fn heard(&self, as_of: Tick) {
        let mut state = self.state();
        state.heard = state.heard.max(Some(as_of));
    }

    /// Some come for this portal.
    pub(super) fn come(&self, portal: PortalId, now: Tick) {
        let mut state = self.state();
        if state.come.len() > MANY {
            state.come.retain(|_, come| now < come.plus(KEPT_FOR));
        }
        state.come.insert(portal, now);
    }

    /// Some may come for any portal.
    pub(super) fn come_everywhere(&self, now: Tick) {
        self.state().come_everywhere = Some(now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

    use super::*;

    const FRESH: Duration = Duration::from_secs(5);

    #[test]
    fn places_may_be_used_only_while_it_is_known_that_nobody_wants_them() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let [ours, other] = [1, 2].map(|id| PortalId::new(id).expect("not zero"));
        let own = OwnCalls::new(FRESH);
        let none = |portal| own.are_none(portal, clock.tick());
        assert!(!none(ours), "nothing was heard");
        own.heard(clock.tick());
        assert!(none(ours));
        clock.advance(FRESH);
        assert!(!none(ours), "that was heard too long ago");
        own.heard(clock.tick());
        own.come(ours, clock.tick());
        assert_eq!((none(ours), none(other)), (false, true));
        clock.advance(KEPT_FOR);
        own.heard(clock.tick());
        assert!(none(ours), "they are over");
        own.come_everywhere(clock.tick());
        assert_eq!((none(ours), none(other)), (false, false));
    }

    #[test]
    fn what_was_heard_last_counts_and_not_what_came_late() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let own = OwnCalls::new(FRESH);
        let early = clock.tick();
        clock.advance(FRESH);
        own.heard(clock.tick());
        own.heard(early);
        assert!(own.are_none(PortalId::new(1).expect("not zero"), clock.tick()));
    }
}
