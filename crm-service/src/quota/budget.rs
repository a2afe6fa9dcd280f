//! One portal's buckets.

use std::time::Duration;

use hubkeep_core::clock::Tick;
use hubkeep_hubspot::Limits;

use super::window::Window;

/// Calls in an interval, until HubSpot's headers say otherwise: the lowest limit of any subscription.
const BURST: usize = 100;
/// The interval, until HubSpot's headers say otherwise.
const INTERVAL: Duration = Duration::from_secs(10);
/// Left free for credential-service, which verifies tokens on the same limit.
const KEPT_FREE: usize = 5;
/// Searches in a second, per account.
const SEARCHES: usize = 5;
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);
/// HubSpot counts at arrival: two calls may arrive closer together than they were sent.
const JITTER: Duration = Duration::from_millis(50);

/// Which of a portal's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Every call.
    Burst,
    /// Searches, which also count as calls.
    Search,
}

impl Bucket {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Search => "search",
        }
    }
}

#[derive(Debug)]
pub(super) struct Budget {
    burst: Window,
    search: Window,
    paused_until: Option<Tick>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            burst: Window::new(BURST - KEPT_FREE, INTERVAL + JITTER),
            search: Window::new(SEARCHES, SEARCH_INTERVAL + JITTER),
            paused_until: None,
        }
    }
}

impl Budget {
    /// Takes one call, or says how long until there is room. Both buckets are taken from, or neither.
    pub(super) fn take(&mut self, bucket: Bucket, now: Tick) -> Result<(), Duration> {
        let paused = self
            .paused_until
            .map(|until| until.since(now))
            .filter(|left| !left.is_zero());
        let burst = self.burst.wait(now);
        let search = if bucket == Bucket::Search {
            self.search.wait(now)
        } else {
            None
        };
        if let Some(longest) = [paused, burst, search].into_iter().flatten().max() {
            return Err(longest);
        }
        self.burst.take(now);
        if bucket == Bucket::Search {
            self.search.take(now);
        }
        Ok(())
    }

    pub(super) fn learn(&mut self, limits: &Limits) {
        let Some(max) = limits.max.and_then(|max| usize::try_from(max).ok()) else {
            return;
        };
        let interval = limits
            .interval
            .filter(|interval| !interval.is_zero())
            .unwrap_or(INTERVAL);
        self.burst
            .resize(max.saturating_sub(KEPT_FREE), interval + JITTER);
    }

    pub(super) fn pause_until(&mut self, until: Tick) {
        self.paused_until = self.paused_until.max(Some(until));
    }
}
