//! What others use of the same limit, of which HubSpot's answers tell.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::*;

/// An answer's headers: so many of 100 are left.
fn left(remaining: u32) -> Limits {
    Limits {
        max: Some(100),
        remaining: Some(remaining),
        ..Limits::default()
    }
}

/// A replica that has half of the places, and a lease that does not end.
fn with_half() -> (Arc<MockClock>, PortalQuota) {
    let clock = MockClock::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT));
    let lease = Arc::<Lease>::default();
    lease.renewed(clock.tick().plus(60 * MINUTE));
    let mut all = Quota::new(Config::default(), clock.clone());
    all.sharing = Some(Sharing {
        lease,
        wanted: Arc::default(),
    });
    let quota = all.of(&proven(42), "Asia/Kolkata");
    quota.with(|budget| budget.paced(&burst()).window.resize(48, 48));
    (clock, quota)
}

async fn paid(clock: &MockClock, quota: &PortalQuota) -> Slot {
    let slot = pay(quota, Bucket::Burst, clock.tick()).await.expect("room");
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
async fn a_process_that_has_just_started_sends_one_call_until_it_has_heard_what_is_left() {
    let (clock, quota) = quota();
    let sent = paid(&clock, &quota).await;
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("not yet");
    assert!(lack(&refused).1 < SECOND, "it looks again soon");
    // The process before this one has used 60 of the interval, and HubSpot has counted ours.
    sent.learn(&left(100 - 60 - 1));
    drop(sent);
    assert_eq!(calls_that_fit(&clock, &quota).await, 96 - 60 - 1);
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
    let _stuck = paid(&clock, &quota).await;
    call(&clock, &quota, Bucket::Burst).await.expect_err("not yet");
    clock.advance(3 * SECOND);
    assert_eq!(calls_that_fit(&clock, &quota).await, 95);
}

#[tokio::test]
async fn of_replicas_each_keeps_its_part_while_the_others_use_theirs_and_gives_way_beyond() {
    let (clock, quota) = with_half();
    let first = paid(&clock, &quota).await;
    first.learn(&left(100 - 48 - 1));
    drop(first);
    assert_eq!(calls_that_fit(&clock, &quota).await, 47, "48 are the other's");
    clock.advance(20 * SECOND);
    let first = paid(&clock, &quota).await;
    first.learn(&left(100 - 48 - 30 - 1));
    drop(first);
    assert_eq!(
        calls_that_fit(&clock, &quota).await,
        48 - 1 - 15,
        "of 30 that are nobody's part the other gives way to half"
    );
    assert_eq!(quota.state().unaccounted.map(|seen| seen.calls), Some(26));
}

/// Whether credential-service lends its places: said by the test.
fn lent_while(lends: &Arc<AtomicBool>, sharing: Option<Sharing>) -> (Arc<MockClock>, PortalQuota) {
    let clock = MockClock::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT));
    let mut all = Quota::new(Config::default(), clock.clone());
    let lends = lends.clone();
    all.lends = Lends::when(move |portal, _| portal.get() == 42 && lends.load(Relaxed));
    all.sharing = sharing;
    let quota = all.of(&proven(42), "Asia/Kolkata");
    (clock, quota)
}

#[tokio::test]
async fn what_is_kept_for_credential_service_is_used_while_it_is_lent_and_not_a_moment_longer() {
    let lends = Arc::new(AtomicBool::new(true));
    let (clock, quota) = lent_while(&lends, None);
    let first = paid(&clock, &quota).await;
    first.learn(&left(99));
    drop(first);
    assert_eq!(calls_that_fit(&clock, &quota).await, 98);
    clock.advance(10 * SECOND);
    for _ in 0..97 {
        call(&clock, &quota, Bucket::Burst).await.expect("two are left");
    }
    lends.store(false, Relaxed);
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect_err("they are wanted back");
    clock.advance(10 * SECOND);
    assert_eq!(calls_that_fit(&clock, &quota).await, 96);
}

