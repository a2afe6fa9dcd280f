//! The record of a call: before it is made, when it has ended, whatever happens in between.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Cause, Entry, Phase};
use hubkeep_proto::audit::v1::EventFilter;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, ObjectType, Policy, Refused, Service, World, intents_by_entry,
    proto_entry,
    support::{
        audit::{Reader, assert_dense, events_on_disk, outcomes_by_attempt},
        portals::OPERATOR,
    },
};
use tonic::Code;

const A: &str = "client-0001";

async fn ready() -> (Hubkeep, Crm) {
    ready_with(Hubkeep::start(World::of_portals(1)).await).await
}

async fn ready_with(hubkeep: Hubkeep) -> (Hubkeep, Crm) {
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

async fn entries_of_call(hubkeep: &Hubkeep, call_id: &str) -> Vec<Entry> {
    let events = hubkeep.audit_events(Service::Crm).await;
    let entries = events.into_iter().filter_map(|event| event.entry);
    entries.filter(|entry| entry.call_id == call_id).collect()
}

#[tokio::test]
async fn the_intent_is_on_record_before_the_request_and_the_outcome_before_the_answer() {
    let (hubkeep, crm) = ready().await;
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).times(1));
    let call = tokio::spawn(async move { crm.get("contacts", "101").await });
    hubkeep.hubspot.until_held(1).await;

    let events = events_on_disk(&hubkeep.audit_file(Service::Crm));
    let received = hubkeep.hubspot_calls().remove(0);
    let id = received
        .header("x-request-id")
        .expect("every request carries the id of its intent");
    let intent = intents_by_entry(&events)[id].clone();
    assert!(
        outcomes_by_attempt(&events).is_empty(),
        "nobody knows the outcome yet"
    );
    assert_eq!((intent.http_method.as_str(), intent.attempt), ("GET", 1));
    assert_eq!(intent.path_template, "/crm/objects/2026-09/contacts/{id}");
    assert_eq!(
        (intent.caller.as_str(), intent.purpose_code.as_str()),
        ("sync", "test")
    );

    hubkeep.hubspot.release(held);
    let reply = call
        .await
        .expect("no panic")
        .expect("answered")
        .reply
        .expect("about the call");
    let events = events_on_disk(&hubkeep.audit_file(Service::Crm));
    let outcome = events.iter().find(|event| event.position == reply.audit_position);
    let outcome = proto_entry(outcome.expect("on disk when the answer is there"));
    assert_eq!(
        (outcome.phase(), outcome.result()),
        (Phase::Outcome, CallResult::Ok)
    );
    assert_eq!(
        (&outcome.call_id, &intent.call_id),
        (&reply.call_id, &reply.call_id)
    );
    assert_eq!((outcome.status_code, outcome.record_count), (200, 1));

    let of_call = EventFilter {
        call_id: reply.call_id,
        ..EventFilter::default()
    };
    let read = hubkeep
        .list_events(Service::Crm, Reader::Operator(OPERATOR), of_call)
        .await;
    let phases: Vec<Phase> = read
        .expect("read")
        .iter()
        .map(|event| proto_entry(event).phase())
        .collect();
    assert_eq!(phases, [Phase::Intent, Phase::Outcome], "and can be read at once");
}

