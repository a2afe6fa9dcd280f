//! A portal that HubSpot moves between data centres (477): its calls are not sent for as long as HubSpot has asked for, which
//! may be hours, and then one is let through to see; at once where an operator has said that HubSpot is wrong.

use std::time::Duration;

use hubkeep_core::clock::{Tick, Timestamp};

use super::{breaker::Health, budget::Now};

/// Less than this is as good as nothing.
const SHORTEST: Duration = Duration::from_secs(1);
/// HubSpot's own bound. What asks for more is a slip, and is found out after a day.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// While the one that is let through is under way, others are told to come again after this.
const TRIAL: Duration = Duration::from_secs(1);

/// What processes tell each other of a portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Until when it is moved.
    pub(super) until: Timestamp,
    /// How often an operator has said that it is not: what was heard before the last time counts no more.
    pub(super) lifts: u64,
}

/// Until when a portal is moved, as far as HubSpot has said.
#[derive(Debug, Default)]
pub(super) struct Moving {
    until: Option<(Tick, Timestamp)>,
    /// Whether one call is let through to see.
    trial: bool,
    /// Whether other processes are still to be told.
    news: bool,
    /// How often an operator has said that it is not.
    lifts: u64,
}

impl Moving {
    /// Lets a call in, or says after which time to come again. Gives whether it is the one that is let through to see.
    pub(super) fn enter(&mut self, now: Tick) -> Result<bool, Duration> {
        let Some((until, _)) = self.until else {
            return Ok(false);
        };
        let left = until.since(now);
        if !left.is_zero() {
            return Err(left);
        }
        if self.trial {
            return Err(TRIAL);
        }
        self.trial = true;
        Ok(true)
    }

    /// Whether a call that was let in may still go on.
    pub(super) fn still(&self, trial: bool, now: Tick) -> Result<(), Duration> {
        match self.until {
            Some((until, _)) if !trial => Err(until.since(now).max(TRIAL)),
            _ => Ok(()),
        }
    }

    /// A call has ended. Gives whether the portal is found to be moved by that.
    pub(super) fn ended(&mut self, trial: bool, health: Health, now: Now) -> bool {
        let was_known = self.until.is_some();
        if trial {
            self.trial = false;
        }
        match health {
            Health::Moves(wait) => {
                self.hear(wait, now);
                self.news = true;
            }
            // Whatever it has said, it is not that the portal is moved.
            Health::Answers | Health::Fails if trial => self.until = None,
            Health::Answers | Health::Fails | Health::Silent(_) | Health::Unknown => {}
        }
        !was_known && self.until.is_some()
    }

    /// It is moved for so long. Gives whether that was not known.
    pub(super) fn hear(&mut self, wait: Duration, now: Now) -> bool {
        let was_known = self.until.is_some();
        let wait = wait.clamp(SHORTEST, LONGEST);
        let until = (now.tick.plus(wait), now.time.plus(wait));
        self.until = self.until.max(Some(until));
        !was_known
    }

    /// The same as another process has told it. Gives whether there is something new for those who wait.
    pub(super) fn hear_told(&mut self, told: Told, now: Now) -> bool {
        let is_lifted = told.lifts > self.lifts;
        if is_lifted {
            self.lifts = told.lifts;
            self.lift(now);
        }
        let left = told.until.since(now.time);
        let is_news = !left.is_zero() && self.hear(left, now);
        is_lifted || is_news
    }

    /// An operator has said that it is not moved: the next call is let through to see.
    pub(super) fn lift(&mut self, now: Now) {
        self.until = self.until.map(|_| (now.tick, now.time));
        self.news = false;
    }

    /// What other processes are to be told.
    pub(super) fn news(&self) -> Option<Told> {
        let until = self.until().filter(|_| self.news)?;
        Some(Told {
            until,
            lifts: self.lifts,
        })
    }

    /// They were told that it is until then.
    pub(super) fn told(&mut self, until: Timestamp) {
        self.news &= self.until() != Some(until);
    }

    /// Until when calls are refused, if they are.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.until.map(|(_, time)| time)
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn now(clock: &MockClock) -> Now {
        Now {
            tick: clock.tick(),
            time: clock.now(),
        }
    }

