//! One sliding window of answers: how many in a hundred of them failed.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Timestamp;

use super::series::{Bounds, Turn};

/// The share of fewer answers than this is chance.
pub(super) const LEAST: u64 = 20;
/// A window is counted in so many slots: an answer leaves it up to a sixtieth of it late, and no window costs more memory.
const SLOTS: u32 = 60;

/// A window.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// By time; none is empty.
    slots: VecDeque<Slot>,
    answers: u64,
    failures: u64,
    /// The latest time that was heard of.
    horizon: Option<Timestamp>,
    firing: bool,
}

/// What was counted in a sixtieth of the window.
#[derive(Debug)]
struct Slot {
    begin: Timestamp,
    answers: u64,
    failures: u64,
}

impl Share {
    /// One that fires already.
    pub(super) fn firing() -> Self {
        Self {
            firing: true,
            ..Self::default()
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_idle(&self) -> bool {
        !self.firing && self.slots.is_empty()
    }

    /// Counts an answer without looking whether too many failed: for what was looked at before.
    pub(super) fn recount(&mut self, time: Timestamp, failed: bool, bounds: Bounds) {
        let horizon = self.reach(time);
        self.expire(horizon, bounds);
        self.insert(time, failed, horizon, bounds);
    }

    /// Counts an answer, and says what becomes of the window by it.
    pub(super) fn count(&mut self, time: Timestamp, failed: bool, bounds: Bounds) -> Option<Turn> {
        self.recount(time, failed, bounds);
        let too_many = self.is_above(bounds);
        match (self.firing, too_many) {
            (false, true) => {
                self.firing = true;
                let count = self.per_cent();
                Some(Turn::Fires { at: time, count })
            }
            (true, false) => Some(self.resolved(time)),
            _ => None,
        }
    }

    /// Lets what is out of the window go, and says whether that resolves it.
    pub(super) fn settle(&mut self, now: Timestamp, bounds: Bounds) -> Option<Turn> {
        let horizon = self.reach(now);
        self.expire(horizon, bounds);
        (self.firing && !self.is_above(bounds)).then(|| self.resolved(horizon))
    }

    fn resolved(&mut self, at: Timestamp) -> Turn {
        self.firing = false;
        Turn::Resolved { at }
    }

    fn is_above(&self, bounds: Bounds) -> bool {
        let allowed = bounds.threshold.saturating_mul(self.answers);
        bounds.enabled && self.answers >= LEAST && self.failures.saturating_mul(100) > allowed
    }

    /// Rounded up, so that it is above the threshold where the share is.
    fn per_cent(&self) -> u64 {
        self.failures.saturating_mul(100).div_ceil(self.answers.max(1))
    }

    fn reach(&mut self, time: Timestamp) -> Timestamp {
        let horizon = self.horizon.map_or(time, |horizon| horizon.max(time));
        self.horizon = Some(horizon);
        horizon
    }

    fn expire(&mut self, horizon: Timestamp, bounds: Bounds) {
        while let Some(slot) = self.slots.front()
            && is_out(slot.begin, horizon, bounds)
        {
            self.answers = self.answers.saturating_sub(slot.answers);
            self.failures = self.failures.saturating_sub(slot.failures);
            self.slots.pop_front();
        }
    }

    fn insert(&mut self, time: Timestamp, failed: bool, horizon: Timestamp, bounds: Bounds) {
        let width = micros(width(bounds));
        let begin = Timestamp::from_micros(time.as_micros().div_euclid(width) * width);
        if is_out(begin, horizon, bounds) {
            return;
        }
        let at = self.slots.partition_point(|slot| slot.begin < begin);
        if self.slots.get(at).is_none_or(|slot| slot.begin != begin) {
            let slot = Slot {
                begin,
                answers: 0,
                failures: 0,
            };
            self.slots.insert(at, slot);
        }
        if let Some(slot) = self.slots.get_mut(at) {
            slot.answers += 1;
            slot.failures += u64::from(failed);
            self.answers += 1;
            self.failures += u64::from(failed);
        }
    }
}

fn width(bounds: Bounds) -> Duration {
    (bounds.window / SLOTS).max(Duration::from_millis(1))
}

fn is_out(begin: Timestamp, horizon: Timestamp, bounds: Bounds) -> bool {
    begin.plus(width(bounds)).plus(bounds.window) <= horizon
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const TENTH: Bounds = Bounds {
        threshold: 10,
        window: MINUTE,
        enabled: true,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn counted(share: &mut Share, second: i64, failures: u64, successes: u64) -> Vec<Turn> {
        let failed = (0..failures).map(|_| true).chain((0..successes).map(|_| false));
        failed
            .filter_map(|failed| share.count(at(second), failed, TENTH))
            .collect()
    }

    #[test]
    fn it_fires_above_its_per_cent_and_is_resolved_when_so_many_succeed_again() {
        let mut share = Share::default();
        assert_eq!(counted(&mut share, 0, 0, 18), []);
        assert_eq!(
            counted(&mut share, 1, 2, 0),
            [],
            "2 of 20 are no more than 10 in 100"
        );
        let fires = Turn::Fires { at: at(2), count: 15 };
        assert_eq!(counted(&mut share, 2, 1, 0), [fires], "3 of 21");
        assert_eq!(counted(&mut share, 3, 5, 0), [], "it fires already");
        let resolved = Turn::Resolved { at: at(4) };
        assert_eq!(counted(&mut share, 4, 0, 60), [resolved], "8 of 80");
    }

    #[test]
    fn a_few_answers_say_nothing_however_many_of_them_failed() {
        let mut share = Share::default();
        assert_eq!(counted(&mut share, 0, LEAST - 1, 0), []);
        let fires = Turn::Fires {
            at: at(0),
            count: 100,
        };
        assert_eq!(counted(&mut share, 0, 1, 0), [fires]);
    }

    #[test]
    fn what_is_out_of_the_window_is_forgotten_and_so_is_a_rule_that_is_switched_off() {
        let mut share = Share::default();
        counted(&mut share, 0, 30, 0);
        assert_eq!(share.settle(at(60), TENTH), None, "the last minute's");
        let resolved = Some(Turn::Resolved { at: at(61) });
        assert_eq!(share.settle(at(61), TENTH), resolved);
        assert!(share.is_idle());
        counted(&mut share, 100, 30, 0);
        let off = Bounds {
            enabled: false,
            ..TENTH
        };
        let resolved = Some(Turn::Resolved { at: at(101) });
        assert_eq!(share.settle(at(101), off), resolved);
        assert_eq!(share.count(at(102), true, off), None);
    }

    proptest! {
        /// The same as counting everything anew, by slots, each time.
        #[test]
        fn it_fires_exactly_while_too_many_of_the_window_failed(
            steps in prop::collection::vec((0_i64..20, 0_u64..30, 0_u64..30), 1..40),
            threshold in 0_u64..100,
        ) {
            let bounds = Bounds { threshold, ..TENTH };
            let (mut share, mut now, mut firing) = (Share::default(), 0, false);
            let mut all = Vec::<(i64, bool)>::new();
            for (step, failures, successes) in steps {
                now += step;
                let failed = (0..failures).map(|_| true).chain((0..successes).map(|_| false));
                for failed in failed {
                    all.push((now, failed));
                    if let Some(turn) = share.count(at(now), failed, bounds) {
                        firing = matches!(turn, Turn::Fires { .. });
                    }
                    let inside: Vec<bool> =
                        all.iter().filter(|(time, _)| time + 61 > now).map(|(_, failed)| *failed).collect();
                    let (answers, failures) = (inside.len() as u64, inside.iter().filter(|failed| **failed).count() as u64);
                    let above = answers >= LEAST && failures * 100 > threshold * answers;
                    prop_assert_eq!(firing, above, "{} of {} at {}", failures, answers, now);
                }
            }
            prop_assert!(share.slots.len() <= SLOTS as usize + 2);
        }
    }
}
