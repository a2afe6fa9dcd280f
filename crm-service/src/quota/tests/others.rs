//! What others use of the same limit, of which HubSpot's answers tell.

use super::*;

/// An answer's headers: so many of 100 are left.
fn left(remaining: u32) -> Limits {
    Limits {
        max: Some(100),
        remaining: Some(remaining),
        ..Limits::default()
    }
}

async fn paid(clock: &MockClock, quota: &PortalQuota) -> Slot {
    let slot = quota.pay(Bucket::Burst, clock.tick()).await.expect("room");
    slot.sent(clock.tick());
    slot
}

/// Calls until there is no room; gives how many there were, each answered at once.
async fn calls_that_fit(clock: &MockClock, quota: &PortalQuota) -> usize {
    let mut made = 0;
    while call(clock, quota, Bucket::Burst).await.is_ok() {
        made += 1;
    }
    made
}

#[tokio::test]
async fn a_process_that_has_just_started_sends_a_few_until_it_has_heard_what_is_left() {
    let (clock, quota) = quota();
    let sent = [paid(&clock, &quota).await, paid(&clock, &quota).await];
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("not yet");
    assert!(refused.retry_after < SECOND, "it looks again soon");
    // The process before this one has used 60 of the interval, and HubSpot has counted both of ours.
    sent[1].learn(&left(100 - 60 - 2));
    drop(sent);
    assert_eq!(calls_that_fit(&clock, &quota).await, 96 - 60 - 2);
    clock.advance(10 * SECOND);
    assert_eq!(
        calls_that_fit(&clock, &quota).await,
        96,
        "the others' calls are over"
    );
}

#[tokio::test]
async fn answers_that_do_not_come_hold_the_rest_up_for_a_moment_only() {
    let (clock, quota) = quota();
    let _stuck = [paid(&clock, &quota).await, paid(&clock, &quota).await];
    call(&clock, &quota, Bucket::Burst).await.expect_err("not yet");
    clock.advance(3 * SECOND);
    assert_eq!(calls_that_fit(&clock, &quota).await, 94);
}

#[tokio::test]
async fn of_replicas_each_keeps_its_part_while_the_others_use_theirs_and_gives_way_beyond() {
    let (clock, quota) = shared_by(2);
    let first = paid(&clock, &quota).await;
    first.learn(&left(100 - 48 - 1));
    drop(first);
    assert_eq!(calls_that_fit(&clock, &quota).await, 47, "48 are the other's");
    clock.advance(20 * SECOND);
    let first = paid(&clock, &quota).await;
    first.learn(&left(100 - 48 - 30 - 1));
    drop(first);
    assert_eq!(calls_that_fit(&clock, &quota).await, 17, "30 are nobody's part");
}

#[tokio::test]
async fn our_own_calls_are_never_taken_for_those_of_others() {
    let (clock, quota) = quota();
    let mut hubspot = Vec::new();
    let mut made = 0;
    // HubSpot counts at arrival, in the middle of each call's 60 ms; we hear of it at the end.
    for _ in 0..2_000 {
        if let Ok(slot) = quota.pay(Bucket::Burst, clock.tick()).await {
            slot.sent(clock.tick());
            clock.advance(Duration::from_millis(30));
            let arrived = clock.tick();
            hubspot.retain(|at| arrived.since(*at) < 10 * SECOND);
            hubspot.push(arrived);
            clock.advance(Duration::from_millis(30));
            slot.learn(&left(100 - u32::try_from(hubspot.len()).expect("few")));
            made += 1;
        } else {
            clock.advance(Duration::from_millis(60));
        }
    }
    assert!(made >= 2_000 * 60 / 10_000 * 96 * 95 / 100, "{made} were made");
}

#[tokio::test]
async fn an_answer_that_took_too_long_says_nothing_of_others() {
    let (clock, quota) = quota();
    let slow = paid(&clock, &quota).await;
    clock.advance(6 * SECOND);
    slow.learn(&left(0));
    drop(slow);
    assert_eq!(calls_that_fit(&clock, &quota).await, 95);
}