#[tokio::test]
async fn of_replicas_each_gives_up_all_that_was_lent_until_they_have_agreed() {
    let lends = Arc::new(AtomicBool::new(true));
    let lease = Arc::<Lease>::default();
    let sharing = Sharing {
        lease: lease.clone(),
        wanted: Arc::default(),
    };
    let (clock, quota) = lent_while(&lends, Some(sharing));
    lease.renewed(clock.tick().plus(60 * MINUTE));
    quota.with(|budget| {
        let paced = budget.paced(&burst());
        assert_eq!(
            (paced.whole(), paced.lent()),
            (96, 0),
            "the calls that made the portal known still count"
        );
    });
    clock.advance(Duration::from_millis(12_500));
    quota.with(|budget| {
        let paced = budget.paced(&burst());
        assert_eq!((paced.whole(), paced.lent()), (99, 3));
        paced.window.resize(33, 33);
    });
    lends.store(false, Relaxed);
    let most = quota.with(|budget| budget.paced(&burst()).window.most());
    assert_eq!(most, 30);
    lends.store(true, Relaxed);
    let most = quota.with(|budget| budget.paced(&burst()).window.most());
    assert_eq!(most, 30, "more must be shared out first");
}

#[tokio::test]
async fn of_the_last_calls_of_a_day_replicas_leave_each_other_their_part() {
    let lease = Arc::<Lease>::default();
    let sharing = Sharing {
        lease: lease.clone(),
        wanted: Arc::default(),
    };
    let (clock, quota) = lent_while(&Arc::new(AtomicBool::new(false)), Some(sharing));
    lease.renewed(clock.tick().plus(60 * MINUTE));
    quota.with(|budget| budget.paced(&burst()).window.resize(32, 32));
    let first = paid(&clock, &quota).await;
    // 50 of them are a reserve: 60 are left for three replicas.
    first.learn(&Limits {
        daily: Some(250_000),
        daily_remaining: Some(110),
        ..Limits::default()
    });
    drop(first);
    let mut made = 0;
    while call(&clock, &quota, Bucket::Burst).await.is_ok() {
        made += 1;
    }
    assert_eq!(made, 20, "of 60, and nothing was told of others");
    // Nobody is sent away for the day: the shares may be others in a moment.
    let refused = call(&clock, &quota, Bucket::Burst).await.expect_err("not ours");
    assert!(lack(&refused).1 < SECOND, "{refused}");
    quota.with(|budget| budget.paced(&burst()).window.resize(64, 64));
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("40 are ours now");
}

#[tokio::test]
async fn of_associations_no_more_is_believed_than_a_subscription_allows() {
    for (told, calls) in [
        (100, 100),
        (120, 100),
        (150, 150),
        (190, 150),
        (200, 200),
        (250, 200),
    ] {
        let (clock, quota) = quota();
        let first = pay(&quota, Bucket::Associations, clock.tick())
            .await
            .expect("room");
        first.sent(clock.tick());
        // What is left of the app's limit says nothing of theirs.
        let of_the_app = ![100, 150, 200].contains(&told);
        first.learn(&Limits {
            max: Some(told),
            remaining: Some(if of_the_app { 7 } else { told - 1 }),
            interval: Some(10 * SECOND),
            ..Limits::default()
        });
        drop(first);
        let mut made = 1;
        while call(&clock, &quota, Bucket::Associations).await.is_ok() {
            made += 1;
        }
        assert_eq!(made, calls, "told {told}");
    }
}

#[tokio::test]
async fn our_own_calls_are_never_taken_for_those_of_others() {
    let (clock, quota) = quota();
    let mut hubspot = Vec::new();
    let mut made = 0;
    // HubSpot counts at arrival, in the middle of each call's 60 ms; we hear of it at the end.
    for _ in 0..2_000 {
        if let Ok(slot) = pay(&quota, Bucket::Burst, clock.tick()).await {
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
