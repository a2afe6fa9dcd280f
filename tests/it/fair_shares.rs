//! Nobody's calls are held up by the many calls of another, and a portal that does not answer holds up nobody.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually, proto_entry,
    support::audit::Reader,
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";
const SECOND: Duration = Duration::from_secs(1);
const NOW: i64 = 1_795_366_800_000_000;

async fn caller_of(hubkeep: &Hubkeep, caller: &str, slug: &str) -> Crm {
    let handle = hubkeep.handle(slug).for_caller(caller).issue().await;
    hubkeep.crm_as(caller).with(&handle).within(30 * SECOND)
}

fn never_told_to_stop(hubkeep: &Hubkeep) {
    let journal = hubkeep.journal();
    let told = journal.iter().filter(|entry| entry.status == Some(429));
    assert_eq!(told.count(), 0, "HubSpot had to refuse");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_hundreds_of_calls_in_line_does_not_hold_up_the_one_of_another() {
    let limits = Limits {
        burst: 30,
        burst_window_ms: 2_000,
        ..Limits::default()
    };
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&limits)).await;
    hubkeep.onboard_all().await;
    let flood = caller_of(&hubkeep, "flood", A).await;
    let single = caller_of(&hubkeep, "single", A).await;
    flood
        .get("contacts", "101")
        .await
        .expect("HubSpot tells its window");
    let waiting: Vec<_> = (0..200)
        .map(|_| {
            let flood = flood.clone();
            tokio::spawn(async move { flood.get("contacts", "101").await })
        })
        .collect();
    let handle = hubkeep.handle(A).allow([Allow::Quota]).types([]).issue().await;
    let reader = Reader::Holder(&handle);
    eventually!(waits(&hubkeep, reader).await >= 100);
    let before = hubkeep.hubspot_calls().len();
    single.get("contacts", "102").await.expect("served");
    let between = hubkeep.hubspot_calls().len() - before;
    // One interval's places are given out at once, and it has one of the first.
    assert!(between <= 2 * 26, "{between} of the flood were before it");
    for call in waiting {
        call.abort();
    }
    never_told_to_stop(&hubkeep);
}

