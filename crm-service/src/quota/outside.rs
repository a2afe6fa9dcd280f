//! Use of a portal's tokens by somebody else. HubSpot says with each answer how many calls of the app count; what none of
//! ours explains was made by another program with a token of the same app. The day's count cannot tell that: all apps of the
//! account share it.

use std::time::Duration;

use hubkeep_core::clock::{Tick, Timestamp};

use super::budget::Now;

/// Calls in an interval that are credential-service's own, at most: it asks HubSpot about tokens and accounts.
const OF_CREDENTIALS: usize = 4;
/// What the process before this one has made counts for an interval, and a little more because clocks differ.
const SLACK: Duration = Duration::from_secs(3);

/// What was seen of others' use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unaccounted {
    /// Calls that none of ours explains. More may have been made: those that came and went between two answers of ours
    /// are not seen.
    pub calls: u64,
    /// When the first of them was seen.
    pub since: Timestamp,
    /// When the last of them was seen.
    pub last_seen: Timestamp,
}

impl Unaccounted {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            since: self.since.min(other.since),
            last_seen: self.last_seen.max(other.last_seen),
        }
    }
}

/// What is seen of others in the answers to one app's calls.
#[derive(Debug)]
pub(super) struct Watch {
    began: Tick,
    /// So many counted at this time, above what is explained: they are counted here no second time while they may still
    /// count there.
    counted: Option<(usize, Tick)>,
    /// So many were told by another replica, and may still count.
    elsewhere: usize,
}

impl Watch {
    pub(super) const fn new(now: Tick) -> Self {
        Self {
            began: now,
            counted: None,
            elsewhere: 0,
        }
    }

    /// Another replica has told of so many that may still count.
    pub(super) const fn told_elsewhere(&mut self, calls: usize) {
        self.elsewhere = calls;
    }

    /// So many were told here that may still count.
    pub(super) fn unexplained(&self, interval: Duration, now: Tick) -> usize {
        let told = self.counted.filter(|(_, at)| now.since(*at) < interval);
        told.map_or(0, |(calls, _)| calls)
    }

    /// So many calls counted that nobody here has made, in an interval of this length: gives what was not known of it.
    pub(super) fn heard(&mut self, others: usize, interval: Duration, now: Now) -> Option<Unaccounted> {
        if now.tick.since(self.began) <= interval.saturating_add(SLACK) {
            return None;
        }
        let unexplained = others.saturating_sub(OF_CREDENTIALS);
        let known = self.unexplained(interval, now.tick).max(self.elsewhere);
        let more = unexplained.checked_sub(known).filter(|more| *more > 0)?;
        // Those that were known may be gone when these still count: too few are told, never too many.
        self.counted = Some((unexplained, now.tick));
        Some(Unaccounted {
            calls: u64::try_from(more).unwrap_or(u64::MAX),
            since: now.time,
            last_seen: now.time,
        })
    }
}

/// What a replica knows of it, of all apps of a portal.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// Seen, and not yet put with what all replicas have seen.
    fresh: Option<Unaccounted>,
    /// What all replicas have seen, as far as this one was told.
    total: Option<Unaccounted>,
}

impl Outside {
    /// So much more was seen.
    pub(super) fn add(&mut self, seen: Unaccounted) {
        self.fresh = Some(self.fresh.map_or(seen, |fresh| fresh.and(seen)));
    }

    /// What is to be put with what all replicas have seen; it is here no more.
    pub(super) const fn take(&mut self) -> Option<Unaccounted> {
        self.fresh.take()
    }

    /// What all replicas have seen.
    pub(super) const fn set_total(&mut self, total: Unaccounted) {
        self.total = Some(total);
    }

    /// What is known.
    pub(super) fn seen(&self) -> Option<Unaccounted> {
        match (self.total, self.fresh) {
            (Some(total), Some(fresh)) => Some(total.and(fresh)),
            (total, fresh) => total.or(fresh),
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock};

    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn what_credential_service_and_a_process_before_have_made_is_nobody_elses() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let now = || Now {
            tick: clock.tick(),
            time: clock.now(),
        };
        let (mut watch, mut outside) = (Watch::new(clock.tick()), Outside::default());
        let mut heard = |outside: &mut Outside, others| {
            if let Some(seen) = watch.heard(others, TEN, now()) {
                outside.add(seen);
            }
        };
        heard(&mut outside, 96);
        assert_eq!(outside.seen(), None, "the process before");
        clock.advance(Duration::from_secs(14));
        heard(&mut outside, 4);
        assert_eq!(outside.seen(), None, "credential-service");
        heard(&mut outside, 7);
        heard(&mut outside, 7);
        heard(&mut outside, 9);
        let seen = outside.seen().expect("somebody else");
        assert_eq!((seen.calls, seen.since), (5, clock.now()), "each counts once");
        clock.advance(TEN);
        heard(&mut outside, 5);
        let seen = outside.take().expect("again");
        assert_eq!((seen.calls, seen.last_seen), (6, clock.now()));
        assert_eq!(outside.seen(), None, "it was taken away");
    }
}
