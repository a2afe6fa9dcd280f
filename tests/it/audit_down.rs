//! Without its log a service does nothing: no request is sent, no answer is released.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Phase};
use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, ObjectType, Refused, Service, World, eventually, support::disk::WriteLock,
};
use tonic::Code;

const A: &str = "client-0001";
const INTENT_DEADLINE: Duration = Duration::from_millis(300);
/// The deadline, and what a machine under load may add.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);

async fn ready() -> (Hubkeep, Crm) {
    let setup = Hubkeep::over(World::of_portals(2))
        .credential(|config| config.audit.intent_deadline = INTENT_DEADLINE)
        .crm(|config| config.audit.intent_deadline = INTENT_DEADLINE);
    let hubkeep = setup.start().await;
    let token = hubkeep.token(A);
    hubkeep.onboard(A, &token, 0).await.expect("onboarded");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("all is well");
    (hubkeep, crm)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_recorded_is_refused_in_time_and_is_not_made() {
    let (hubkeep, crm) = ready().await;
    let before = hubkeep.journal().len();
    let lock = WriteLock::take(&hubkeep.audit_file(Service::Crm));
    let clock = SystemClock::shared();
    let began = clock.tick();
    let answers = futures::join!(
        crm.get("contacts", "101"),
        crm.list("contacts"),
        crm.search("contacts", "lastname", A),
        crm.create("contacts", &[("firstname", "x")]),
        crm.update("contacts", "101", &[("firstname", "x")]),
        crm.archive("contacts", "101"),
        crm.owners(),
    );
    let took = clock.tick().since(began);
    let refusals = [
        Refused::in_place_of(answers.0),
        Refused::in_place_of(answers.1),
        Refused::in_place_of(answers.2),
        Refused::in_place_of(answers.3),
        Refused::in_place_of(answers.4),
        Refused::in_place_of(answers.5),
        Refused::in_place_of(answers.6),
    ];
    for refused in refusals {
        assert_eq!(refused.said(), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
        assert!(
            refused.retry_after.is_some(),
            "nothing was done: it may be tried again"
        );
    }
    assert!(took < REFUSED_WITHIN, "refused after {took:?}");
    assert_eq!(hubkeep.journal().len(), before, "nothing reached HubSpot");

    drop(lock);
    eventually!(crm.get("contacts", "101").await.is_ok());
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    assert_eq!(
        intents.len(),
        hubkeep.hubspot_calls().len(),
        "no intent for a call that was not made"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_outcome_cannot_be_recorded_is_withheld() {
    let (hubkeep, crm) = ready().await;
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).path("/crm/").times(2));
    let (reader, writer) = (crm.clone(), crm.clone());
    let read = tokio::spawn(async move { reader.get("contacts", "101").await });
    let write = tokio::spawn(async move { writer.create("contacts", &[("firstname", "made")]).await });
    hubkeep.hubspot.until_held(2).await;
    let lock = WriteLock::take(&hubkeep.audit_file(Service::Crm));
    hubkeep.hubspot.release(held);
    let refused = Refused::in_place_of(read.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    let refused = Refused::in_place_of(write.await.expect("no panic"));
    assert_eq!(
        refused.said(),
        (Code::Unknown, "OUTCOME_UNKNOWN"),
        "the write was made"
    );
    assert_eq!(
        hubkeep
            .hubspot
            .record_count(hubkeep.portal_id(A), ObjectType::Contacts),
        6
    );

    drop(lock);
    eventually!({
        let outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
        let ended = outcomes
            .iter()
            .filter(|outcome| outcome.result() == CallResult::Ok);
        // The first read, whose account the token is, and the two that were held.
        ended.count() == 4
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_log_credential_service_gives_out_nothing_and_asks_nothing() {
    let (hubkeep, crm) = ready().await;
    let handle = hubkeep.handle(A).issue().await;
    let before = hubkeep.journal().len();
    let lock = WriteLock::take(&hubkeep.audit_file(Service::Credential));
    let token = hubkeep.token("client-0002");
    let onboarded = Refused::in_place_of(hubkeep.onboard("client-0002", &token, 0).await);
    assert_eq!(onboarded.said(), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    let issued = Refused::in_place_of(hubkeep.handle(A).ask().await);
    assert_eq!(issued.said(), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    // A redemption is recorded as well, so that a handle which is not in memory yet opens nothing.
    let redeemed = Refused::in_place_of(hubkeep.crm_as("sync").with(&handle).get("contacts", "101").await);
    assert_eq!(
        redeemed.said(),
        (Code::Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE")
    );
    assert_eq!(hubkeep.journal().len(), before, "nothing reached HubSpot");

    drop(lock);
    eventually!(hubkeep.handle(A).ask().await.is_ok());
    assert_eq!(
        hubkeep.onboarded().await.len(),
        1,
        "what was refused left nothing behind"
    );
    hubkeep
        .onboard("client-0002", &token, 0)
        .await
        .expect("onboarded now");
    crm.get("contacts", "101").await.expect("all is well again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_file_that_was_taken_away_ends_all_calls_until_it_is_back() {
    let (hubkeep, crm) = ready().await;
    let before = hubkeep.journal().len();
    let file = hubkeep.audit_file(Service::Crm);
    let aside = file.with_extension("aside");
    std::fs::rename(&file, &aside).expect("moved away");
    for _ in 0..2 {
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(refused.said(), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    }
    assert!(!file.exists(), "no other log is begun in its place");
    assert_eq!(hubkeep.journal().len(), before, "nothing reached HubSpot");
    std::fs::rename(&aside, &file).expect("moved back");
    eventually!(crm.get("contacts", "101").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_little_room_on_the_disk_of_the_log_no_call_is_made() {
    let setup = Hubkeep::over(World::of_portals(1)).crm(|config| config.audit.min_free_bytes = u64::MAX);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let before = hubkeep.hubspot_calls().len();
    let refused = Refused::in_place_of(hubkeep.crm_as("sync").with(&handle).get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    assert_eq!(hubkeep.hubspot_calls().len(), before, "nothing reached HubSpot");
}
