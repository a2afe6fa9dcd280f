//! How many calls counted of late, at most. A replica tells it to the others, who compare what HubSpot has counted a moment before.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Tick;

/// How far it looks back.
pub(super) const LOOKS_BACK: Duration = Duration::from_secs(5);

/// The most at any time of late.
#[derive(Debug)]
pub(super) struct Peak {
    /// Since the last of `spans`.
    now: usize,
    /// When a stretch of time ended, and the most in it; the oldest first.
    spans: VecDeque<(Tick, usize)>,
}

impl Peak {
    /// Nothing has counted yet.
    pub(super) const fn new() -> Self {
        Self {
            now: 0,
            spans: VecDeque::new(),
        }
    }

    /// So many count, now that one more does. In between they become fewer by themselves.
    pub(super) fn rises(&mut self, count: usize) {
        self.now = self.now.max(count);
    }

    /// So many count now. Gives the most that counted at any time since [`LOOKS_BACK`].
    pub(super) fn of_late(&mut self, count: usize, now: Tick) -> usize {
        self.spans.push_back((now, self.now.max(count)));
        // The next stretch begins with these.
        self.now = count;
        while self
            .spans
            .front()
            .is_some_and(|(ended, _)| now.since(*ended) > LOOKS_BACK)
        {
            self.spans.pop_front();
        }
        let most = self.spans.iter().map(|(_, most)| *most).max();
        most.unwrap_or(count)
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

    use super::*;

    #[test]
    fn what_counted_at_any_time_of_the_last_five_seconds_is_told_and_nothing_older() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let mut peak = Peak::new();
        for count in 1..=30 {
            peak.rises(count);
        }
        // Most of them count no more when they are first told of.
        assert_eq!(peak.of_late(2, clock.tick()), 30);
        clock.advance(LOOKS_BACK);
        peak.rises(3);
        assert_eq!(peak.of_late(0, clock.tick()), 30, "they counted 5 s ago");
        clock.advance(Duration::from_millis(1));
        assert_eq!(peak.of_late(0, clock.tick()), 3);
        clock.advance(2 * LOOKS_BACK);
        assert_eq!(peak.of_late(0, clock.tick()), 0);
    }

    #[test]
    fn what_counts_when_a_stretch_begins_is_part_of_it() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let mut peak = Peak::new();
        peak.rises(7);
        assert_eq!(peak.of_late(7, clock.tick()), 7);
        clock.advance(2 * LOOKS_BACK);
        assert_eq!(
            peak.of_late(0, clock.tick()),
            7,
            "nothing was looked at since: they may have counted until now"
        );
    }
}
