//! Which tokens HubSpot has said to be their portal's: by portal and version of its credential.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::{clock::Tick, id::PortalId};
use tokio::sync::watch;

use super::Error;

/// After this HubSpot is asked again.
const HOLDS_FOR: Duration = Duration::from_secs(24 * 3_600);

/// A portal, and the version of its credential.
pub(super) type Key = (PortalId, u64);

/// What HubSpot said: `None` while it is being asked.
pub(super) type Verdict = Option<Result<(), Arc<Error>>>;

/// What is known of a token.
pub(super) enum Known {
    /// HubSpot has said whose it is, not long ago.
    Proven,
    /// HubSpot is being asked: here is where the verdict will be.
    BeingAsked(watch::Receiver<Verdict>),
    /// HubSpot is to be asked, by whoever gets this; the verdict goes here.
    ToBeAsked(watch::Sender<Verdict>),
}

#[derive(Default)]
struct State {
    proven: HashMap<Key, Tick>,
    asking: HashMap<Key, watch::Receiver<Verdict>>,
}

/// The proofs of this process. Clones are of the same ones.
#[derive(Clone, Default)]
pub(super) struct Proofs(Arc<Mutex<State>>);

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proofs")
    }
}

impl Proofs {
    /// What is known of a token. Of all who come at once one is to ask.
    pub(super) fn of(&self, key: Key, now: Tick) -> Known {
        let mut state = self.state();
        if state
            .proven
            .get(&key)
            .is_some_and(|at| now.since(*at) < HOLDS_FOR)
        {
            return Known::Proven;
        }
        // One that is closed without a verdict was left behind by a task that is lost.
        let asked = state
            .asking
            .get(&key)
            .filter(|asked| asked.has_changed().is_ok())
            .cloned();
        if let Some(asked) = asked {
            return Known::BeingAsked(asked);
        }
        let (sender, receiver) = watch::channel(None);
        state.asking.insert(key, receiver);
        Known::ToBeAsked(sender)
    }

    /// HubSpot was asked at `asked`, and this came of it.
    pub(super) fn settle(&self, key: Key, asked: Tick, is_proven: bool) {
        let mut state = self.state();
        state.asking.remove(&key);
        state.proven.retain(|_, at| asked.since(*at) < HOLDS_FOR);
        if is_proven {
            state.proven.insert(key, asked);
        } else {
            state.proven.remove(&key);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is done under the lock cannot panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

    use super::*;

    fn key(version: u64) -> Key {
        (PortalId::new(42).expect("not zero"), version)
    }

    #[test]
    fn one_asks_and_all_others_wait_for_it() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let proofs = Proofs::default();
        let Known::ToBeAsked(_verdict) = proofs.of(key(1), clock.tick()) else {
            panic!("nobody has asked yet");
        };
        assert!(matches!(proofs.of(key(1), clock.tick()), Known::BeingAsked(_)));
        assert!(
            matches!(proofs.of(key(2), clock.tick()), Known::ToBeAsked(_)),
            "another token"
        );
        proofs.settle(key(1), clock.tick(), true);
        assert!(matches!(proofs.of(key(1), clock.tick()), Known::Proven));
    }

    #[test]
    fn a_proof_holds_for_a_day_and_a_failed_one_not_at_all() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let proofs = Proofs::default();
        proofs.settle(key(1), clock.tick(), true);
        clock.advance(HOLDS_FOR - Duration::from_millis(1));
        assert!(matches!(proofs.of(key(1), clock.tick()), Known::Proven));
        clock.advance(Duration::from_millis(1));
        assert!(matches!(proofs.of(key(1), clock.tick()), Known::ToBeAsked(_)));
        proofs.settle(key(1), clock.tick(), false);
        assert!(matches!(proofs.of(key(1), clock.tick()), Known::ToBeAsked(_)));
    }

    #[test]
    fn who_asks_and_is_lost_holds_nobody_up() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let proofs = Proofs::default();
        drop(proofs.of(key(1), clock.tick()));
        assert!(matches!(proofs.of(key(1), clock.tick()), Known::ToBeAsked(_)));
    }
}