async fn waits(hubkeep: &Hubkeep, reader: Reader<'_>) -> u32 {
    let quota = hubkeep.quota(reader, A).await.expect("told");
    quota.burst.map_or(0, |burst| burst.waiting_count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_does_not_answer_is_broken_off_and_heals_while_others_go_on() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let sick = caller_of(&hubkeep, "sync", A).await;
    let well = caller_of(&hubkeep, "sync", B).await;
    let rule = FaultRule::new(Fault::Status { status: 503 }).portal(hubkeep.portal_id(A));
    hubkeep.hubspot.inject(rule);
    for id in ["101", "102", "103", "104", "105", "106"] {
        let refused = Refused::in_place_of(sick.get("contacts", id).await);
        assert_eq!(refused.reason, "HUBSPOT_UNAVAILABLE");
    }
    let sent = hubkeep.hubspot_calls().len();
    let refused = Refused::in_place_of(sick.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::Unavailable, "PORTAL_NOT_ANSWERING"));
    assert!(refused.retry_after.is_some_and(|wait| wait <= 5 * SECOND));
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "nothing was sent");
    for _ in 0..20 {
        well.get("contacts", "101").await.expect("another portal goes on");
    }
    let reader = hubkeep.handle(A).allow([Allow::Quota]).types([]).issue().await;
    let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
    assert!(quota.not_answering_until_time.is_some());
    hubkeep.hubspot.clear_faults();
    eventually!(20 * SECOND, sick.get("contacts", "101").await.is_ok());
    let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
    assert!(quota.not_answering_until_time.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_portal_cannot_have_all_calls_of_the_service() {
    let setup = Hubkeep::over(World::of_portals(2)).crm(|config| config.quota.max_per_portal = 3);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let busy = caller_of(&hubkeep, "sync", A).await;
    busy.get("contacts", "101").await.expect("served");
    let rule = FaultRule::new(Fault::HoldUntilReleased).portal(hubkeep.portal_id(A));
    let hold = hubkeep.hubspot.inject(rule);
    let stuck = [(); 3].map(|()| {
        let busy = busy.clone();
        tokio::spawn(async move { busy.get("contacts", "101").await })
    });
    hubkeep.hubspot.until_held(3).await;
    let refused = Refused::in_place_of(busy.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::ResourceExhausted, "TOO_MANY_AT_ONCE"));
    assert_eq!(refused.metadata["setting"], "quota.max_per_portal");
    let other = caller_of(&hubkeep, "sync", B).await;
    other
        .get("contacts", "101")
        .await
        .expect("another portal goes on");
    hubkeep.hubspot.release(hold);
    for call in stuck {
        call.await.expect("no panic").expect("served in the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_caller_cannot_have_all_calls_of_a_portal_nor_all_its_own_at_one() {
    let setup = Hubkeep::over(World::of_portals(2)).crm(|config| config.quota.max_per_portal_and_caller = 3);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let busy = caller_of(&hubkeep, "sync", A).await;
    busy.get("contacts", "101").await.expect("served");
    let rule = FaultRule::new(Fault::HoldUntilReleased).portal(hubkeep.portal_id(A));
    let hold = hubkeep.hubspot.inject(rule.times(3));
    let stuck = [(); 3].map(|()| {
        let busy = busy.clone();
        tokio::spawn(async move { busy.get("contacts", "101").await })
    });
    hubkeep.hubspot.until_held(3).await;
    let refused = Refused::in_place_of(busy.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::ResourceExhausted, "TOO_MANY_AT_ONCE"));
    assert_eq!(refused.metadata["setting"], "quota.max_per_portal_and_caller");
    for (caller, slug) in [("report", A), ("sync", B)] {
        let other = caller_of(&hubkeep, caller, slug).await;
        other.get("contacts", "101").await.expect("goes on");
    }
    hubkeep.hubspot.release(hold);
    for call in stuck {
        call.await.expect("no panic").expect("served in the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_about_associations_have_an_interval_of_their_own() {
    for counts_twice in [false, true] {
        let limits = Limits {
            associations_in_burst: counts_twice,
            ..Limits::default()
        };
        let setup = Hubkeep::over(World::of_portals(1).limits(&limits))
            .crm(move |config| config.quota.associations_in_burst = counts_twice);
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        let crm = caller_of(&hubkeep, "sync", A).await.within(4 * SECOND);
        let of = || async { crm.associated(("contacts", "101"), "companies").await };
        let reads = join_all((0..60).map(|_| crm.get("contacts", "101"))).await;
        let associations = join_all((0..60).map(|_| of())).await;
        never_told_to_stop(&hubkeep);
        assert_eq!(reads.iter().filter(|answer| answer.is_ok()).count(), 60);
        let made = associations.iter().filter(|answer| answer.is_ok()).count();
        match counts_twice {
            false => assert_eq!(made, 60, "they have their own"),
            true => assert!(
                (30..=39).contains(&made),
                "{made} of the 39 that are left were made"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_somebody_else_makes_with_the_token_are_told_and_put_on_record_once() {
    let clock = MockClock::at(Timestamp::from_micros(NOW));
    let world = World::of_portals(1);
    let token = world.portals[0].first_token().expect("has one").to_owned();
    let hubkeep = Hubkeep::over(world).clock(clock.clone()).start().await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, "sync", A).await.within(SECOND);
    let reader = hubkeep.handle(A).allow([Allow::Quota]).types([]).issue().await;
    crm.get("contacts", "101").await.expect("served");
    // The process before, and onboarding, count no more.
    clock.advance(14 * SECOND);
    hubkeep.hubspot.advance_time(14 * SECOND);
    crm.get("contacts", "101").await.expect("served");
    let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
    assert_eq!(quota.unaccounted_use, None, "all calls are ours");
    hubkeep.hubspot.use_elsewhere(&token, 20).expect("used");
    crm.get("contacts", "101").await.expect("served");
    let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
    let seen = quota.unaccounted_use.expect("somebody else has the token");
    assert_eq!(seen.call_count, 16, "four may be credential-service's");
    clock.advance(SECOND);
    let noted = async || {
        let events = hubkeep.audit_events(Service::Crm).await;
        let entries = events.iter().map(|event| proto_entry(event).clone());
        let noted = entries.filter(|entry| entry.operation() == Operation::QuotaUnaccounted);
        noted.collect::<Vec<_>>()
    };
    eventually!(noted().await.len() == 1);
    clock.advance(12 * SECOND);
    hubkeep.hubspot.advance_time(12 * SECOND);
    hubkeep.hubspot.use_elsewhere(&token, 30).expect("used");
    crm.get("contacts", "101").await.expect("served");
    clock.advance(SECOND);
    eventually!({
        let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
        quota.unaccounted_use.is_some_and(|seen| seen.call_count == 42)
    });
    let noted = noted().await;
    assert_eq!(noted.len(), 1, "no more than one in an hour");
    assert_eq!(
        (noted[0].phase(), noted[0].portal_id, noted[0].caller.as_str()),
        (Phase::Admin, hubkeep.portal_id(A), "crm-service")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_when_the_calls_of_a_day_will_be_used_up() {
    let clock = MockClock::at(Timestamp::from_micros(NOW));
    let limits = Limits {
        daily: 10_000,
        ..Limits::default()
    };
    let hubkeep = Hubkeep::over(World::of_portals(1).limits(&limits))
        .clock(clock.clone())
        .start()
        .await;
    hubkeep.onboard_all().await;
    let crm = caller_of(&hubkeep, "sync", A).await.within(SECOND);
    let reader = hubkeep.handle(A).allow([Allow::Quota]).types([]).issue().await;
    crm.get("contacts", "101").await.expect("served");
    let exhaustion = async || {
        let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
        quota.daily.and_then(|daily| daily.exhaustion_time)
    };
    assert_eq!(exhaustion().await, None, "nothing is known yet");
    clock.advance(100 * SECOND);
    hubkeep
        .hubspot
        .consume_daily(hubkeep.portal_id(A), 4_999)
        .expect("used");
    crm.get("contacts", "101").await.expect("served");
    let seconds = exhaustion().await.expect("within two minutes").seconds;
    let left = seconds - NOW / 1_000_000 - 100;
    assert!((90..=100).contains(&left), "4,948 at 50 a second, in {left} s");
}
