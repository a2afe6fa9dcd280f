//! Walks that break off: whatever ends one, it goes on where it was, without a gap and without a double.

use std::{future::Future, pin::pin, time::Duration};

use hubkeep_audit_log::Phase;
use hubkeep_core::clock::{MockClock, SystemClock, Timestamp};
use hubkeep_tests::{
    Allow, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::{
        crm_process::CrmProcess,
        walks::{Seen, contacts},
    },
};
use tonic::Code;

const A: &str = "client-0001";
const CONTACTS: usize = 10_000;
const SOON: Duration = Duration::from_secs(3);

fn world() -> World {
    World::of_portals(1).limits(&Limits::unlimited())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_outlives_the_process_that_carries_it() {
    let mut stage = CrmProcess::start(world()).await;
    let portal = stage.hubkeep.portal_id(A);
    // Large enough that no window holds what is left.
    let all = contacts(&stage.hubkeep.hubspot, portal, CONTACTS, 1_000);
    let handle = stage.hubkeep.handle(A).issue().await;
    let mut seen = Seen::default();

    let mut walk = stage.crm(&handle).walk("contacts", "").await.expect("begun");
    seen.pages(&mut walk, 30).await;
    stage.process.end();
    let broken = seen.rest(&mut walk).await.expect_err("the process is gone");
    assert!(
        broken.details().is_empty(),
        "nobody was left to say why: {broken:?}"
    );
    stage.again();

    let mut walk = stage
        .crm(&handle)
        .walk("contacts", &seen.token)
        .await
        .expect("goes on");
    seen.pages(&mut walk, 1).await;
    stage.process.ask_to_stop();
    // This reader does not read: it must not hold up the stop.
    stage.process.ends_within(SOON).await;
    let stopped = seen.rest(&mut walk).await.expect_err("the process has stopped");
    if !stopped.details().is_empty() {
        assert_eq!(Refused::of(&stopped).said(), (Code::Unavailable, "STOPPING"));
    }
    stage.again();

    let mut walk = stage
        .crm(&handle)
        .walk("contacts", &seen.token)
        .await
        .expect("goes on");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_whose_reader_reads_ends_with_stopping() {
    let mut stage = CrmProcess::start(world()).await;
    let portal = stage.hubkeep.portal_id(A);
    let all = contacts(&stage.hubkeep.hubspot, portal, CONTACTS, 8);
    let handle = stage.hubkeep.handle(A).issue().await;
    let mut seen = Seen::default();
    let mut walk = stage.crm(&handle).walk("contacts", "").await.expect("begun");
    seen.pages(&mut walk, 3).await;
    stage.process.ask_to_stop();
    let stopped = seen
        .rest(&mut walk)
        .await
        .expect_err("it has stopped before the end");
    assert_eq!(Refused::of(&stopped).said(), (Code::Unavailable, "STOPPING"));
    stage.process.ends_within(SOON).await;
    stage.again();
    let mut walk = stage
        .crm(&handle)
        .walk("contacts", &seen.token)
        .await
        .expect("goes on");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_revoked_or_over_ends_the_walk_at_the_next_page() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    // A page that is being recorded when the clock is moved on is still recorded.
    let hubkeep = Hubkeep::over(world())
        .clock(clock.clone())
        .crm(|config| config.audit.intent_deadline = Duration::from_secs(3_600))
        .start()
        .await;
    hubkeep.onboard_all().await;
    let portal = hubkeep.portal_id(A);
    let all = contacts(&hubkeep.hubspot, portal, CONTACTS, 2_000);
    let mut seen = Seen::default();
    for over in [false, true] {
        let handle = hubkeep.handle(A).allow([Allow::List]).issue().await;
        let crm = hubkeep.crm_with_small_window("sync").with(&handle);
        let mut walk = crm.walk("contacts", &seen.token).await.expect("begun");
        seen.pages(&mut walk, 2).await;
        at_rest(&hubkeep, seen.pages).await;
        if over {
            clock.advance(Duration::from_secs(301));
        } else {
            hubkeep.revoke(&handle).await;
            // As soon as it is known here, no page more.
            eventually!(crm.list("contacts").await.is_err());
        }
        let asked = hubkeep.hubspot_calls().len();
        let ended = while_time_goes_on(&clock, seen.rest(&mut walk)).await;
        let ended = ended.expect_err("the handle opens nothing any more");
        assert_eq!(
            Refused::of(&ended).said(),
            (Code::Unauthenticated, "HANDLE_INVALID")
        );
        assert!(hubkeep.hubspot_calls().len() <= asked + 1, "over: {over}");
    }
    let handle = hubkeep.handle(A).allow([Allow::List]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let mut walk = crm.walk("contacts", &seen.token).await.expect("goes on");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
    assert!(!hubkeep.entries(Service::Crm, Phase::Denied).await.is_empty());
}

/// Does this while the clock goes on: what has waited for the feed of revocations asks again when a moment is over.
async fn while_time_goes_on<T>(clock: &MockClock, work: impl Future<Output = T>) -> T {
    let real = SystemClock::shared();
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = real.sleep(Duration::from_millis(10)) => clock.advance(Duration::from_millis(100)),
        }
    }
}

/// Waits until the page after those that were taken is read and recorded: it fills the window, and nothing moves.
async fn at_rest(hubkeep: &Hubkeep, taken: usize) {
    eventually!({
        let read = hubkeep.entries(Service::Crm, Phase::Outcome).await.len();
        read > taken && read == hubkeep.entries(Service::Crm, Phase::Intent).await.len()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_whose_next_page_is_always_the_same_ends_instead_of_going_on_for_ever() {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let same = Fault::SameCursor {
        after: "1".to_owned(),
    };
    hubkeep.hubspot.inject(FaultRule::new(same).path("/crm/"));
    let mut walk = crm.walk("contacts", "").await.expect("begun");
    walk.message().await.expect("the first page").expect("told");
    let ended = walk.message().await.expect_err("the second is the first again");
    assert_eq!(
        Refused::of(&ended).said(),
        (Code::Unavailable, "HUBSPOT_UNAVAILABLE")
    );
}
