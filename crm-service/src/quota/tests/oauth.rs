//! Calls with the token of an OAuth app: HubSpot counts them in no day, and their searches in no burst.

use super::*;

/// The app of a portal's second credential, which is by OAuth.
const CONNECTED: &str = "connected";

async fn pay_by(kind: Kind, quota: &PortalQuota, bucket: Bucket, deadline: Tick) -> Result<Slot, Error> {
    let (caller, app, about) = (
        "sync".parse().expect("valid"),
        CONNECTED.parse().expect("valid"),
        something(),
    );
    let payer = Payer {
        caller: &caller,
        app: (kind == Kind::OAuth).then_some(&app),
        kind,
        is_person: false,
        is_batch: false,
        about: &about,
    };
    quota.pay(payer, bucket, deadline).await
}

/// Pays by OAuth, is sent and answered at once.
async fn call_by_oauth(clock: &MockClock, quota: &PortalQuota, bucket: Bucket) -> Result<(), Error> {
    let slot = pay_by(Kind::OAuth, quota, bucket, clock.tick()).await?;
    slot.sent(clock.tick());
    Ok(())
}

#[tokio::test]
async fn a_day_that_private_apps_have_used_up_refuses_no_call_by_oauth_and_counts_none() {
    for bucket in [Bucket::Burst, Bucket::Search, Bucket::Associations] {
        let (clock, quota) = quota();
        hear(&quota, &left_today(50));
        call(&clock, &quota, Bucket::Burst).await.expect_err("used up");
        for _ in 0..4 {
            call_by_oauth(&clock, &quota, bucket)
                .await
                .unwrap_or_else(|error| panic!("{bucket:?}: {error}"));
        }
        assert_eq!(quota.state().daily.left, Some(0));
        assert_eq!(quota.state().daily.used, Some(9_950), "{bucket:?}");
        quota.with(|budget| {
            let due = budget.daily().tallied(clock.now());
            assert!(
                due.is_none_or(|due| due.fresh.is_empty()),
                "they are not ours there"
            );
        });
    }
}

#[tokio::test]
async fn searches_by_oauth_take_nothing_from_other_calls_and_need_nothing_of_theirs() {
    let (clock, quota) = quota();
    let mut made = 0;
    while call_by_oauth(&clock, &quota, Bucket::Burst).await.is_ok() {
        made += 1;
    }
    assert_eq!(made, 96);
    let mut searches = 0;
    for _ in 0..9 {
        while call_by_oauth(&clock, &quota, Bucket::Search).await.is_ok() {
            searches += 1;
        }
        clock.advance(SECOND);
    }
    assert_eq!(searches, 45, "five each second, while the burst is used up");
    clock.advance(SECOND);
    for _ in 0..5 {
        call_by_oauth(&clock, &quota, Bucket::Search).await.expect("room");
    }
    let bursts = quota.state().bursts;
    let (app, burst) = bursts.last().expect("called with");
    assert_eq!((app.name(), burst.used), (CONNECTED, Some(0)));
}

#[tokio::test]
async fn who_calls_by_oauth_is_served_behind_others_who_are_refused_for_the_day() {
    let (clock, quota) = quota();
    // Nobody has room for a moment, and then those only whose calls count in no day.
    quota.refused(&App::default(), Bucket::Associations, Some(2 * SECOND));
    let deadline = clock.tick().plus(20 * SECOND);
    let waiting: Vec<_> = [Kind::Private, Kind::Private, Kind::OAuth, Kind::Private]
        .into_iter()
        .map(|kind| {
            let quota = quota.clone();
            tokio::spawn(async move {
                pay_by(kind, &quota, Bucket::Associations, deadline)
                    .await
                    .map(drop)
            })
        })
        .collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(quota.state().associations.waiting, 4);
    hear(&quota, &left_today(50));
    clock.advance(2 * SECOND);
    let mut paid = Vec::new();
    for call in waiting {
        paid.push(call.await.expect("no panic").is_ok());
    }
    assert_eq!(paid, [false, false, true, false]);
}

#[tokio::test]
async fn a_refusal_for_the_day_of_a_call_by_oauth_stops_its_app_and_not_the_day_of_others() {
    let (clock, quota) = quota();
    let slot = pay_by(Kind::OAuth, &quota, Bucket::Burst, clock.tick())
        .await
        .expect("room");
    slot.sent(clock.tick());
    assert_eq!(slot.refused(Bucket::Daily, None), 10 * SECOND);
    drop(slot);
    call_by_oauth(&clock, &quota, Bucket::Burst)
        .await
        .expect_err("it is left alone");
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("the day goes on");
}
