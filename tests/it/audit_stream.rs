//! The audit stream: history, then live, without a gap, and to each reader only what is theirs.

use std::time::Duration;

use hubkeep_audit_log::{Event, Operation};
use hubkeep_core::clock::SystemClock;
use hubkeep_proto::audit::v1::{
    EventFilter, StreamEventsRequest, StreamEventsResponse, stream_events_response::Message,
};
use hubkeep_tests::{
    Allow, BOUND, Crm, Hubkeep, Limits, Refused, Service, World, proto_entry,
    support::{audit::Reader, portals::OPERATOR},
};
use tonic::{Code, Streaming};

const A: &str = "client-0001";
const B: &str = "client-0002";
const CALLS: usize = 200;
/// The stream is left and taken up again each time it has given this many events.
const LEAVE_AFTER: usize = 37;

async fn next(stream: &mut Streaming<StreamEventsResponse>) -> Message {
    let clock = SystemClock::shared();
    let message = clock
        .timeout(BOUND, stream.message())
        .await
        .expect("something comes in time");
    let response = message
        .expect("the stream goes on")
        .expect("the stream does not end");
    response.message.expect("it says something")
}

fn after(position: u64) -> StreamEventsRequest {
    StreamEventsRequest {
        after_position: position,
        ..StreamEventsRequest::default()
    }
}

fn of_portal(slug: &str) -> EventFilter {
    EventFilter {
        client_slug: slug.to_owned(),
        ..EventFilter::default()
    }
}

async fn load(crm: Crm) {
    for number in 0..CALLS {
        let value = number.to_string();
        crm.update("contacts", "101", &[("firstname", &value)])
            .await
            .expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_back_to_its_cursor_sees_every_event_once_and_in_order() {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("some history");

    let calls = tokio::spawn(load(crm.clone()));
    let mut seen: Vec<Event> = Vec::new();
    let mut visits = 0;
    while seen
        .iter()
        .filter(|event| proto_entry(event).operation() == Operation::ObjectUpdate)
        .count()
        < 2 * CALLS
    {
        visits += 1;
        let cursor = seen.last().map_or(0, |event| event.position);
        let opened = hubkeep
            .stream_events(Service::Crm, Reader::Operator(OPERATOR), after(cursor))
            .await;
        let mut stream = opened.expect("opened");
        let leave_at = seen.len() + LEAVE_AFTER;
        while seen.len() < leave_at {
            match next(&mut stream).await {
                Message::Event(event) => seen.push(event),
                // The past has been given: a good moment to look whether all is there.
                Message::ReachedPosition(_) if calls.is_finished() => break,
                Message::ReachedPosition(_) => {}
                Message::Beginning(begins) => panic!("nothing is old: {begins:?}"),
            }
        }
    }
    calls.await.expect("every call was made");
    assert!(visits > 5, "the stream was left and taken up {visits} times");
    for (expected, event) in (1..).zip(&seen) {
        assert_eq!(event.position, expected, "a gap or a duplicate");
    }
    let recorded = hubkeep.audit_events(Service::Crm).await;
    assert_eq!(
        seen[..],
        recorded[..seen.len()],
        "the stream gives what is recorded"
    );
}

#[tokio::test]
async fn a_live_event_comes_without_asking_again() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let from_now = StreamEventsRequest {
        from_now: true,
        ..StreamEventsRequest::default()
    };
    let opened = hubkeep
        .stream_events(Service::Crm, Reader::Operator(OPERATOR), from_now)
        .await;
    let mut stream = opened.expect("opened");
    let reply = hubkeep
        .crm_as("sync")
        .with(&handle)
        .get("contacts", "101")
        .await
        .expect("read")
        .reply;
    let call_id = reply.expect("about the call").call_id;
    let mut phases = Vec::new();
    while phases.len() < 2 {
        if let Message::Event(event) = next(&mut stream).await
            && proto_entry(&event).call_id == call_id
        {
            phases.push(proto_entry(&event).phase());
        }
    }
    assert_eq!(
        phases,
        [
            hubkeep_audit_log::Phase::Intent,
            hubkeep_audit_log::Phase::Outcome
        ]
    );
}

#[tokio::test]
async fn a_handle_that_reads_the_audit_sees_its_own_portal_and_no_other() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    for slug in [A, B] {
        let handle = hubkeep.handle(slug).issue().await;
        hubkeep
            .crm_as("sync")
            .with(&handle)
            .get("contacts", "101")
            .await
            .expect("read");
    }
    let auditor = hubkeep
        .handle(A)
        .for_caller("auditor")
        .allow([Allow::ReadAudit])
        .types([])
        .issue()
        .await;
    let reader = Reader::Holder(&auditor);
    for service in [Service::Credential, Service::Crm] {
        let events = hubkeep
            .list_events(service, reader, of_portal(A))
            .await
            .expect("its own portal");
        let log = format!("test/{}/{}", service.name(), hubkeep.portal_id(A));
        assert!(!events.is_empty());
        for event in &events {
            assert_eq!((&event.log, proto_entry(event).client_slug.as_str()), (&log, A));
        }
        let foreign = Refused::in_place_of(hubkeep.list_events(service, reader, of_portal(B)).await);
        assert_eq!(
            foreign.said(),
            (Code::PermissionDenied, "PORTAL_MISMATCH"),
            "{}",
            service.name()
        );
        let all = Refused::in_place_of(hubkeep.list_events(service, reader, EventFilter::default()).await);
        assert_eq!(all.reason, "INVALID_FIELD", "a holder must name the portal");

        let writer = hubkeep.handle(A).for_caller("auditor").issue().await;
        let other = hubkeep
            .list_events(service, Reader::Holder(&writer), of_portal(A))
            .await;
        let other = Refused::in_place_of(other);
        assert_eq!(
            other.said(),
            (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"),
            "{}",
            service.name()
        );

        let request = StreamEventsRequest {
            filter: Some(of_portal(A)),
            ..StreamEventsRequest::default()
        };
        let mut stream = hubkeep
            .stream_events(service, reader, request)
            .await
            .expect("its own portal");
        let Message::Event(first) = next(&mut stream).await else {
            panic!("the past comes first");
        };
        assert_eq!(first, events[0]);
    }
    let crm = hubkeep
        .crm_as("auditor")
        .with(&auditor)
        .within(Duration::from_secs(5));
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(
        refused.reason, "OPERATION_NOT_ALLOWED",
        "who reads the audit reads no records"
    );
}
