//! Several callers of one portal, and portals that do not answer.

use hubkeep_core::database::{Config as DatabaseConfig, Database};

use super::*;

/// Pays, is sent and answered at once, as such a caller.
async fn call_by(
    clock: &MockClock,
    quota: &PortalQuota,
    is_person: bool,
    bucket: Bucket,
) -> Result<(), Error> {
    let (caller, about) = ("agent".parse().expect("valid"), something());
    let payer = Payer {
        caller: &caller,
        app: None,
        kind: Kind::Private,
        is_person,
        is_batch: false,
        about: &about,
    };
    let slot = quota.pay(payer, bucket, clock.tick()).await?;
    slot.sent(clock.tick());
    slot.tell(Health::Answers);
    Ok(())
}

#[tokio::test]
async fn places_are_left_to_people_where_people_call_and_nowhere_else() {
    let (clock, quota) = quota();
    for _ in 0..96 {
        call(&clock, &quota, Bucket::Burst)
            .await
            .expect("nobody else calls");
    }
    clock.advance(10 * SECOND);
    call_by(&clock, &quota, true, Bucket::Burst)
        .await
        .expect("a person");
    for _ in 0..91 {
        call(&clock, &quota, Bucket::Burst).await.expect("room");
    }
    let refused = call(&clock, &quota, Bucket::Burst)
        .await
        .expect_err("four are left");
    assert_eq!(lack(&refused).0, Bucket::Burst);
    for _ in 0..4 {
        call_by(&clock, &quota, true, Bucket::Burst)
            .await
            .expect("for people");
    }
    call_by(&clock, &quota, true, Bucket::Burst)
        .await
        .expect_err("no more");
    clock.advance(5 * MINUTE);
    for _ in 0..96 {
        call(&clock, &quota, Bucket::Burst)
            .await
            .expect("no person called of late");
    }
}

