//! HubSpot's limits are kept, and not found out by running into them.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, Policy, Refused, World, eventually,
    support::crm_process::CrmProcess,
};
use tonic::{Code, Status};

const A: &str = "client-0001";
const B: &str = "client-0002";
const AT_ONCE: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

async fn caller_of(hubkeep: &Hubkeep, slug: &str) -> Crm {
    let handle = hubkeep.handle(slug).issue().await;
    hubkeep.crm_as("sync").with(&handle)
}

fn refused_for_budget(hubkeep: &Hubkeep, status: &Status, bucket: &str) {
    let refused = Refused::of(status);
    assert_eq!(refused.said(), (Code::ResourceExhausted, "BUDGET_EXHAUSTED"));
    assert_eq!(refused.metadata["bucket"], bucket);
    assert!(
        refused.retry_after.is_some_and(|wait| wait <= 12 * SECOND),
        "{refused:?}"
    );
    assert!(refused.has_quota_failure, "{refused:?}");
    never_told_to_stop(hubkeep);
}

fn never_told_to_stop(hubkeep: &Hubkeep) {
    let told = hubkeep
        .journal()
        .into_iter()
        .filter(|entry| entry.status == Some(429));
    assert_eq!(told.count(), 0, "HubSpot had to refuse");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_at_once_never_make_hubspot_refuse() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let hubkeep = Hubkeep::over(World::of_portals(2))
        .clock(clock.clone())
        .start()
        .await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, A).await.within(2 * SECOND);
    let answers = join_all((0..AT_ONCE).map(|_| crm.get("contacts", "101"))).await;
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(
        (90..=99).contains(&made),
        "{made} of the 96 that are crm-service's, and 3 that may be lent, were made"
    );
    assert_eq!(hubkeep.hubspot_calls().len(), made, "a refused call is not sent");
    for status in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        refused_for_budget(&hubkeep, status, "burst");
    }
    caller_of(&hubkeep, B)
        .await
        .get("contacts", "101")
        .await
        .expect("another portal has its own budget");

    clock.advance(11 * SECOND);
    hubkeep.hubspot.advance_time(11 * SECOND);
    crm.get("contacts", "101").await.expect("the window has passed");
    never_told_to_stop(&hubkeep);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_have_a_limit_of_their_own() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, A).await.within(SECOND / 2);
    let answers = join_all((0..20).map(|_| crm.search("contacts", "lastname", A))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    for status in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        refused_for_budget(&hubkeep, status, "search");
    }
    crm.get("contacts", "101").await.expect("reads go on");
    let patient = crm.within(10 * SECOND);
    patient
        .search("contacts", "lastname", A)
        .await
        .expect("who can wait is served");
    never_told_to_stop(&hubkeep);
}

