//! An alert contains what it is about where a rule says so, and undoes nothing by itself.

use hubkeep_proto::{
    credential::v1::{LiftContainmentRequest, ListContainmentsRequest},
    crm::v1::{AlertKind, AlertReceiver, AlertReceivers, PutRuleRequest},
};
use hubkeep_tests::{
    Hubkeep, Limits, Refused, World, eventually,
    support::{containing::Holder, handles::named, portals::OPERATOR},
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";

/// More than two contacts read within a minute at this portal are one too many.
async fn watched_closely() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let rule = PutRuleRequest {
        client_slug: A.to_owned(),
        kind: AlertKind::ContactReads.into(),
        threshold: Some(2),
        send_to: Some(AlertReceivers {
            receivers: vec![AlertReceiver::Contain.into()],
        }),
        ..PutRuleRequest::default()
    };
    let put = hubkeep.put_rule(OPERATOR, rule).await.expect("put");
    assert_eq!(put.receivers, [i32::from(AlertReceiver::Contain)]);
    hubkeep
}

async fn contained(hubkeep: &Hubkeep) -> Vec<(Option<Holder>, String, String)> {
    let request = named(OPERATOR, ListContainmentsRequest::default());
    let listed = hubkeep.containments().list_containments(request).await;
    let listed = listed.expect("an operator").into_inner().containments;
    let words = listed.into_iter().map(|one| {
        let holder = one.target.and_then(|target| target.holder);
        (holder, one.contained_by, one.reason)
    });
    words.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_reads_too_much_is_contained_everywhere_and_others_go_on() {
    let hubkeep = watched_closely().await;
    let greedy = hubkeep.handle(A).for_caller("agent").issue().await;
    let elsewhere = hubkeep.handle(B).for_caller("agent").issue().await;
    let modest = hubkeep.handle(A).for_caller("sync").issue().await;
    let crm = hubkeep.crm_as("agent").with(&greedy);
    for _ in 0..3 {
        crm.get("contacts", "101").await.expect("not contained yet");
    }
    eventually!(!contained(&hubkeep).await.is_empty());
    let expected = (
        Some(Holder::Caller("agent".to_owned())),
        "crm-service".to_owned(),
        "alert 1: contact-reads".to_owned(),
    );
    assert_eq!(contained(&hubkeep).await, [expected]);
    for handle in [&greedy, &elsewhere] {
        let crm = hubkeep.crm_as("agent").with(handle);
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(refused.said(), (Code::PermissionDenied, "CALLER_CONTAINED"));
    }
    let crm = hubkeep.crm_as("sync").with(&modest);
    crm.get("contacts", "101").await.expect("it has done nothing");

    // When an operator has looked, it goes on, though the alert still fires: it has done its work.
    hubkeep
        .lift(Holder::Caller("agent".to_owned()))
        .await
        .expect("lifted");
    let again = hubkeep.handle(B).for_caller("agent").issue().await;
    let crm = hubkeep.crm_as("agent").with(&again);
    crm.get("contacts", "101").await.expect("lifted");
    assert_eq!(contained(&hubkeep).await, []);
}

#[tokio::test]
async fn crm_service_contains_and_does_nothing_else_of_containments() {
    let hubkeep = watched_closely().await;
    let lift = LiftContainmentRequest {
        target: None,
        reason: "it is over".to_owned(),
    };
    let mut containments = hubkeep.containments();
    let lifted = containments.lift_containment(named("crm-service", lift)).await;
    let listed = containments
        .list_containments(named("crm-service", ListContainmentsRequest::default()))
        .await;
    for refused in [lifted.err(), listed.err()] {
        let refused = Refused::of(&refused.expect("refused"));
        assert_eq!(refused.said(), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    }
}
