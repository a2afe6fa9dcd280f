use hubkeep_core::{
    clock::{Clock as _, MockClock},
    random::SystemRandom,
};

use super::*;

fn now(clock: &MockClock) -> Now {
    Now {
        tick: clock.tick(),
        time: clock.now(),
    }
}

fn clock() -> std::sync::Arc<MockClock> {
    MockClock::at(Timestamp::from_micros(1))
}

/// Another call about these records.
fn about(records: &[u32]) -> About {
    let call = CallId::make(&*clock(), &*SystemRandom::shared()).expect("made");
    About::new(call, records)
}

fn fails(breaker: &mut Breaker, records: &[u32], clock: &MockClock) -> bool {
    breaker.ended(false, &about(records), Health::Fails, now(clock))
}

fn answers(breaker: &mut Breaker, records: &[u32], clock: &MockClock) {
    breaker.ended(false, &about(records), Health::Answers, now(clock));
}

/// Six different requests have failed on end.
fn broken(clock: &MockClock) -> Breaker {
    let mut breaker = Breaker::default();
    for nth in 1..=6 {
        assert_eq!(fails(&mut breaker, &[nth], clock), nth == 6);
    }
    breaker
}

fn enter(breaker: &mut Breaker, record: u32, clock: &MockClock) -> Result<bool, Duration> {
    breaker.enter(&about(&[record]), clock.tick())
}

#[test]
fn six_failures_on_end_break_it_off_and_one_call_after_the_pause_heals_it() {
    let clock = clock();
    let mut breaker = broken(&clock);
    assert!(breaker.broken_until().is_some());
    assert_eq!(enter(&mut breaker, 99, &clock), Err(FIRST_PAUSE));
    assert!(
        breaker.still(false, &about(&[99]), clock.tick()).is_err(),
        "who waits is told too"
    );
    clock.advance(FIRST_PAUSE);
    assert_eq!(enter(&mut breaker, 99, &clock), Ok(true), "one is let through");
    assert!(breaker.still(true, &about(&[99]), clock.tick()).is_ok());
    assert_eq!(enter(&mut breaker, 98, &clock), Err(TRIAL), "and no other");
    breaker.ended(true, &about(&[99]), Health::Answers, now(&clock));
    assert_eq!(enter(&mut breaker, 98, &clock), Ok(false));
    assert_eq!(breaker.broken_until(), None);
}

#[test]
fn each_trial_that_fails_makes_the_pause_twice_as_long_up_to_a_minute() {
    let clock = clock();
    let mut breaker = broken(&clock);
    for (nth, pause) in (100..).zip([5, 10, 20, 40, 60, 60]) {
        assert_eq!(enter(&mut breaker, nth, &clock), Err(Duration::from_secs(pause)));
        clock.advance(Duration::from_secs(pause));
        assert_eq!(enter(&mut breaker, nth, &clock), Ok(true));
        breaker.ended(true, &about(&[nth]), Health::Fails, now(&clock));
    }
}

#[test]
fn a_trial_that_says_nothing_leaves_the_next_one_to_somebody_else() {
    let clock = clock();
    let mut breaker = broken(&clock);
    clock.advance(FIRST_PAUSE);
    assert_eq!(enter(&mut breaker, 99, &clock), Ok(true));
    breaker.ended(true, &about(&[99]), Health::Unknown, now(&clock));
    assert_eq!(enter(&mut breaker, 98, &clock), Ok(true));
}

#[test]
fn a_call_in_four_that_fails_is_no_reason() {
    let clock = clock();
    let mut breaker = Breaker::default();
    for nth in 0..100 {
        assert!(!fails(&mut breaker, &[nth], &clock));
        for other in 1_000..1_003 {
            answers(&mut breaker, &[other], &clock);
        }
    }
    assert_eq!(enter(&mut breaker, 1, &clock), Ok(false));
}

#[test]
fn a_record_that_always_fails_shuts_nobody_out_while_others_are_answered() {
    let clock = clock();
    let mut breaker = Breaker::default();
    for round in 0..1_000 {
        assert!(!fails(&mut breaker, &[1], &clock), "in round {round}");
        // However rarely.
        if round % 20 == 0 {
            answers(&mut breaker, &[2], &clock);
        }
        clock.advance(Duration::from_secs(1));
    }
    for record in [1, 2, 3] {
        assert_eq!(enter(&mut breaker, record, &clock), Ok(false));
    }
}

