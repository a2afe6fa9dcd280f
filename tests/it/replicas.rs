//! Two replicas of each service, on PostgreSQL, behind one address each: what holds for one holds for all together.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_audit_log::{Event, Phase};
use hubkeep_proto::{
    audit::v1::{
        StreamEventsRequest, audit_service_client::AuditServiceClient, stream_events_response::Message,
    },
    credential::v1::{
        RevokeHandleRequest, handle_service_client::HandleServiceClient, revoke_handle_request::Target,
    },
    crm::v1::ListObjectsRequest,
};
use hubkeep_tests::{
    Fleet, Limits, Refused, Service, World, eventually, intents_by_entry, proto_entry,
    support::{
        audit::{assert_dense, outcomes_by_attempt, without_proofs},
        handles::named,
        portals::OPERATOR,
    },
};
use tonic::Code;

const REPLICAS: usize = 2;
const PORTALS: u32 = 6;
/// Callers at once, each on a connection of its own; the balancer gives half of them to either replica.
const CALLERS: usize = 8;
const CALLS: usize = 40;

fn slug(number: usize) -> String {
    format!("client-{:04}", number % PORTALS as usize + 1)
}

async fn fleet() -> Fleet {
    let fleet = Fleet::start(World::of_portals(PORTALS).limits(&Limits::unlimited()), REPLICAS).await;
    fleet.onboard_all().await;
    fleet
}

/// Reads the whole stream of crm-service's events up to a position, on one connection.
async fn streamed(fleet: &Fleet, up_to: u64) -> Vec<Event> {
    let mut client = AuditServiceClient::new(fleet.channel(Service::Crm));
    let opened = client
        .stream_events(named(OPERATOR, StreamEventsRequest::default()))
        .await;
    let (mut stream, mut events) = (opened.expect("opened").into_inner(), Vec::<Event>::new());
    while events.last().is_none_or(|event| event.position < up_to) {
        let answer = stream.message().await.expect("goes on").expect("does not end");
        if let Some(Message::Event(event)) = answer.message {
            events.push(event);
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn isolation_and_record_hold_for_all_replicas_together() {
    let fleet = fleet().await;
    let callers = join_all((0..CALLERS).map(async |number| {
        let (own, foreign) = (slug(number), slug(number + 1));
        let caller = format!("caller-{number}");
        let handle = fleet.handle(&own).for_caller(&caller).issue().await;
        let crm = fleet.crm_as(&caller).with(&handle);
        let wrong = crm.clone().naming(&foreign);
        (crm, wrong)
    }))
    .await;
    join_all(callers.iter().map(async |(crm, wrong)| {
        for call in 0..CALLS {
            match call % 4 {
                0 => drop(crm.get("contacts", "101").await.expect("read")),
                1 => drop(crm.list("contacts").await.expect("read")),
                2 => {
                    let value = call.to_string();
                    drop(
                        crm.update("contacts", "101", &[("firstname", &value)])
                            .await
                            .expect("written"),
                    );
                }
                _ => {
                    let refused = Refused::in_place_of(wrong.get("contacts", "101").await);
                    assert_eq!(refused.said(), (Code::PermissionDenied, "PORTAL_MISMATCH"));
                }
            }
        }
    }))
    .await;

    let events = fleet.audit_events(Service::Crm).await;
    assert_dense(&events);
    let asked = without_proofs(&events);
    let (intents, outcomes) = (intents_by_entry(&asked), outcomes_by_attempt(&asked));
    let made = CALLERS * CALLS / 4 * 3;
    assert_eq!(
        (intents.len(), outcomes.len()),
        (made, made),
        "every call has its two entries"
    );
    let mut journal = fleet.hubspot.journal();
    journal.retain(|entry| entry.path.starts_with("/crm/"));
    assert_eq!(journal.len(), made);
    for received in &journal {
        let intent = received.header("x-request-id").and_then(|id| intents.get(id));
        let intent = intent.unwrap_or_else(|| panic!("without a record: {received:?}"));
        assert_eq!(received.portal_id, Some(intent.portal_id), "a foreign request");
    }
    let denials = events
        .iter()
        .map(proto_entry)
        .filter(|entry| entry.phase() == Phase::Denied);
    assert_eq!(denials.count(), CALLERS * CALLS / 4, "every refusal is on record");

    // One stream, served by one replica, has the entries of both, each once and in order.
    let seen = streamed(&fleet, events.len() as u64).await;
    assert_eq!(seen, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_revoked_at_one_replica_opens_nothing_at_any_within_a_second() {
    let fleet = fleet().await;
    let handle = fleet.handle(&slug(0)).issue().await;
    let callers: Vec<_> = (0..4).map(|_| fleet.crm_as("sync").with(&handle)).collect();
    for crm in &callers {
        crm.get("contacts", "101").await.expect("in memory from now on");
    }
    let target = Some(Target::Handle(handle.token.clone()));
    let mut handles = HandleServiceClient::new(fleet.channel(Service::Credential));
    let revoked = handles
        .revoke_handle(named(
            "sync",
            RevokeHandleRequest {
                target,
                ..RevokeHandleRequest::default()
            },
        ))
        .await;
    revoked.expect("revoked");
    for crm in &callers {
        eventually!(Duration::from_secs(1), crm.get("contacts", "101").await.is_err());
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_INVALID"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_one_list_come_from_any_replica() {
    let fleet = fleet().await;
    let handle = fleet.handle(&slug(0)).issue().await;
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListObjectsRequest {
            client_slug: slug(0),
            object_type: "contacts".to_owned(),
            page_size: 2,
            page_token,
            ..ListObjectsRequest::default()
        };
        // Each page on a new connection, so that the next replica answers.
        let page = fleet
            .crm_as("sync")
            .with(&handle)
            .list_by(request)
            .await
            .expect("a page");
        seen.extend(page.objects.into_iter().map(|object| object.object_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let journal = fleet.hubspot.journal();
    let pages = journal
        .iter()
        .filter(|received| received.path.starts_with("/crm/"))
        .count();
    assert!(pages > 2, "the list has more than two pages, and has {pages}");
    let mut unique = seen.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(seen.len(), unique.len(), "each record once");
}
