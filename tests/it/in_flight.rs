//! What is under way when a handle is revoked: cut off, recorded as what it is, and over when the revocation is acknowledged.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Cause, Entry, Phase};
use hubkeep_core::clock::SystemClock;
use hubkeep_proto::error::v1::ErrorReason;
use hubkeep_tests::{
    Crm, Handle, Hubkeep, Refused, Service, World, eventually,
    support::{
        chaos::Proxy,
        containing::{portal, reach},
        relay::Relay,
    },
};
use hubspot_sim::{Fault, FaultRule, Policy};
use tonic::Code;

const A: &str = "client-0001";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";
/// What must happen at once, on a machine under load.
const AT_ONCE: Duration = Duration::from_secs(4);

async fn hubkeep() -> (Hubkeep, Handle, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("answers");
    (hubkeep, handle, crm)
}

/// The newest outcome on crm-service's log.
async fn last_outcome(hubkeep: &Hubkeep) -> Entry {
    let mut outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
    outcomes.pop().expect("there is one")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_hubspot_has_not_answered_is_cut_off_and_recorded_before_the_revocation_is_acknowledged()
{
    let (hubkeep, handle, crm) = hubkeep().await;
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).method("GET"));
    let before = hubkeep.hubspot_calls().len();
    let reading = tokio::spawn(async move { crm.get("contacts", "101").await });
    eventually!(hubkeep.hubspot_calls().len() > before);
    assert_eq!(hubkeep.revoke_and_wait(&handle).await, reach(1, 0, 0));
    let outcome = last_outcome(&hubkeep).await;
    assert_eq!(
        (outcome.result(), outcome.cause(), outcome.reason()),
        (
            CallResult::Unknown,
            Cause::RevokedInFlight,
            ErrorReason::HandleInvalid
        )
    );
    let refused = Refused::in_place_of(reading.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_INVALID"));
    hubkeep.hubspot.release(held);
    hubkeep.hubspot.clear_faults();
    // What is answered late is nobody's, and the next one gets its own.
    let another = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&another);
    let answer = crm.get("contacts", "102").await.expect("answers");
    assert_eq!(answer.object.expect("told").object_id, "102");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_sent_and_is_cut_off_is_of_unknown_outcome() {
    let (hubkeep, handle, crm) = hubkeep().await;
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).method("PATCH"));
    let before = hubkeep.hubspot_calls().len();
    let writing = tokio::spawn(async move { crm.update("contacts", "101", &[("firstname", "Ann")]).await });
    eventually!(hubkeep.hubspot_calls().len() > before);
    assert_eq!(hubkeep.revoke_and_wait(&handle).await, reach(1, 0, 0));
    let refused = Refused::in_place_of(writing.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let outcome = last_outcome(&hubkeep).await;
    assert_eq!(
        (outcome.result(), outcome.cause(), outcome.reason()),
        (
            CallResult::Unknown,
            Cause::RevokedInFlight,
            ErrorReason::OutcomeUnknown
        )
    );
    hubkeep.hubspot.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_before_its_next_attempt_ends_at_once_when_its_portal_is_contained() {
    let (hubkeep, _handle, crm) = hubkeep().await;
    hubkeep.hubspot.inject(FaultRule::new(Fault::RateLimited {
        policy: Policy::TenSecondlyRolling,
        headers: false,
        retry_after: Some(15),
    }));
    let before = hubkeep.hubspot_calls().len();
    let clock = SystemClock::shared();
    let waiting =
        tokio::spawn(async move { crm.within(Duration::from_secs(60)).get("contacts", "101").await });
    eventually!(hubkeep.hubspot_calls().len() > before);
    let began = clock.tick();
    let contained = hubkeep.contain(portal(A)).await.expect("contains");
    assert_eq!(contained.reach, reach(1, 0, 0));
    let refused = Refused::in_place_of(waiting.await.expect("no panic"));
    assert_eq!(refused.reason, "HANDLE_INVALID");
    let took = clock.tick().since(began);
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(hubkeep.hubspot_calls().len(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_with_the_token_that_is_replaced_is_answered() {
    let (hubkeep, _handle, crm) = hubkeep().await;
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).path("/crm/"));
    let before = hubkeep.hubspot_calls().len();
    let reading = tokio::spawn(async move { crm.get("contacts", "101").await });
    eventually!(hubkeep.hubspot_calls().len() > before);
    let old = hubkeep.token(A);
    hubkeep.rotate(A, &old, NEW).await;
    // By now crm-service has heard of it: what comes later in the feed is acknowledged after it.
    let other = hubkeep.handle(A).issue().await;
    assert_eq!(hubkeep.revoke_and_wait(&other).await, reach(1, 0, 0));
    assert!(!reading.is_finished());
    hubkeep.hubspot.release(held);
    let answer = reading.await.expect("no panic").expect("answered");
    assert_eq!(answer.object.expect("told").object_id, "101");
    hubkeep.hubspot.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_whose_page_is_under_way_ends_when_its_handle_is_revoked() {
    let (hubkeep, handle, crm) = hubkeep().await;
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).method("GET"));
    let before = hubkeep.hubspot_calls().len();
    let walking = tokio::spawn(async move { crm.walk("contacts", "").await.map(drop) });
    eventually!(hubkeep.hubspot_calls().len() > before);
    hubkeep.revoke_and_wait(&handle).await;
    let refused = Refused::in_place_of(walking.await.expect("no panic"));
    assert_eq!(refused.reason, "HANDLE_INVALID");
    hubkeep.hubspot.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redeem_answer_that_arrives_after_its_own_revocation_serves_nothing() {
    let behind = Proxy::open().await;
    let relay = Relay::to(behind.address(), "/RedeemHandle").await;
    let through = relay.url();
    let hubkeep = Hubkeep::over(World::of_portals(1))
        .between_services(behind)
        .crm(move |config| config.credentials.url = through)
        .start()
        .await;
    hubkeep.onboard_all().await;
    let before = hubkeep.hubspot_calls().len();
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);

    relay.shut();
    let reading = tokio::spawn(async move { crm.get("contacts", "101").await });
    // credential-service has said yes, and nobody has heard it yet.
    relay.holds_one().await;
    assert_eq!(hubkeep.revoke_and_wait(&handle).await, reach(1, 0, 0));
    relay.open();

    let refused = Refused::in_place_of(reading.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_INVALID"));
    assert_eq!(hubkeep.hubspot_calls().len(), before);
}