/// HubSpot's limit in a window of one second, so that several pass.
const BURST: u32 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_never_ends_uses_the_burst_up_and_never_makes_hubspot_refuse() {
    let limits = Limits {
        burst: BURST,
        burst_window_ms: 1_000,
        ..Limits::default()
    };
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&limits)).await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, A).await.within(30 * SECOND);
    crm.get("contacts", "101")
        .await
        .expect("HubSpot tells its window");
    let callers = (0..64).map(|_| {
        let crm = crm.clone();
        async move {
            for _ in 0..8 {
                crm.get("contacts", "101").await.expect("there is time to wait");
            }
        }
    });
    join_all(callers).await;
    never_told_to_stop(&hubkeep);
    let arrivals: Vec<i64> = hubkeep
        .hubspot_calls()
        .iter()
        .map(|call| call.received_at)
        .collect();
    assert_eq!(arrivals.len(), 513);
    // 96 of 100 are crm-service's; a machine that is busy answers late, and each call counts until its answer.
    let took = arrivals.last().expect("made") - arrivals.first().expect("made");
    assert!(took < 7_000_000, "5 windows and a part took {took} us");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_restarted_under_a_load_at_the_limit_never_makes_hubspot_refuse() {
    const CALLERS: usize = 32;
    let mut stage = CrmProcess::start(World::of_portals(1)).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let crm = stage.crm(&handle);
    let callers = (0..CALLERS).map(|_| {
        let crm = crm.clone();
        tokio::spawn(async move { while crm.get("contacts", "101").await.is_ok() {} })
    });
    let callers: Vec<_> = callers.collect();
    eventually!(stage.hubkeep.hubspot_calls().len() >= 90);
    stage.process.ask_to_stop();
    join_all(callers).await;
    stage.process.ends_within(10 * SECOND).await;
    let before = stage.hubkeep.hubspot_calls();

    stage.again();
    let crm = stage.crm(&handle);
    let calls = (0..CALLERS).map(|_| async {
        for _ in 0..3 {
            crm.get("contacts", "101").await.expect("there is time to wait");
        }
    });
    join_all(calls).await;
    never_told_to_stop(&stage.hubkeep);
    let all = stage.hubkeep.hubspot_calls();
    let (last, first) = (before.last().expect("made"), &all[before.len()]);
    let apart = first.received_at - last.received_at;
    assert!(
        apart < 9_000_000,
        "the first process's calls count no more: {apart} us"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_portal_slows_no_other() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let (sick, well) = (caller_of(&hubkeep, A).await, caller_of(&hubkeep, B).await);
    let rule = FaultRule::new(Fault::HoldUntilReleased).portal(hubkeep.portal_id(A));
    let hold = hubkeep.hubspot.inject(rule);
    let stuck: Vec<_> = (0..64)
        .map(|_| {
            let sick = sick.clone();
            tokio::spawn(async move { sick.get("contacts", "101").await })
        })
        .collect();
    hubkeep.hubspot.until_held(64).await;
    for _ in 0..50 {
        well.get("contacts", "101")
            .await
            .expect("served beside 64 that wait");
    }
    assert_eq!(hubkeep.hubspot.held(), 64, "they wait all the while");
    hubkeep.hubspot.release(hold);
    for call in stuck {
        call.await.expect("no panic").expect("served in the end");
    }
}

#[tokio::test]
async fn after_a_refusal_by_hubspot_the_portal_is_left_alone_for_as_long_as_hubspot_asks() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let hubkeep = Hubkeep::over(World::of_portals(1))
        .clock(clock.clone())
        .start()
        .await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, A).await.within(2 * SECOND);
    let fault = Fault::RateLimited {
        policy: Policy::TenSecondlyRolling,
        headers: false,
        retry_after: Some(7),
    };
    hubkeep.hubspot.inject(FaultRule::new(fault).times(1));
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::ResourceExhausted, "HUBSPOT_RATE_LIMITED"));
    assert_eq!(
        (refused.retry_after, refused.has_quota_failure),
        (Some(7 * SECOND), true)
    );
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.reason, "BUDGET_EXHAUSTED");
    assert_eq!(hubkeep.hubspot_calls().len(), 1, "nothing more was sent");
    clock.advance(7 * SECOND);
    crm.get("contacts", "101").await.expect("the time has passed");
}

#[tokio::test]
async fn a_refusal_for_the_search_limit_stops_searches_only() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let hubkeep = Hubkeep::over(World::of_portals(1))
        .clock(clock.clone())
        .start()
        .await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, A).await.within(SECOND / 2);
    let fault = Fault::RateLimited {
        policy: Policy::Secondly,
        headers: false,
        retry_after: None,
    };
    hubkeep.hubspot.inject(FaultRule::new(fault).times(1));
    let refused = Refused::in_place_of(crm.search("contacts", "lastname", A).await);
    assert_eq!(refused.said(), (Code::ResourceExhausted, "HUBSPOT_RATE_LIMITED"));
    let refused = Refused::in_place_of(crm.search("contacts", "lastname", A).await);
    assert_eq!(
        (refused.reason.as_str(), refused.metadata["bucket"].as_str()),
        ("BUDGET_EXHAUSTED", "search")
    );
    crm.get("contacts", "101").await.expect("reads go on");
    clock.advance(SECOND);
    crm.search("contacts", "lastname", A)
        .await
        .expect("the second has passed");
}

#[tokio::test]
async fn a_search_that_the_handles_properties_make_too_long_is_refused_before_hubspot_sees_it() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let long: [String; 40] = std::array::from_fn(|number| format!("{}_{number}", "p".repeat(90)));
    let mut names: Vec<&str> = long.iter().map(String::as_str).collect();
    names.push("lastname");
    let names: [&str; 41] = names.try_into().expect("41");
    let handle = hubkeep.handle(A).properties(names).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let refused = Refused::in_place_of(crm.search("contacts", "lastname", A).await);
    assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(refused.fields, ["properties"]);
    assert!(hubkeep.hubspot_calls().is_empty(), "nothing was sent");
}
