//! One sliding window: what was counted for one rule, portal and subject, by the entries' own time.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Timestamp;

/// What becomes of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It fires, with so many counted.
    Fires { at: Timestamp, count: u64 },
    /// It is resolved since then.
    Resolved { at: Timestamp },
}

/// The bounds that a series is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) threshold: u64,
    pub(super) window: Duration,
    pub(super) enabled: bool,
}

/// A series.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// By time. Of these no more are held than can matter: see [`Series::shed`].
    counts: VecDeque<(Timestamp, u64)>,
    sum: u64,
    /// The latest time that was heard of. Entries of several replicas come a little out of order.
    horizon: Option<Timestamp>,
    firing: bool,
}

impl Series {
    /// One that fires already.
    pub(super) fn firing() -> Self {
        Self {
            firing: true,
            ..Self::default()
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_idle(&self) -> bool {
        !self.firing && self.counts.is_empty()
    }

    /// Counts without looking whether that is too many: for what was looked at before.
    pub(super) fn recount(&mut self, time: Timestamp, count: u64, bounds: Bounds) {
        let horizon = self.reach(time);
        self.expire(horizon, bounds);
        self.insert(time, count, horizon, bounds);
    }

    /// Counts, and says what becomes of it: at most that an alert from before is resolved, and that another fires.
    pub(super) fn count(&mut self, time: Timestamp, count: u64, bounds: Bounds) -> [Option<Turn>; 2] {
        let horizon = self.reach(time);
        let resolved = self.settle(horizon, bounds);
        self.insert(time, count, horizon, bounds);
        let fires = bounds.enabled && !self.firing && self.sum > bounds.threshold;
        let fired = fires.then(|| {
            self.firing = true;
            Turn::Fires {
                at: time,
                count: self.sum,
            }
        });
        [resolved, fired]
    }

    /// Lets what is out of the window go, and says whether that resolves it.
    pub(super) fn settle(&mut self, now: Timestamp, bounds: Bounds) -> Option<Turn> {
        let horizon = self.reach(now);
        let fell = self.expire(horizon, bounds);
        if !self.firing || (bounds.enabled && self.sum > bounds.threshold) {
            return None;
        }
        self.firing = false;
        // Without a count that went it is the rule that changed.
        let at = fell.unwrap_or(horizon);
        Some(Turn::Resolved { at })
    }

    fn reach(&mut self, time: Timestamp) -> Timestamp {
        let horizon = self.horizon.map_or(time, |horizon| horizon.max(time));
        self.horizon = Some(horizon);
        horizon
    }

    /// Gives the time at which no more than the threshold was left, if that was now.
    fn expire(&mut self, horizon: Timestamp, bounds: Bounds) -> Option<Timestamp> {
        let mut fell = None;
        while let Some((time, count)) = self.counts.front().copied() {
            let out = time.plus(bounds.window);
            if out > horizon {
                break;
            }
            self.counts.pop_front();
            let before = self.sum;
            self.sum = self.sum.saturating_sub(count);
            if before > bounds.threshold && self.sum <= bounds.threshold {
                fell = Some(out);
            }
        }
        fell
    }

    fn insert(&mut self, time: Timestamp, count: u64, horizon: Timestamp, bounds: Bounds) {
        if time.plus(bounds.window) <= horizon {
            return;
        }
        let at = self.counts.partition_point(|(other, _)| *other <= time);
        self.counts.insert(at, (time, count));
        self.sum = self.sum.saturating_add(count);
        self.shed(bounds.threshold);
    }

    /// The newest that are more than the threshold decide alone whether there are too many, now and later: what is older is
    /// let go of, so that a caller who is far beyond it costs no memory.
    fn shed(&mut self, threshold: u64) {
        while let Some((_, count)) = self.counts.front().copied() {
            let without = self.sum.saturating_sub(count);
            if without <= threshold {
                break;
            }
            self.counts.pop_front();
            self.sum = without;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HUNDRED: Bounds = Bounds {
        threshold: 100,
        window: MINUTE,
        enabled: true,
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn one_more_than_the_threshold_fires_once_and_is_resolved_when_it_leaves_the_window() {
        let mut series = Series::default();
        for number in 0..100 {
            assert_eq!(series.count(at(number), 1, HUNDRED), [None, None], "{number}");
        }
        let fires = Turn::Fires {
            at: at(100),
            count: 101,
        };
        assert_eq!(series.count(at(100), 1, HUNDRED), [None, Some(fires)]);
        assert_eq!(
            series.count(at(101), 1, HUNDRED),
            [None, None],
            "it fires already"
        );
        assert_eq!(series.settle(at(60_000), HUNDRED), None, "101 of the last minute");
        let resolved = Turn::Resolved { at: at(60_001) };
        assert_eq!(series.settle(at(60_500), HUNDRED), Some(resolved));
        assert_eq!(series.settle(at(200_000), HUNDRED), None);
        assert!(series.is_idle());
    }

    #[test]
    fn what_comes_after_the_window_resolves_the_old_alert_and_fires_anew() {
        let first = Bounds {
            threshold: 0,
            ..HUNDRED
        };
        let mut series = Series::default();
        let fires = |time, count| Some(Turn::Fires { at: at(time), count });
        assert_eq!(series.count(at(0), 1, first), [None, fires(0, 1)]);
        let resolved = Some(Turn::Resolved { at: at(60_000) });
        assert_eq!(series.count(at(90_000), 1, first), [resolved, fires(90_000, 1)]);
    }

    #[test]
    fn a_rule_that_is_switched_off_resolves_and_one_that_is_replayed_does_not_fire() {
        let mut series = Series::default();
        series.recount(at(0), 500, HUNDRED);
        let fires = Some(Turn::Fires {
            at: at(1),
            count: 501,
        });
        assert_eq!(series.count(at(1), 1, HUNDRED), [None, fires]);
        let off = Bounds {
            enabled: false,
            ..HUNDRED
        };
        let resolved = Some(Turn::Resolved { at: at(2) });
        assert_eq!(series.settle(at(2), off), resolved);
        assert_eq!(series.count(at(3), 1, off), [None, None]);
    }

    proptest! {
        /// The same as counting everything anew each time, however little is held.
        #[test]
        fn it_fires_exactly_while_too_many_lie_in_the_window(
            steps in prop::collection::vec((0_i64..40_000, 1_u64..40), 1..60),
            threshold in 0_u64..120,
        ) {
            let bounds = Bounds { threshold, ..HUNDRED };
            let (mut series, mut now, mut all) = (Series::default(), 0, Vec::<(i64, u64)>::new());
            let mut firing = false;
            for (step, count) in steps {
                now += step;
                all.push((now, count));
                for turn in series.count(at(now), count, bounds).into_iter().flatten() {
                    firing = matches!(turn, Turn::Fires { .. });
                }
                let inside = all.iter().filter(|(time, _)| time + 60_000 > now);
                let sum: u64 = inside.map(|(_, count)| count).sum();
                prop_assert_eq!(firing, sum > threshold, "{} at {}", sum, now);
            }
        }
    }
}
