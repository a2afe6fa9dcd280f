use hubkeep_core::{
    clock::{Clock as _, MockClock, Timestamp},
    error::{ErrorReason, ServiceError as _},
};

use super::*;

fn portal() -> PortalId {
    PortalId::new(42).expect("not zero")
}

fn quota() -> (Arc<MockClock>, Quota) {
    let clock = MockClock::at(Timestamp::from_micros(0));
    (clock.clone(), Quota::new(clock))
}

async fn pay_now(clock: &MockClock, quota: &Quota, bucket: Bucket) -> Result<(), Error> {
    quota.pay(portal(), bucket, clock.tick()).await
}

#[tokio::test]
async fn five_calls_of_a_hundred_are_left_to_credential_service() {
    let (clock, quota) = quota();
    for call in 0..95 {
        pay_now(&clock, &quota, Bucket::Burst)
            .await
            .unwrap_or_else(|_| panic!("call {call} has room"));
    }
    let refused = pay_now(&clock, &quota, Bucket::Burst).await.expect_err("no room");
    assert_eq!(refused.reason(), ErrorReason::BudgetExhausted);
    clock.advance(refused.retry_after);
    pay_now(&clock, &quota, Bucket::Burst)
        .await
        .expect("the window has moved on");
}

#[tokio::test]
async fn no_stretch_of_an_interval_holds_more_than_the_limit() {
    let (clock, quota) = quota();
    let mut paid = Vec::new();
    for _ in 0..3_000 {
        if pay_now(&clock, &quota, Bucket::Burst).await.is_ok() {
            paid.push(clock.tick());
        }
        clock.advance(Duration::from_millis(37));
    }
    for (place, begin) in paid.iter().enumerate() {
        let inside = paid[place..]
            .iter()
            .take_while(|call| call.since(*begin) < Duration::from_secs(10))
            .count();
        assert!(inside <= 95, "{inside} calls within 10 s");
    }
}

#[tokio::test]
async fn a_search_pays_in_both_buckets() {
    let (clock, quota) = quota();
    for _ in 0..5 {
        pay_now(&clock, &quota, Bucket::Search).await.expect("room");
    }
    assert_eq!(
        pay_now(&clock, &quota, Bucket::Search)
            .await
            .expect_err("5 a second")
            .bucket,
        Bucket::Search
    );
    pay_now(&clock, &quota, Bucket::Burst)
        .await
        .expect("other calls still have room");
}

#[tokio::test]
async fn what_hubspot_says_of_its_limit_is_taken_up() {
    let (clock, quota) = quota();
    quota.learn(
        portal(),
        &Limits {
            max: Some(190),
            ..Limits::default()
        },
    );
    for _ in 0..185 {
        pay_now(&clock, &quota, Bucket::Burst).await.expect("room");
    }
    pay_now(&clock, &quota, Bucket::Burst)
        .await
        .expect_err("190 less 5");
}

#[tokio::test]
async fn a_pause_stops_one_portal_and_no_other() {
    let (clock, quota) = quota();
    quota.pause(portal(), Duration::from_secs(10));
    let refused = pay_now(&clock, &quota, Bucket::Burst).await.expect_err("paused");
    assert_eq!(refused.retry_after, Duration::from_secs(10));
    let other = PortalId::new(7).expect("not zero");
    quota
        .pay(other, Bucket::Burst, clock.tick())
        .await
        .expect("another portal");
}

#[tokio::test]
async fn a_call_waits_for_room_inside_its_deadline() {
    let (clock, quota) = quota();
    quota.pause(portal(), Duration::from_secs(2));
    let waiting = tokio::spawn({
        let (quota, deadline) = (quota.clone(), clock.tick().plus(Duration::from_secs(30)));
        async move { quota.pay(portal(), Bucket::Burst, deadline).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    clock.advance(Duration::from_secs(2));
    waiting.await.expect("no panic").expect("room");
}
