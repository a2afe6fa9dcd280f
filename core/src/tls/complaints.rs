//! Warnings that strangers cause, who can cause as many as they like: a few are told, the rest are counted.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::clock::{SharedClock, Tick};

/// Warnings told within [`WINDOW`].
const FEW: u32 = 10;
/// After this, warnings are told again, the first with how many were not.
const WINDOW: Duration = Duration::from_secs(10);

/// What was complained of lately.
#[derive(Debug)]
pub(super) struct Complaints {
    clock: SharedClock,
    lately: Mutex<Lately>,
}

#[derive(Debug, Default)]
struct Lately {
    since: Option<Tick>,
    told: u32,
    untold: u64,
}

impl Complaints {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            lately: Mutex::default(),
        }
    }

    /// Says that a handshake failed, and of what, unless that was said often enough.
    pub(super) fn failed(&self, peer: SocketAddr, reason: &str) {
        let Some(untold) = self.take_turn() else { return };
        if untold == 0 {
            tracing::warn!(%peer, reason, "a TLS handshake failed");
        } else {
            tracing::warn!(%peer, reason, untold, "a TLS handshake failed, as others did before of which nothing was said");
        }
    }

    /// How many were not told before this one, which may be told; `None` if it may not.
    fn take_turn(&self) -> Option<u64> {
        let now = self.clock.tick();
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.since.is_none_or(|since| now.since(since) >= WINDOW) {
            lately.since = Some(now);
            lately.told = 0;
        }
        if lately.told >= FEW {
            lately.untold = lately.untold.saturating_add(1);
            return None;
        }
        lately.told = lately.told.saturating_add(1);
        Some(std::mem::take(&mut lately.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{MockClock, Timestamp};

    #[test]
    fn a_few_warnings_are_told_and_later_how_many_were_not() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let complaints = Complaints::new(clock.clone());
        let told: Vec<_> = (0..1_000).map_while(|_| complaints.take_turn()).collect();
        assert_eq!(told, vec![0; FEW as usize]);
        assert_eq!(complaints.take_turn(), None);
        clock.advance(WINDOW);
        assert_eq!(complaints.take_turn(), Some(2), "what was left out is counted");
        assert_eq!(complaints.take_turn(), Some(0), "and told once");
    }
}
