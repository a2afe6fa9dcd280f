use std::time::Duration;

use hubkeep_core::{
    clock::{Clock as _, MockClock, Timestamp},
    error::{ErrorReason, ServiceError as _},
    random::SystemRandom,
};
use hubkeep_hubspot::Limits;

use super::*;

mod apps;
mod callers;
mod daily;
mod notes;
mod oauth;
mod others;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// 2026-11-22T17:30:00Z: 23:00 in Kolkata.
const AN_HOUR_BEFORE_MIDNIGHT: i64 = 1_795_368_600_000_000;

fn proven(id: u64) -> ProvenPortal {
    let slug = format!("client-{id}").parse().expect("valid");
    ProvenPortal::by_redeemed_handle(PortalId::new(id).expect("not zero"), slug)
}

fn quota_by(config: Config) -> (Arc<MockClock>, PortalQuota) {
    let clock = MockClock::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT));
    let quota = Quota::new(config, clock.clone());
    (clock, quota.of(&proven(42), "Asia/Kolkata"))
}

fn quota() -> (Arc<MockClock>, PortalQuota) {
    quota_by(Config::default())
}

/// What is like nothing else.
fn something() -> About {
    let clock = MockClock::at(Timestamp::from_micros(1));
    let call = CallId::make(&*clock, &*SystemRandom::shared()).expect("made");
    About::new(call, [call])
}

/// The limit of the app that calls here, where no other is said.
fn burst() -> limit::Limit {
    limit::Limit::Burst(App::default())
}

/// Pays as a program of this name does.
async fn pay_as(caller: &str, quota: &PortalQuota, bucket: Bucket, deadline: Tick) -> Result<Slot, Error> {
    let caller = caller.parse().expect("valid");
    let about = something();
    let payer = Payer {
        caller: &caller,
        app: None,
        kind: Kind::Private,
        is_person: false,
        is_batch: false,
        about: &about,
    };
    quota.pay(payer, bucket, deadline).await
}

async fn pay(quota: &PortalQuota, bucket: Bucket, deadline: Tick) -> Result<Slot, Error> {
    pay_as("sync", quota, bucket, deadline).await
}

/// Pays, is sent and answered at once.
async fn call(clock: &MockClock, quota: &PortalQuota, bucket: Bucket) -> Result<(), Error> {
    let slot = pay(quota, bucket, clock.tick()).await?;
    slot.sent(clock.tick());
    Ok(())
}

/// Answers' headers that came with no call of ours.
fn hear(quota: &PortalQuota, limits: &Limits) {
    quota.learn(Some(&burst()), limits, None);
}

/// An answer has shown what was used before.
fn is_known(quota: &PortalQuota) {
    quota.with(|budget| budget.paced(&burst()).has_heard());
}

/// In which bucket there is no room, and for how long.
fn lack(error: &Error) -> (Bucket, Duration) {
    let Error::NoRoom {
        bucket, retry_after, ..
    } = error
    else {
        panic!("refused for another reason: {error}");
    };
    (*bucket, *retry_after)
}

fn left_today(left: u64) -> Limits {
    Limits {
        daily: Some(10_000),
        daily_remaining: Some(left),
        ..Limits::default()
    }
}

#[tokio::test]
async fn four_calls_of_a_hundred_are_left_to_credential_service() {
    let (clock, quota) = quota();
    for nth in 0..96 {
        call(&clock, &quota, Bucket::Burst)
            .await
            .unwrap_or_else(|_| panic!("call {nth} has room"));
    }
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("no room");
    assert_eq!(refused.reason(), ErrorReason::BudgetExhausted);
    assert_eq!(lack(&refused), (Bucket::Burst, 10 * SECOND));
    clock.advance(lack(&refused).1);
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("the window has moved on");
}

#[tokio::test]
async fn a_call_counts_from_its_arrival_which_is_no_later_than_its_answer() {
    let (clock, quota) = quota();
    hear(
        &quota,
        &Limits {
            max: Some(5),
            ..Limits::default()
        },
    );
    let slot = pay(&quota, Bucket::Burst, clock.tick())
        .await
        .expect("room for one");
    // Its intent is made durable.
    clock.advance(3 * SECOND);
    slot.sent(clock.tick());
    clock.advance(SECOND / 50);
    drop(slot);
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("it counts");
    assert_eq!(
        lack(&refused).1,
        10 * SECOND,
        "from its answer, 20 ms after it was sent"
    );

    clock.advance(lack(&refused).1);
    let slow = pay(&quota, Bucket::Burst, clock.tick())
        .await
        .expect("room again");
    slow.sent(clock.tick());
    clock.advance(4 * SECOND);
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("it counts");
    assert_eq!(
        lack(&refused).1,
        8 * SECOND,
        "however slow the answer is, it arrived within two seconds"
    );
    drop(slow);
}

#[tokio::test]
async fn what_is_paid_and_never_sent_is_given_back() {
    let (clock, quota) = quota();
    hear(&quota, &left_today(1_000));
    for _ in 0..500 {
        drop(pay(&quota, Bucket::Search, clock.tick()).await.expect("room"));
    }
    let state = quota.state();
    assert_eq!((state.burst.used, state.search.used), (Some(0), Some(0)));
    assert_eq!(state.daily.used, Some(9_000));
}

#[tokio::test]
async fn no_stretch_of_an_interval_holds_more_than_the_limit() {
    let (clock, quota) = quota();
    let mut paid = Vec::new();
    for _ in 0..3_000 {
        if call(&clock, &quota, Bucket::Burst).await.is_ok() {
            paid.push(clock.tick());
        }
        clock.advance(Duration::from_millis(37));
    }
    for (place, begin) in paid.iter().enumerate() {
        let inside = paid[place..]
            .iter()
            .take_while(|call| call.since(*begin) < 10 * SECOND)
            .count();
        assert!(inside <= 96, "{inside} calls within 10 s");
    }
    let most = 3_000 * 37 / 10_000 * 96;
    assert!(paid.len() >= most, "{} of {most} were made", paid.len());
}