#[tokio::test]
async fn every_request_has_an_intent_and_every_intent_an_outcome_in_both_services() {
    let (hubkeep, crm) = ready().await;
    for fault in [
        Fault::Status { status: 401 },
        Fault::Status { status: 404 },
        Fault::Status { status: 502 },
        Fault::RateLimited {
            policy: Policy::Daily,
            headers: true,
            retry_after: None,
        },
        Fault::CutConnection,
        Fault::CutBody,
        Fault::HtmlBody,
    ] {
        hubkeep
            .hubspot
            .inject(FaultRule::new(fault).path("/crm/").times(1));
        let _ = crm.update("contacts", "101", &[("firstname", "x")]).await;
        let _ = crm.get("contacts", "102").await;
    }
    let mut journal = hubkeep.journal();
    for service in [Service::Credential, Service::Crm] {
        let events = hubkeep.audit_events(service).await;
        assert_dense(&events);
        let (intents, outcomes) = (intents_by_entry(&events), outcomes_by_attempt(&events));
        for event in &events {
            let entry = proto_entry(event);
            if entry.phase() == Phase::Intent {
                // The two questions of a verification are one call, and each its own first attempt.
                let key = (entry.call_id.as_str(), entry.attempt);
                assert!(outcomes.contains_key(&key), "{entry:?} has no outcome");
            }
        }
        let recorded = |id: &str| intents.contains_key(id);
        journal.retain(|received| !received.header("x-request-id").is_some_and(recorded));
        let open = events
            .iter()
            .filter(|event| proto_entry(event).phase() == Phase::Intent)
            .count();
        let closed = events
            .iter()
            .filter(|event| proto_entry(event).phase() == Phase::Outcome)
            .count();
        assert_eq!(open, closed, "in the log of {}", service.name());
    }
    assert!(
        journal.is_empty(),
        "reached HubSpot without a record: {journal:?}"
    );
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_is_never_sent_again() {
    // The service's own deadline: a caller's would also run out at the caller, who might then not hear the reason.
    let deadline = Duration::from_millis(1_500);
    let setup =
        Hubkeep::over(World::of_portals(1)).crm(move |config| config.grpc.default_deadline = deadline);
    let (hubkeep, crm) = ready_with(setup.start().await).await;
    let portal = hubkeep.portal_id(A);
    let faults = [
        (Fault::CutConnection, Cause::ConnectionLost),
        (Fault::CutBody, Cause::ConnectionLost),
        (Fault::Status { status: 500 }, Cause::Unspecified),
        (Fault::Status { status: 504 }, Cause::Unspecified),
        (Fault::Status { status: 524 }, Cause::Unspecified),
        (Fault::HtmlBody, Cause::Unspecified),
        (Fault::HoldUntilReleased, Cause::Timeout),
        (Fault::NeverEndingBody, Cause::Timeout),
    ];
    for (made, (fault, cause)) in (1..).zip(faults) {
        let told = format!("{fault:?}");
        hubkeep
            .hubspot
            .inject(FaultRule::new(fault).path("/crm/").after_effect().times(1));
        let refused = Refused::in_place_of(crm.create("contacts", &[("firstname", "once")]).await);
        assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"), "{told}");
        assert_eq!(
            refused.retry_after, None,
            "{told}: nobody may be told to try a write again"
        );
        let writes = hubkeep
            .hubspot_calls()
            .into_iter()
            .filter(|call| call.method == "POST");
        assert_eq!(writes.count(), made, "{told}: sent once");
        // A portal of which nothing is heard but failures would be left alone.
        crm.get("contacts", "101").await.expect("it answers");
        let count = hubkeep.hubspot.record_count(portal, ObjectType::Contacts);
        assert_eq!(count, 5 + made, "{told}: made once");
        let entries = entries_of_call(&hubkeep, &refused.metadata["call_id"]).await;
        let outcome = entries.last().expect("on record");
        assert_eq!(entries.len(), 2, "{told}");
        assert_eq!(
            (outcome.result(), outcome.cause()),
            (CallResult::Unknown, cause),
            "{told}"
        );
    }
    hubkeep.hubspot.clear_faults();
}

#[tokio::test]
async fn a_read_that_failed_in_passing_is_sent_again_with_an_intent_for_each_attempt() {
    let (hubkeep, crm) = ready().await;
    for fault in [Fault::Status { status: 503 }, Fault::CutConnection] {
        hubkeep.hubspot.inject(FaultRule::new(fault).times(1));
    }
    let reply = crm
        .get("contacts", "101")
        .await
        .expect("read in the end")
        .reply
        .expect("about the call");
    assert_eq!(reply.attempt_count, 3);
    let entries = entries_of_call(&hubkeep, &reply.call_id).await;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.phase(), entry.attempt))
        .collect();
    let expected = [1, 2, 3].map(|attempt| [(Phase::Intent, attempt), (Phase::Outcome, attempt)]);
    assert_eq!(told, expected.concat());
    let results: Vec<_> = entries.iter().map(Entry::result).collect();
    assert_eq!(
        [results[1], results[3], results[5]],
        [CallResult::Refused, CallResult::Unknown, CallResult::Ok]
    );

    let sent = hubkeep.hubspot_calls();
    let ids: Vec<_> = sent
        .iter()
        .filter_map(|call| call.header("x-request-id"))
        .collect();
    let intents: Vec<_> = [0, 2, 4].map(|at| entries[at].entry_id.as_str()).to_vec();
    assert_eq!(ids, intents);
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_a_whole_record() {
    let (hubkeep, crm) = ready().await;
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).path("/crm/").times(1));
    let call = tokio::spawn(async move { crm.create("contacts", &[("firstname", "left")]).await });
    hubkeep.hubspot.until_held(1).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    hubkeep.hubspot.release(held);
    hubkeep_tests::eventually!({
        let outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
        outcomes
            .last()
            .is_some_and(|outcome| outcome.result() == CallResult::Ok)
    });
}
