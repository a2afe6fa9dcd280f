use std::sync::Arc;

use hubkeep_core::{
    clock::{Clock as _, MockClock},
    id::CallId,
    random::SystemRandom,
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
/// The time of a caller in a hurry.
const SHORT: Duration = Duration::from_millis(800);

struct Stage {
    haste: Haste,
    clock: Arc<MockClock>,
}

impl Stage {
    fn new() -> Self {
        Self {
            haste: Haste::default(),
            clock: MockClock::at(Timestamp::from_micros(1)),
        }
    }

    fn call(&self, thing: &str) -> About {
        let call = CallId::make(&*self.clock, &*SystemRandom::shared()).expect("made");
        About::new(call, [thing])
    }

    fn now(&self) -> Now {
        Now {
            tick: self.clock.tick(),
            time: self.clock.now(),
        }
    }

    fn enter(&mut self, thing: &str, left: Duration) -> Result<bool, Duration> {
        let (about, now) = (self.call(thing), self.clock.tick());
        self.haste.enter(&about, left, now)
    }

    /// A call about this has waited so long, and was not answered.
    fn in_vain(&mut self, thing: &str, waited: Duration) -> bool {
        self.clock.advance(waited);
        let (about, now) = (self.call(thing), self.now());
        self.haste.ended(false, &about, Health::Silent(waited), now)
    }

    fn ends(&mut self, trial: bool, health: Health) {
        let (about, now) = (self.call("it"), self.now());
        self.haste.ended(trial, &about, health, now);
    }

    /// Six waits for different things, none of them answered.
    fn shut() -> Self {
        let mut stage = Self::new();
        let shut = ["a", "b", "c", "d", "e", "f"].map(|thing| stage.in_vain(thing, SHORT));
        assert_eq!(shut, [false, false, false, false, false, true]);
        stage
    }
}

#[test]
fn callers_with_short_deadlines_hear_at_once_of_a_portal_that_answers_nobody() {
    let mut stage = Stage::shut();
    assert_eq!(stage.enter("other", SHORT), Err(FIRST_PAUSE));
    assert_eq!(stage.enter("other", SHORT / 2), Err(FIRST_PAUSE));
    assert!(stage.haste.shut_until().is_some());
    stage.clock.advance(FIRST_PAUSE);
    assert_eq!(stage.enter("other", SHORT), Ok(true), "one sees");
    assert_eq!(stage.enter("another", SHORT), Err(TRIAL), "and no other");
    stage.ends(true, Health::Silent(SHORT));
    assert_eq!(stage.enter("other", SHORT), Err(2 * FIRST_PAUSE));
    stage.clock.advance(2 * FIRST_PAUSE);
    assert_eq!(stage.enter("other", SHORT), Ok(true));
    stage.ends(true, Health::Unknown);
    assert_eq!(stage.enter("other", SHORT), Ok(true), "the next one sees");
    stage.ends(true, Health::Answers);
    assert_eq!(stage.enter("other", SHORT), Ok(false));
    assert_eq!(stage.haste.shut_until(), None);
}

#[test]
fn an_impatient_caller_shuts_out_nobody_who_would_have_waited_longer() {
    let mut stage = Stage::shut();
    for left in [SHORT * 3 / 2, 2 * SECOND, 30 * SECOND] {
        assert_eq!(stage.enter("other", left), Ok(false), "{left:?}");
    }
    // Whom HubSpot answers, it answers: for everybody from then on.
    stage.ends(false, Health::Answers);
    assert_eq!(stage.enter("other", SHORT), Ok(false));
}

#[test]
fn one_answer_to_anybody_in_between_and_nothing_was_waited_in_a_row() {
    let mut stage = Stage::new();
    for thing in ["a", "b", "c", "d", "e"] {
        stage.in_vain(thing, SHORT);
    }
    stage.ends(false, Health::Answers);
    for thing in ["f", "g", "h", "i", "j"] {
        assert!(!stage.in_vain(thing, SHORT));
    }
    assert_eq!(stage.enter("other", SHORT), Ok(false));
}

#[test]
fn one_record_for_which_hubspot_is_silent_shuts_out_whoever_asks_for_it_and_nobody_else() {
    let mut stage = Stage::new();
    let shut = [(); 6].map(|()| stage.in_vain("a", SHORT));
    assert_eq!(shut.map(usize::from).iter().sum::<usize>(), 1);
    assert!(stage.enter("a", SHORT).is_err());
    assert_eq!(stage.enter("other", SHORT), Ok(false));
}

#[test]
fn attempts_of_one_call_are_one_witness_and_what_was_long_ago_is_forgotten() {
    let mut stage = Stage::new();
    let (about, now) = (stage.call("a"), stage.now());
    for _ in 0..9 {
        assert!(!stage.haste.ended(false, &about, Health::Silent(SHORT), now));
    }
    assert_eq!(stage.enter("a", SHORT), Ok(false));
    let mut stage = Stage::shut();
    stage.clock.advance(REMEMBERED_FOR);
    assert_eq!(stage.enter("other", SHORT), Ok(false));
    assert_eq!(stage.haste.shut_until(), None);
}