/// Two callers who stand 96 times each before a full portal, the first before the second: how many of the next 96 places the
/// first gets.
async fn of_the_first(clock: &Arc<MockClock>, quota: &PortalQuota, callers: [&'static str; 2]) -> usize {
    for _ in 0..96 {
        call(clock, quota, Bucket::Burst).await.expect("room");
    }
    let served = Arc::<std::sync::Mutex<Vec<&str>>>::default();
    let mut waiting = Vec::new();
    for caller in callers {
        for _ in 0..96 {
            let (quota, served, deadline) = (quota.clone(), served.clone(), clock.tick().plus(MINUTE));
            let clock = clock.clone();
            waiting.push(tokio::spawn(async move {
                let slot = pay_as(caller, &quota, Bucket::Burst, deadline)
                    .await
                    .expect("in time");
                slot.sent(clock.tick());
                served.lock().expect("not poisoned").push(caller);
            }));
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(quota.state().burst.waiting, 192);
    clock.advance(10 * SECOND);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let served = served.lock().expect("not poisoned");
    assert_eq!(served.len(), 96);
    for call in waiting {
        call.abort();
    }
    served.iter().filter(|served| **served == callers[0]).count()
}

#[tokio::test]
async fn while_several_wait_each_gets_what_its_weight_says() {
    let (clock, quota) = quota_by(Config {
        weights: [("wide".to_owned(), 30)].into(),
        ..Config::default()
    });
    let wide = of_the_first(&clock, &quota, ["wide", "usual"]).await;
    assert!((70..=74).contains(&wide), "{wide} of 96");
}

#[tokio::test]
async fn what_a_caller_for_batches_calls_comes_after_what_others_wait_for() {
    let (clock, quota) = quota_by(Config {
        batch_callers: ["nightly".to_owned()].into(),
        ..Config::default()
    });
    let nightly = of_the_first(&clock, &quota, ["nightly", "desk"]).await;
    assert!((8..=11).contains(&nightly), "{nightly} of 96, one turn of ten");
}

#[tokio::test]
async fn searches_of_a_batch_that_wait_for_their_turn_do_not_keep_a_persons_search_out() {
    let (clock, quota) = quota();
    is_known(&quota);
    let last = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    for _ in 0..95 {
        call(&clock, &quota, Bucket::Burst).await.expect("room");
    }
    let deadline = clock.tick().plus(MINUTE);
    let search = |is_person: bool| {
        let (quota, clock) = (quota.clone(), clock.clone());
        tokio::spawn(async move {
            let (caller, about) = ("agent".parse().expect("valid"), something());
            let payer = Payer {
                caller: &caller,
                app: None,
                kind: Kind::Private,
                is_person,
                is_batch: !is_person,
                about: &about,
            };
            let slot = quota.pay(payer, Bucket::Search, deadline).await.expect("in time");
            slot.sent(clock.tick());
        })
    };
    let batch: Vec<_> = (0..5).map(|_| search(false)).collect();
    settle().await;
    assert_eq!(
        quota.state().burst.waiting,
        5,
        "all searches of a second are theirs"
    );
    let person = search(true);
    settle().await;
    drop(last);
    clock.advance(SECOND / 50);
    settle().await;
    assert!(person.is_finished(), "one gave its place up");
    assert!(batch.iter().all(|search| !search.is_finished()));
    for _ in 0..12 {
        clock.advance(SECOND);
        settle().await;
    }
    person.await.expect("no panic");
    for search in batch {
        search.await.expect("each has had its turn");
    }
}

/// Whoever can go on does.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_about_associations_have_their_own_interval() {
    let (clock, quota) = quota();
    for _ in 0..96 {
        call(&clock, &quota, Bucket::Burst).await.expect("room");
    }
    for _ in 0..100 {
        call(&clock, &quota, Bucket::Associations)
            .await
            .expect("its own room");
    }
    let refused = call(&clock, &quota, Bucket::Associations)
        .await
        .expect_err("100 in 10 s");
    assert_eq!(lack(&refused), (Bucket::Associations, 10 * SECOND));
    quota.refused(
        &App::default(),
        Bucket::Associations.of_policy("TEN_SECONDLY_ROLLING"),
        Some(20 * SECOND),
    );
    clock.advance(10 * SECOND);
    call(&clock, &quota, Bucket::Associations)
        .await
        .expect_err("HubSpot wants to be left alone");
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("other calls go on");
}

#[tokio::test]
async fn who_waits_for_a_portal_that_is_broken_off_is_told_at_once() {
    let (clock, quota) = quota();
    let first = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    quota.refused(&App::default(), Bucket::Burst, Some(20 * SECOND));
    let waits = tokio::spawn({
        let (quota, deadline) = (quota.clone(), clock.tick().plus(MINUTE));
        async move { pay(&quota, Bucket::Burst, deadline).await.map(drop) }
    });
    tokio::task::yield_now().await;
    clock.advance(20 * SECOND);
    drop(first);
    waits.await.expect("no panic").expect("room again");
    for _ in 0..5 {
        let slot = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
        slot.tell(Health::Fails);
    }
    let sixth = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    quota.refused(&App::default(), Bucket::Burst, Some(20 * SECOND));
    let waits = tokio::spawn({
        let (quota, deadline) = (quota.clone(), clock.tick().plus(MINUTE));
        async move { pay(&quota, Bucket::Burst, deadline).await.map(drop) }
    });
    tokio::task::yield_now().await;
    sixth.tell(Health::Fails);
    let told = waits.await.expect("no panic").expect_err("it is broken off");
    assert_eq!(told.reason(), ErrorReason::PortalNotAnswering);
    assert!(quota.state().broken_until.is_some());
    let told = pay(&quota, Bucket::Burst, clock.tick()).await.expect_err("still");
    assert_eq!(told.retry_after(), Some(5 * SECOND));
}

#[tokio::test]
async fn no_more_of_a_portals_calls_wait_and_are_under_way_than_may_be() {
    let (clock, quota) = quota_by(Config {
        max_per_portal: 2,
        ..Config::default()
    });
    is_known(&quota);
    let one = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    let _other = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    let refused = pay(&quota, Bucket::Burst, clock.tick()).await.expect_err("two");
    assert_eq!(refused.reason(), ErrorReason::TooManyAtOnce);
    drop(one);
    pay(&quota, Bucket::Burst, clock.tick())
        .await
        .expect("one has ended");
}

#[tokio::test]
async fn while_hubspot_moves_a_portal_nothing_of_it_is_sent_and_then_one_call() {
    const HOURS: Duration = Duration::from_secs(4 * 3_600);
    let (clock, quota) = quota();
    let first = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    quota.refused(&App::default(), Bucket::Burst, Some(20 * SECOND));
    let waits = tokio::spawn({
        let (quota, deadline) = (quota.clone(), clock.tick().plus(MINUTE));
        async move { pay(&quota, Bucket::Burst, deadline).await.map(drop) }
    });
    tokio::task::yield_now().await;
    first.tell(Health::Moves(HOURS));
    let told = waits.await.expect("no panic").expect_err("who waits is told");
    assert_eq!(told.reason(), ErrorReason::PortalMigrating);
    drop(first);
    for bucket in [Bucket::Burst, Bucket::Search, Bucket::Associations] {
        let told = pay(&quota, bucket, clock.tick()).await.expect_err("moved");
        assert_eq!(told.reason(), ErrorReason::PortalMigrating);
        assert_eq!(told.retry_after(), Some(HOURS));
    }
    assert_eq!(quota.state().moving_until, Some(clock.now().plus(HOURS)));
    clock.advance(HOURS);
    let trial = pay(&quota, Bucket::Burst, clock.tick()).await.expect("one");
    let told = pay(&quota, Bucket::Burst, clock.tick())
        .await
        .expect_err("and no other");
    assert_eq!(told.retry_after(), Some(SECOND));
    trial.tell(Health::Answers);
    pay(&quota, Bucket::Burst, clock.tick())
        .await
        .expect("it is over");
    assert_eq!(quota.state().moving_until, None);
}

#[tokio::test]
async fn that_a_portal_is_moved_is_heard_by_other_processes_and_by_the_next() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let folder = tempfile::tempdir().expect("a folder");
    let config = DatabaseConfig {
        url: format!("sqlite://{}", folder.path().join("quota.db").display()),
        ..DatabaseConfig::default()
    };
    let opened = Database::open(&config, &[&crate::MIGRATIONS]).await;
    let database = opened.expect("opened");
    let clock = MockClock::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT));
    let process = || Moves {
        quota: Quota::new(Config::default(), clock.clone()),
        database: database.clone(),
        clock: clock.clone(),
    };
    let (here, there) = (process(), process());
    let of = |moves: &Moves, id| moves.quota.of(&proven(id), "UTC");
    let known = of(&there, 42);
    let slot = pay(&of(&here, 42), Bucket::Burst, clock.tick())
        .await
        .expect("room");
    slot.tell(Health::Moves(HOUR));
    here.exchange().await.expect("told");
    there.exchange().await.expect("heard");
    let next = process();
    next.exchange().await.expect("heard");
    for quota in [known, of(&next, 42)] {
        let told = pay(&quota, Bucket::Burst, clock.tick()).await.expect_err("moved");
        assert_eq!(told.reason(), ErrorReason::PortalMigrating);
        assert_eq!(told.retry_after(), Some(HOUR));
    }
    pay(&of(&next, 43), Bucket::Burst, clock.tick())
        .await
        .expect("another portal is not");
    clock.advance(HOUR);
    there.exchange().await.expect("heard");
    pay(&of(&there, 42), Bucket::Burst, clock.tick())
        .await
        .expect("one call finds out");
}

