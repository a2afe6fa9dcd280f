//! What happens to a call, or a stream, whose ground goes away while it waits.

use hubkeep_audit_log::Phase;
use hubkeep_proto::audit::v1::{EventFilter, StreamEventsRequest};
use hubkeep_proto::error::v1::ErrorReason;
use hubkeep_tests::{
    Allow, BOUND, Crm, Handle, Hubkeep, Refused, Service, World, eventually, support::audit::Reader,
};

const A: &str = "client-0001";
/// HubSpot's searches a second: the next one waits.
const SEARCHES: usize = 5;
const READS: usize = 20;

/// A portal whose searches are used up for a second, and a handle for it that has done it.
async fn used_up() -> (Hubkeep, Handle, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    for _ in 0..SEARCHES {
        crm.search("contacts", "email", "a@b.example")
            .await
            .expect("room");
    }
    (hubkeep, handle, crm)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_handle_is_revoked_while_it_waits_for_room_is_not_sent() {
    let (hubkeep, handle, crm) = used_up().await;
    let waiting = tokio::spawn({
        let crm = crm.clone();
        async move { crm.search("contacts", "email", "a@b.example").await }
    });
    tokio::task::yield_now().await;
    hubkeep.revoke(&handle).await;
    let refused = Refused::in_place_of(waiting.await.expect("no panic"));
    assert_eq!(refused.reason, "HANDLE_INVALID");
    assert_eq!(hubkeep.hubspot_calls().len(), SEARCHES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_caller_hangs_up_while_it_waits_for_room_is_not_sent() {
    let (hubkeep, _handle, crm) = used_up().await;
    let waiting = tokio::spawn({
        let crm = crm.clone();
        async move { crm.search("contacts", "email", "a@b.example").await }
    });
    // By the time these are answered the search has long arrived, and waits.
    for _ in 0..READS {
        crm.get("contacts", "101").await.expect("room for reads");
    }
    waiting.abort();
    eventually!({
        let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
        denied
            .iter()
            .any(|entry| entry.reason() == ErrorReason::CallerGone)
    });
    assert_eq!(hubkeep.hubspot_calls().len(), SEARCHES + READS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_stream_ends_soon_after_its_handle_is_revoked() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    for service in [Service::Crm, Service::Credential] {
        let auditor = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
        let filter = EventFilter {
            client_slug: A.to_owned(),
            ..EventFilter::default()
        };
        let request = StreamEventsRequest {
            filter: Some(filter),
            ..StreamEventsRequest::default()
        };
        let opened = hubkeep
            .stream_events(service, Reader::Holder(&auditor), request)
            .await;
        let mut stream = opened.expect("opens");
        hubkeep.revoke(&auditor).await;
        let mut ended = None;
        eventually!(BOUND, {
            ended = stream.message().await.err();
            ended.is_some()
        });
        let refused = Refused::of(&ended.expect("it ended"));
        assert_eq!(refused.reason, "HANDLE_INVALID");
    }
}