    fn moved(clock: &MockClock, wait: Duration) -> Moving {
        let mut moving = Moving::default();
        assert!(moving.ended(false, Health::Moves(wait), now(clock)));
        moving
    }

    #[test]
    fn one_call_after_the_time_that_hubspot_has_told_finds_out_whether_it_is_over() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let mut moving = moved(&clock, 3 * HOUR);
        assert_eq!(moving.enter(clock.tick()), Err(3 * HOUR));
        assert!(
            moving.still(false, clock.tick()).is_err(),
            "who waits is told too"
        );
        clock.advance(3 * HOUR);
        assert_eq!(moving.enter(clock.tick()), Ok(true));
        assert_eq!(moving.enter(clock.tick()), Err(TRIAL), "and no other");
        assert!(!moving.ended(true, Health::Moves(HOUR), now(&clock)), "no news");
        assert_eq!(moving.enter(clock.tick()), Err(HOUR));
        clock.advance(HOUR);
        assert_eq!(moving.enter(clock.tick()), Ok(true));
        moving.ended(true, Health::Unknown, now(&clock));
        assert_eq!(moving.enter(clock.tick()), Ok(true), "the next has the trial");
        moving.ended(true, Health::Answers, now(&clock));
        assert_eq!(moving.enter(clock.tick()), Ok(false));
        assert_eq!(moving.until(), None);
    }

    #[test]
    fn no_word_of_hubspots_lasts_longer_than_a_day_nor_less_than_a_second() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        assert_eq!(moved(&clock, 30 * HOUR).enter(clock.tick()), Err(24 * HOUR));
        let mut short = moved(&clock, Duration::ZERO);
        assert_eq!(short.enter(clock.tick()), Err(SHORTEST));
        // Of several that were under way the one counts that asks for most.
        short.ended(false, Health::Moves(HOUR), now(&clock));
        short.ended(false, Health::Moves(SHORTEST), now(&clock));
        assert_eq!(short.enter(clock.tick()), Err(HOUR));
    }

    #[test]
    fn what_was_heard_here_is_told_once_and_what_others_have_heard_is_not() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let mut moving = moved(&clock, HOUR);
        let first = moving.news().expect("it is news");
        moving.ended(false, Health::Moves(2 * HOUR), now(&clock));
        moving.told(first.until);
        let later = moving.news().expect("it is later than was told");
        moving.told(later.until);
        assert_eq!(moving.news(), None);
        assert!(!moving.hear(3 * HOUR, now(&clock)), "it was known");
        assert_eq!(moving.news(), None);
    }

    #[test]
    fn where_an_operator_says_that_hubspot_is_wrong_the_next_call_finds_out_and_what_was_heard_before_is_not_told()
     {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let lifted = Told {
            until: Timestamp::from_micros(0),
            lifts: 1,
        };
        let mut moving = moved(&clock, 24 * HOUR);
        assert!(moving.hear_told(lifted, now(&clock)));
        assert_eq!(moving.news(), None, "it counts no more");
        assert_eq!(moving.enter(clock.tick()), Ok(true));
        assert_eq!(moving.enter(clock.tick()), Err(TRIAL), "and no other");
        moving.ended(true, Health::Answers, now(&clock));
        assert_eq!(moving.enter(clock.tick()), Ok(false));

        // HubSpot says it again: then it is so, for everybody.
        moving.ended(false, Health::Moves(HOUR), now(&clock));
        assert!(!moving.hear_told(lifted, now(&clock)), "that was before");
        assert_eq!(moving.news().expect("told").lifts, 1);
        assert_eq!(moving.enter(clock.tick()), Err(HOUR));
        let again = Told {
            until: now(&clock).time.plus(2 * HOUR),
            lifts: 1,
        };
        moving.hear_told(again, now(&clock));
        assert_eq!(moving.enter(clock.tick()), Err(2 * HOUR));
    }

    #[test]
    fn what_was_under_way_when_it_was_heard_ends_nothing() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let mut moving = moved(&clock, HOUR);
        for health in [Health::Answers, Health::Fails, Health::Unknown] {
            moving.ended(false, health, now(&clock));
            assert_eq!(moving.enter(clock.tick()), Err(HOUR), "{health:?}");
        }
    }
}