#[tokio::test]
async fn that_a_portal_is_not_moved_after_all_outweighs_what_any_process_has_heard_before() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let folder = tempfile::tempdir().expect("a folder");
    let config = DatabaseConfig {
        url: format!("sqlite://{}", folder.path().join("quota.db").display()),
        ..DatabaseConfig::default()
    };
    let opened = Database::open(&config, &[&crate::MIGRATIONS]).await;
    let database = opened.expect("opened");
    let clock = MockClock::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT));
    let process = || {
        let mut quota = Quota::new(Config::default(), clock.clone());
        quota.moved = Moved::told_in(database.clone());
        quota
    };
    let (here, there, late) = (process(), process(), process());
    let of = |quota: &Quota| quota.of(&proven(42), "UTC");
    let exchange = async |quota: &Quota| quota.moves().expect("told in").exchange().await.expect("told");
    for quota in [&here, &late] {
        let slot = pay(&of(quota), Bucket::Burst, clock.tick()).await.expect("room");
        slot.tell(Health::Moves(HOUR));
    }
    exchange(&here).await;
    // Not called through this one yet: known by its name all the same.
    let slug = "client-42".parse().expect("valid");
    let found = there.find_moving(&slug).await.expect("read").expect("there");
    assert_eq!(found.portal, PortalId::new(42).expect("not zero"));
    assert_eq!(found.until, Some(clock.now().plus(HOUR)));
    there.lift_moving(found.portal).await.expect("lifted");
    assert_eq!(
        there
            .find_moving(&slug)
            .await
            .expect("read")
            .expect("there")
            .until,
        None
    );
    // This one has heard it before, and tells it now only.
    exchange(&late).await;
    exchange(&here).await;
    for quota in [here, there, late, process()] {
        exchange(&quota).await;
        let trial = pay(&of(&quota), Bucket::Burst, clock.tick()).await;
        trial.expect("the next call finds out").tell(Health::Answers);
        pay(&of(&quota), Bucket::Burst, clock.tick())
            .await
            .expect("all go on");
    }
    let nobody = "client-7".parse().expect("valid");
    assert_eq!(process().find_moving(&nobody).await.expect("read"), None);
}
