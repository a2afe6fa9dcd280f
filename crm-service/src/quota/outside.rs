//! Use of a portal's token by somebody else. HubSpot says with each answer how many calls of the app count; what none of
//! ours explains was made by another program with the same token. The day's count cannot tell that: all apps of the
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

/// What a replica knows of it.
#[derive(Debug)]
pub(super) struct Outside {
    began: Tick,
    /// So many counted at this time, above what is explained: they are counted here no second time while they may still
    /// count there.
    counted: Option<(usize, Tick)>,
    /// Seen, and not yet put with what all replicas have seen.
    fresh: Option<Unaccounted>,
    /// What all replicas have seen, as far as this one was told.
    total: Option<Unaccounted>,
}

impl Outside {
    pub(super) const fn new(now: Tick) -> Self {
        Self {
            began: now,
            counted: None,
            fresh: None,
            total: None,
        }
    }

    /// So many calls counted that nobody here has made, in an interval of this length.
    pub(super) fn heard(&mut self, others: usize, interval: Duration, now: Now) {
        if now.tick.since(self.began) <= interval.saturating_add(SLACK) {
            return;
        }
        let unexplained = others.saturating_sub(OF_CREDENTIALS);
        let before = self.counted.filter(|(_, at)| now.tick.since(*at) < interval);
        let known = before.map_or(0, |(calls, _)| calls);
        let Some(more) = unexplained.checked_sub(known).filter(|more| *more > 0) else {
            return;
        };
        // Those that were known may be gone when these still count: too few are told, never too many.
        self.counted = Some((unexplained, now.tick));
        let seen = Unaccounted {
            calls: u64::try_from(more).unwrap_or(u64::MAX),
            since: now.time,
            last_seen: now.time,
        };
        self.fresh = Some(self.fresh.map_or(seen, |fresh| fresh.and(seen)));
    }

    /// What is to be put with what all replicas have seen; it is here no more.
    pub(super) const fn take(&mut self) -> Option<Unaccounted> {
        self.fresh.take()
    }

    /// It could not be put there.
    pub(super) fn put_back(&mut self, seen: Unaccounted) {
        self.fresh = Some(self.fresh.map_or(seen, |fresh| fresh.and(seen)));
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
        let mut outside = Outside::new(clock.tick());
        outside.heard(96, TEN, now());
        assert_eq!(outside.seen(), None, "the process before");
        clock.advance(Duration::from_secs(14));
        outside.heard(4, TEN, now());
        assert_eq!(outside.seen(), None, "credential-service");
        outside.heard(7, TEN, now());
        outside.heard(7, TEN, now());
        outside.heard(9, TEN, now());
        let seen = outside.seen().expect("somebody else");
        assert_eq!((seen.calls, seen.since), (5, clock.now()), "each counts once");
        clock.advance(TEN);
        outside.heard(5, TEN, now());
        let seen = outside.take().expect("again");
        assert_eq!((seen.calls, seen.last_seen), (6, clock.now()));
        assert_eq!(outside.seen(), None, "it was taken away");
    }
}
