//! Several apps of one portal.

use super::*;

/// Pays with the token of this app.
async fn pay_with(
    app: Option<&str>,
    quota: &PortalQuota,
    bucket: Bucket,
    deadline: Tick,
) -> Result<Slot, Error> {
    let caller = "sync".parse().expect("valid");
    let about = something();
    let app = app.map(|name| name.parse().expect("valid"));
    let payer = Payer {
        caller: &caller,
        app: app.as_ref(),
        kind: Kind::Private,
        is_person: false,
        is_batch: false,
        about: &about,
    };
    quota.pay(payer, bucket, deadline).await
}

/// Pays so, is sent, and is answered by these headers.
async fn call_with(
    app: Option<&str>,
    clock: &MockClock,
    quota: &PortalQuota,
    limits: &Limits,
) -> Result<(), Error> {
    let slot = pay_with(app, quota, Bucket::Burst, clock.tick()).await?;
    slot.sent(clock.tick());
    slot.learn(limits);
    Ok(())
}

/// What HubSpot says of an app's limit.
fn most(max: u32) -> Limits {
    Limits {
        max: Some(max),
        ..Limits::default()
    }
}

const APPS: [Option<&str>; 2] = [None, Some("second")];

#[tokio::test]
async fn each_app_has_a_burst_of_its_own_and_what_is_heard_of_one_is_believed_of_no_other() {
    let (clock, quota) = quota();
    for (app, max, fit) in [(APPS[0], 190, 186), (APPS[1], 100, 96)] {
        let mut made = 0;
        while call_with(app, &clock, &quota, &most(max)).await.is_ok() {
            made += 1;
        }
        assert_eq!(made, fit, "{app:?}");
    }
    let state = quota.state();
    let told: Vec<_> = state
        .bursts
        .iter()
        .map(|(app, burst)| (app.name(), burst.limit, burst.left))
        .collect();
    assert_eq!(told, [("", Some(190), Some(0)), ("second", Some(100), Some(0))]);
    assert_eq!((state.burst.limit, state.burst.used), (Some(290), Some(282)));
    // What is refused to one is not refused to the other.
    clock.advance(10 * SECOND);
    let slot = pay_with(APPS[1], &quota, Bucket::Burst, clock.tick()).await;
    slot.expect("room").refused(Bucket::Burst, Some(20 * SECOND));
    call_with(APPS[1], &clock, &quota, &most(100))
        .await
        .expect_err("it is to wait");
    call_with(APPS[0], &clock, &quota, &most(190))
        .await
        .expect("room");
}

#[tokio::test]
async fn searches_associations_and_the_day_are_the_portals_whatever_app_calls() {
    let (clock, quota) = quota();
    for (bucket, most) in [(Bucket::Search, 5), (Bucket::Associations, 100)] {
        let mut made = 0;
        while let Ok(slot) = pay_with(APPS[made % 2], &quota, bucket, clock.tick()).await {
            slot.sent(clock.tick());
            slot.learn(&Limits::default());
            // The first answer to each kind of call is heard.
            quota.with(|budget| budget.paced(&limit::Limit::Associations).has_heard());
            made += 1;
        }
        assert_eq!(made, most, "{bucket:?}");
    }
    hear(&quota, &left_today(52));
    for app in APPS {
        call_with(app, &clock, &quota, &Limits::default())
            .await
            .expect("two are left");
    }
    let refused = call_with(APPS[0], &clock, &quota, &Limits::default()).await;
    assert_eq!(lack(&refused.expect_err("used up")).0, Bucket::Daily);
}

#[tokio::test]
async fn who_waits_for_one_app_holds_up_no_call_of_another_and_is_served_before_who_comes_later() {
    let (clock, quota) = quota();
    while call_with(APPS[1], &clock, &quota, &most(100)).await.is_ok() {}
    let wait = |app: Option<&'static str>| {
        let (quota, clock) = (quota.clone(), clock.clone());
        tokio::spawn(async move {
            let deadline = clock.tick().plus(MINUTE);
            let slot = pay_with(app, &quota, Bucket::Burst, deadline).await;
            slot.expect("in time").sent(clock.tick());
        })
    };
    let waiting: Vec<_> = (0..200).map(|_| wait(APPS[1])).collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    for _ in 0..96 {
        call_with(APPS[0], &clock, &quota, &most(100))
            .await
            .expect("nobody waits for this app");
    }
    let state = quota.state();
    let waiting_for = |nth: usize| state.bursts.get(nth).map(|(_, burst)| burst.waiting);
    assert_eq!((waiting_for(0), waiting_for(1)), (Some(0), Some(200)));
    clock.advance(10 * SECOND);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let served = waiting.iter().filter(|call| call.is_finished()).count();
    assert_eq!(served, 96, "all of the app's places are theirs");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn where_associations_count_in_the_burst_they_count_in_that_of_their_app() {
    let (clock, quota) = quota_by(Config {
        associations_in_burst: true,
        ..Config::default()
    });
    while call_with(APPS[1], &clock, &quota, &most(100)).await.is_ok() {}
    let refused = pay_with(APPS[1], &quota, Bucket::Associations, clock.tick()).await;
    assert_eq!(lack(&refused.expect_err("its burst is used up")).0, Bucket::Burst);
    drop(
        pay_with(APPS[0], &quota, Bucket::Associations, clock.tick())
            .await
            .expect("this one's is not"),
    );
    let state = quota.state();
    assert_eq!(
        (state.associations.used, state.burst.used),
        (Some(0), Some(96)),
        "what was not sent is given back"
    );
}

#[tokio::test]
async fn what_others_use_of_two_apps_is_told_in_one_sum() {
    let (clock, quota) = quota();
    for app in APPS {
        call_with(app, &clock, &quota, &most(100)).await.expect("room");
    }
    clock.advance(20 * SECOND);
    for app in APPS {
        let left = Limits {
            remaining: Some(100 - 20 - 1),
            ..most(100)
        };
        call_with(app, &clock, &quota, &left).await.expect("room");
    }
    // Four of each may be credential-service's.
    assert_eq!(quota.state().unaccounted.map(|seen| seen.calls), Some(32));
}
