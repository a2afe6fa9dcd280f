//! A request for which HubSpot always fails shuts nobody else out; a portal that fails whatever it is asked is left alone.

use std::time::Duration;

use hubkeep_tests::{Crm, Fault, FaultRule, Hubkeep, Limits, Refused, World};
use tonic::Code;

const A: &str = "client-0001";
/// The deadline of who states none: a read is sent once, and there is no time for a second attempt.
const HASTE: Duration = Duration::from_millis(190);
const PATIENCE: Duration = Duration::from_secs(20);

/// A caller in haste, and the same with patience.
async fn start() -> (Hubkeep, Crm, Crm) {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
    let setup = setup.crm(|config| config.grpc.default_deadline = HASTE);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let hasty = hubkeep.crm_as("sync").with(&handle);
    let crm = hasty.clone().within(PATIENCE);
    (hubkeep, hasty, crm)
}

/// From now on HubSpot fails for this record.
fn poison(hubkeep: &Hubkeep, id: &str) {
    let path = format!("/crm/objects/2026-09/contacts/{id}");
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 500 }).path(path));
}

async fn said(crm: &Crm, id: &str) -> String {
    Refused::in_place_of(crm.get("contacts", id).await).reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_for_which_hubspot_always_fails_is_asked_for_again_and_again_and_others_are_served() {
    let (hubkeep, hasty, crm) = start().await;
    crm.get("contacts", "102").await.expect("served");
    poison(&hubkeep, "101");
    for _ in 0..20 {
        // Where the machine is slow it is refused for that; never for what HubSpot said before.
        assert_ne!(said(&hasty, "101").await, "PORTAL_NOT_ANSWERING");
    }
    // With all its attempts, and as a write.
    assert_eq!(said(&crm, "101").await, "HUBSPOT_UNAVAILABLE");
    for nth in 0..8 {
        let wrote = crm
            .update("contacts", "101", &[("firstname", &nth.to_string())])
            .await;
        assert_eq!(
            Refused::in_place_of(wrote).said(),
            (Code::Unknown, "OUTCOME_UNKNOWN")
        );
    }
    for id in ["102", "103", "104"] {
        crm.get("contacts", id).await.expect("others are served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_else_is_asked_only_that_record_is_left_alone() {
    let (hubkeep, _, crm) = start().await;
    poison(&hubkeep, "101");
    let mut calls = 0;
    while said(&crm, "101").await != "PORTAL_NOT_ANSWERING" {
        calls += 1;
        assert!(calls <= 6, "it is left alone after six calls");
    }
    assert_eq!(calls, 6, "the attempts of one call are one failure");
    let sent = hubkeep.hubspot_calls().len();
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::Unavailable, "PORTAL_NOT_ANSWERING"));
    assert!(refused.retry_after.is_some());
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "nothing was sent");
    crm.get("contacts", "102")
        .await
        .expect("others are served at once");
    assert_eq!(
        said(&crm, "101").await,
        "HUBSPOT_UNAVAILABLE",
        "and it is known now that it is that record"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_fails_whatever_it_is_asked_is_left_alone_after_six_requests() {
    let (hubkeep, _, crm) = start().await;
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 503 }).path("/crm/"));
    for id in ["101", "102", "103", "104", "105"] {
        assert_eq!(said(&crm, id).await, "HUBSPOT_UNAVAILABLE");
    }
    let listed = Refused::in_place_of(crm.list("contacts").await);
    assert_eq!(listed.reason, "HUBSPOT_UNAVAILABLE");
    let sent = hubkeep.hubspot_calls().len();
    assert_eq!(sent, 5 * 3 + 1, "the first attempt of the sixth was the last");
    let refused = Refused::in_place_of(crm.get("companies", "201").await);
    assert_eq!(refused.said(), (Code::Unavailable, "PORTAL_NOT_ANSWERING"));
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "whatever is asked");
}