#[test]
fn batches_with_a_record_in_common_are_one_and_the_same_failure() {
    let clock = clock();
    let mut breaker = Breaker::default();
    answers(&mut breaker, &[500], &clock);
    for other in 100..200 {
        assert!(!fails(&mut breaker, &[other, 1], &clock));
    }
    assert_eq!(enter(&mut breaker, 7, &clock), Ok(false));
}

#[test]
fn the_attempts_of_one_call_are_one_failure() {
    let clock = clock();
    let mut breaker = Breaker::default();
    for nth in 1..=5 {
        let call = about(&[nth]);
        for _ in 0..3 {
            assert!(!breaker.ended(false, &call, Health::Fails, now(&clock)));
        }
    }
    let sixth = about(&[6]);
    assert!(breaker.ended(false, &sixth, Health::Fails, now(&clock)));
}

#[test]
fn where_nothing_else_is_asked_what_fails_is_left_alone_by_itself_and_the_first_other_request_heals_it() {
    let clock = clock();
    let mut breaker = Breaker::default();
    for nth in 1..=6 {
        assert_eq!(fails(&mut breaker, &[1], &clock), nth == 6);
    }
    assert_eq!(enter(&mut breaker, 1, &clock), Err(FIRST_PAUSE));
    assert_eq!(breaker.broken_until(), None, "others are served");
    assert_eq!(enter(&mut breaker, 2, &clock), Ok(false));
    assert!(breaker.still(false, &about(&[2]), clock.tick()).is_ok());
    answers(&mut breaker, &[2], &clock);
    assert_eq!(enter(&mut breaker, 1, &clock), Ok(false));
    // And now it is known that it is that record.
    for _ in 0..100 {
        assert!(!fails(&mut breaker, &[1], &clock));
    }
}

#[test]
fn where_the_others_fail_too_it_is_broken_off_for_all() {
    let clock = clock();
    let mut breaker = Breaker::default();
    for _ in 0..6 {
        fails(&mut breaker, &[1], &clock);
    }
    for nth in 2..=6 {
        assert_eq!(enter(&mut breaker, nth, &clock), Ok(false));
        assert_eq!(fails(&mut breaker, &[nth], &clock), nth == 6);
    }
    assert!(breaker.broken_until().is_some());
    assert!(enter(&mut breaker, 99, &clock).is_err());
}

#[test]
fn what_a_trial_has_failed_with_is_not_tried_again_before_others_had_their_turn() {
    let clock = clock();
    let mut breaker = broken(&clock);
    clock.advance(FIRST_PAUSE);
    assert_eq!(enter(&mut breaker, 1, &clock), Ok(true));
    breaker.ended(true, &about(&[1]), Health::Fails, now(&clock));
    let pause = FIRST_PAUSE * 2;
    clock.advance(pause);
    assert_eq!(enter(&mut breaker, 1, &clock), Err(pause), "it has just failed");
    // Where nobody else comes it has its turn, and is no reason for a longer pause.
    clock.advance(pause);
    assert_eq!(enter(&mut breaker, 1, &clock), Ok(true));
    breaker.ended(true, &about(&[1]), Health::Fails, now(&clock));
    assert_eq!(enter(&mut breaker, 99, &clock), Err(pause));
    clock.advance(pause);
    assert_eq!(enter(&mut breaker, 99, &clock), Ok(true), "somebody else");
    breaker.ended(true, &about(&[99]), Health::Answers, now(&clock));
    assert_eq!(enter(&mut breaker, 1, &clock), Ok(false));
}

#[test]
fn an_account_that_is_moved_answers() {
    let clock = clock();
    let mut breaker = broken(&clock);
    clock.advance(FIRST_PAUSE);
    assert_eq!(enter(&mut breaker, 9, &clock), Ok(true));
    breaker.ended(true, &about(&[9]), Health::Moves(FIRST_PAUSE), now(&clock));
    assert_eq!(enter(&mut breaker, 9, &clock), Ok(false));
}