#[tokio::test]
async fn a_search_pays_in_both_buckets() {
    let (clock, quota) = quota();
    for _ in 0..5 {
        call(&clock, &quota, Bucket::Search).await.expect("room");
    }
    let refused = call(&clock, &quota, Bucket::Search)
        .await
        .expect_err("5 a second");
    assert_eq!(lack(&refused).0, Bucket::Search);
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("other calls still have room");
    assert_eq!(quota.state().burst.used, Some(6));
}

#[tokio::test]
async fn what_hubspot_says_of_its_limit_is_taken_up() {
    let (clock, quota) = quota();
    hear(
        &quota,
        &Limits {
            max: Some(190),
            ..Limits::default()
        },
    );
    for _ in 0..186 {
        call(&clock, &quota, Bucket::Burst).await.expect("room");
    }
    call(&clock, &quota, Bucket::Burst).await.expect_err("190 less 4");
}

#[tokio::test]
async fn a_refusal_stops_what_counts_against_its_limit_and_nothing_else() {
    let (clock, quota) = quota();
    quota.refused(&App::default(), Bucket::Burst.of_policy("SECONDLY"), Some(SECOND));
    let refused = call(&clock, &quota, Bucket::Search).await.expect_err("paused");
    assert_eq!(lack(&refused), (Bucket::Search, SECOND));
    call(&clock, &quota, Bucket::Burst).await.expect("reads go on");

    quota.refused(
        &App::default(),
        Bucket::Burst.of_policy("TEN_SECONDLY_ROLLING"),
        Some(10 * SECOND),
    );
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("paused");
    assert_eq!(lack(&refused), (Bucket::Burst, 10 * SECOND));
    assert_eq!(quota.state().burst.known, Known::Refused);
    clock.advance(10 * SECOND);
    call(&clock, &quota, Bucket::Search).await.expect("both are over");
}

#[tokio::test]
async fn who_waits_is_served_in_the_order_of_arrival() {
    let (clock, quota) = quota();
    quota.refused(&App::default(), Bucket::Burst, Some(2 * SECOND));
    let served = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for number in 0..300 {
        let (quota, served, deadline) = (quota.clone(), served.clone(), clock.tick().plus(MINUTE));
        let clock = clock.clone();
        waiting.push(tokio::spawn(async move {
            let slot = pay(&quota, Bucket::Burst, deadline).await.expect("there is time");
            slot.sent(clock.tick());
            served.lock().expect("no panic").push(number);
        }));
        tokio::task::yield_now().await;
    }
    assert_eq!(quota.state().burst.waiting, 300);
    waiting[100].abort();
    for _ in 0..40 {
        clock.advance(SECOND);
        for _ in 0..700 {
            tokio::task::yield_now().await;
        }
    }
    let served = served.lock().expect("no panic");
    let expected: Vec<i32> = (0..300).filter(|number| *number != 100).collect();
    assert_eq!(served.len(), expected.len());
    // Those of one interval are served at once, and tell of it in any order.
    for (served, expected) in served.chunks(96).zip(expected.chunks(96)) {
        let mut served = served.to_vec();
        served.sort_unstable();
        assert_eq!(served, expected);
    }
}

#[tokio::test]
async fn who_cannot_be_served_in_time_is_told_at_once_and_when() {
    let (clock, quota) = quota();
    for _ in 0..96 {
        call(&clock, &quota, Bucket::Burst).await.expect("room");
    }
    let patient = clock.tick().plus(MINUTE);
    let mut waiting = Vec::new();
    for _ in 0..96 {
        let quota = quota.clone();
        waiting.push(tokio::spawn(async move {
            pay(&quota, Bucket::Burst, patient).await.map(drop)
        }));
        tokio::task::yield_now().await;
    }
    let hasty = clock.tick().plus(15 * SECOND);
    let refused = pay(&quota, Bucket::Burst, hasty)
        .await
        .expect_err("96 stand before it");
    assert_eq!(lack(&refused).1, 20 * SECOND);
    for call in waiting {
        call.abort();
    }
}

#[tokio::test]
async fn searches_that_wait_do_not_hold_up_other_calls() {
    let (clock, quota) = quota();
    for _ in 0..5 {
        call(&clock, &quota, Bucket::Search).await.expect("room");
    }
    let deadline = clock.tick().plus(MINUTE);
    let search = tokio::spawn({
        let quota = quota.clone();
        async move { pay(&quota, Bucket::Search, deadline).await.map(drop) }
    });
    tokio::task::yield_now().await;
    call(&clock, &quota, Bucket::Burst).await.expect("room");
    assert!(!search.is_finished());
    clock.advance(SECOND);
    search.await.expect("no panic").expect("a second has passed");
}

#[tokio::test]
async fn portals_share_nothing_and_are_found_by_name() {
    let clock = MockClock::at(Timestamp::from_micros(0));
    let all = Quota::new(Config::default(), clock.clone());
    let (one, other) = (all.of(&proven(1), "UTC"), all.of(&proven(2), "UTC"));
    one.refused(&App::default(), Bucket::Daily, None);
    call(&clock, &one, Bucket::Burst).await.expect_err("used up");
    call(&clock, &other, Bucket::Burst).await.expect("another portal");
    let found = all
        .find(&"client-2".parse().expect("valid"))
        .expect("called before");
    assert_eq!(found.state().burst.used, Some(1));
    assert!(all.find(&"client-3".parse().expect("valid")).is_none());
}
