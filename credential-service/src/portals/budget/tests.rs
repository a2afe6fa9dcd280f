use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

use super::*;

fn token(name: &str) -> TokenFingerprint {
    TokenFingerprint::from_stored(name.to_owned())
}

#[tokio::test]
async fn the_fifth_call_waits_until_the_first_has_left_hubspots_window_and_other_tokens_do_not_wait() {
    let clock = MockClock::at(Timestamp::from_micros(0));
    let budget = Budget::new(clock.clone(), None);
    let far = clock.tick().plus(Duration::from_secs(60));
    for _ in 0..CALLS {
        budget.take(&token("a"), None, far).await.expect("free");
        clock.advance(Duration::from_secs(1));
    }
    budget
        .take(&token("b"), None, far)
        .await
        .expect("a token of its own");
    let fifth = tokio::spawn({
        let budget = budget.clone();
        async move { budget.take(&token("a"), None, far).await }
    });
    clock.advance(Duration::from_millis(6_099));
    tokio::task::yield_now().await;
    assert!(!fifth.is_finished());
    clock.advance(Duration::from_millis(1));
    fifth
        .await
        .expect("ran")
        .expect("the first does not count any more");
}

#[tokio::test]
async fn where_lent_places_still_count_the_other_calls_wait_until_they_count_no_more() {
    let portal = PortalId::new(7).expect("not zero");
    for (remaining, wait) in [
        (Some(50), 0),
        (Some(49), 2_000),
        (Some(3), 2_000),
        (Some(2), 12_100),
        (None, 0),
    ] {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let budget = Budget::new(clock.clone(), None);
        let start = clock.tick();
        let far = start.plus(Duration::from_secs(60));
        let place = || {
            let place = budget.reserve(&token("a"), Some(portal), far).expect("free");
            place.since(start).as_millis()
        };
        budget.learn(&token("a"), portal, Some(1));
        let told = Told {
            began: start,
            heard: start,
        };
        budget.spent().told.insert(portal, told);
        assert_eq!(place(), 0);
        let limits = Limits {
            remaining,
            ..Limits::default()
        };
        budget.left(&token("a"), &limits);
        assert_eq!(
            [place(), place()],
            [wait; 2],
            "{remaining:?} left beside one of ours"
        );
    }
}

#[tokio::test]
async fn what_is_read_of_one_app_holds_up_no_calls_of_another_and_is_not_forgotten_for_them() {
    let portal = PortalId::new(7).expect("not zero");
    let clock = MockClock::at(Timestamp::from_micros(0));
    let budget = Budget::new(clock.clone(), None);
    let start = clock.tick();
    let far = start.plus(Duration::from_secs(60));
    let told = Told {
        began: start,
        heard: start,
    };
    budget.spent().told.insert(portal, told);
    for (app, left) in [("full", 0), ("free", 90)] {
        budget.learn(&token(app), portal, Some(left + 1));
        let limits = Limits {
            remaining: u32::try_from(left).ok(),
            ..Limits::default()
        };
        budget.left(&token(app), &limits);
    }
    for (app, wait) in [("free", 0), ("full", 12_100)] {
        let place = budget.reserve(&token(app), Some(portal), far).expect("in time");
        assert_eq!(place.since(start).as_millis(), wait, "{app}");
    }
}

#[tokio::test]
async fn a_caller_who_cannot_wait_so_long_is_told_at_once() {
    let clock = MockClock::at(Timestamp::from_micros(0));
    let budget = Budget::new(clock.clone(), None);
    let soon = clock.tick().plus(Duration::from_secs(2));
    for _ in 0..CALLS {
        budget.take(&token("a"), None, soon).await.expect("free");
    }
    let refused = budget.take(&token("a"), None, soon).await;
    assert!(matches!(refused, Err(Error::BudgetExhausted { wait }) if wait == WINDOW));
}

#[tokio::test]
async fn the_tokens_of_one_app_share_a_window_whatever_is_known_of_them_and_another_apps_do_not_wait() {
    let portal = PortalId::new(7).expect("not zero");
    for known in [false, true] {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let budget = Budget::new(clock.clone(), None);
        let soon = clock.tick().plus(Duration::from_secs(2));
        let together = if known { CALLS } else { CALLS_OF_UNKNOWN };
        for nth in 0..=together {
            let token = token(&nth.to_string());
            if known {
                budget.learn(&token, portal, Some(1));
            }
            let taken = budget.take(&token, Some(portal), soon).await;
            assert_eq!(taken.is_ok(), nth < together, "{nth}");
        }
        budget.learn(&token("other"), portal, Some(2));
        budget
            .take(&token("other"), Some(portal), soon)
            .await
            .expect("another app");
    }
}

#[tokio::test]
async fn who_asks_first_is_served_first() {
    let clock = MockClock::at(Timestamp::from_micros(0));
    let budget = Budget::new(clock.clone(), None);
    let far = clock.tick().plus(Duration::from_secs(60));
    let places: Vec<Tick> = (0..9)
        .map(|_| {
            budget
                .reserve(&token("a"), None, far)
                .expect("before the deadline")
        })
        .collect();
    let start = clock.tick();
    let waits: Vec<u32> = places
        .iter()
        .map(|place| {
            let wait = place.since(start).as_micros();
            u32::try_from(wait / WINDOW.as_micros()).expect("few")
        })
        .collect();
    assert_eq!(waits, [0, 0, 0, 0, 1, 1, 1, 1, 2]);
}
