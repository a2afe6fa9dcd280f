//! When a day's calls will be used up, if they go on being used as they were of late.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Timestamp;

/// How far the rate looks back.
const LOOKS_BACK: Duration = Duration::from_secs(1_800);
/// What is known for less than this says nothing of a rate.
const LEAST: Duration = Duration::from_secs(60);
/// Looked at no more often: so few numbers are kept for each portal.
const APART: Duration = Duration::from_secs(20);

/// What was left of the day at times that HubSpot said so, oldest first.
#[derive(Debug, Default)]
pub(super) struct Forecast {
    told: VecDeque<(Timestamp, u64)>,
}

impl Forecast {
    /// So much is left, HubSpot says.
    pub(super) fn told(&mut self, left: u64, now: Timestamp) {
        // More than before: another day, or a higher limit.
        if self.told.back().is_some_and(|(_, before)| left > *before) {
            self.told.clear();
        }
        let recent = self.told.len() > 1 && self.told.back().is_some_and(|(at, _)| now.since(*at) < APART);
        if recent {
            return;
        }
        self.told.push_back((now, left));
        while self.told.len() > 2
            && self
                .told
                .get(1)
                .is_some_and(|(at, _)| now.since(*at) >= LOOKS_BACK)
        {
            self.told.pop_front();
        }
    }

    /// A new day.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// When nothing is usable, with so much usable now and so much more reserved for others, if that is before `ends`.
    /// `None` where it is not, or not known.
    pub(super) fn exhausted_at(
        &self,
        usable: u64,
        reserved: u64,
        now: Timestamp,
        ends: Timestamp,
    ) -> Option<Timestamp> {
        let (first_at, first_left) = *self.told.front()?;
        let passed = now.since(first_at);
        let used = first_left.saturating_sub(usable.saturating_add(reserved));
        if passed < LEAST || used == 0 {
            return None;
        }
        let micros = passed.as_micros().saturating_mul(u128::from(usable)) / u128::from(used);
        let at = now.plus(Duration::from_micros(u64::try_from(micros).ok()?));
        (at < ends).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_795_366_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_day_ends_when_its_calls_do_if_they_go_on_so() {
        let mut forecast = Forecast::default();
        let midnight = after(20_000);
        assert_eq!(forecast.exhausted_at(10_000, 0, START, midnight), None, "unknown");
        forecast.told(10_000, START);
        forecast.told(9_900, after(30));
        assert_eq!(
            forecast.exhausted_at(9_900, 0, after(30), midnight),
            None,
            "too short"
        );
        forecast.told(9_000, after(1_000));
        assert_eq!(
            forecast.exhausted_at(9_000, 0, after(1_000), midnight),
            Some(after(10_000)),
            "one each second"
        );
        assert_eq!(
            forecast.exhausted_at(9_000, 0, after(1_000), after(9_999)),
            None,
            "the day ends before"
        );
        assert_eq!(
            forecast.exhausted_at(10_000, 0, after(1_000), midnight),
            None,
            "nothing is used"
        );
    }

    #[test]
    fn a_new_day_and_what_is_long_ago_say_nothing_of_now() {
        let mut forecast = Forecast::default();
        forecast.told(10, START);
        forecast.told(10_000, after(100));
        assert_eq!(
            forecast.exhausted_at(10_000, 0, after(200), after(90_000)),
            None,
            "nothing was used since"
        );
        for minute in 0..120 {
            forecast.told(9_000 - minute, after(200 + minute * 60));
        }
        assert!(forecast.told.len() < 35, "{}", forecast.told.len());
    }
}
