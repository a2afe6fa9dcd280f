//! What is personal in a call lies sealed beside its entry: all of it, nothing more, and for operators only.

use hubkeep_audit_log::{Event, Phase};
use hubkeep_proto::audit::v1::{
    ErasePayloadsRequest, OpenPayloadRequest, OpenPayloadResponse, PayloadState, PayloadSubject,
    SealedPayload, audit_service_client::AuditServiceClient, erase_payloads_request::Of,
};
use hubkeep_proto::credential::v1::ErasePortalRequest;
use hubkeep_tests::{
    Hubkeep, Refused, Service, World, proto_entry,
    support::{audit::Reader, portals::OPERATOR},
};
use tonic::Status;

const A: &str = "client-0001";
const B: &str = "client-0002";
const EMAIL: &str = "ann.sealed@person.example";
const WHY: &str = "Art. 15 request";

async fn open(hubkeep: &Hubkeep, reader: Reader<'_>, position: u64) -> Result<OpenPayloadResponse, Status> {
    let mut client = AuditServiceClient::new(hubkeep.door(Service::Crm).of(reader.name()));
    let request = OpenPayloadRequest {
        position,
        reason: WHY.to_owned(),
    };
    let opened = client.open_payload(reader.request(hubkeep, request)).await?;
    Ok(opened.into_inner())
}

async fn opened(hubkeep: &Hubkeep, position: u64) -> OpenPayloadResponse {
    let opened = open(hubkeep, Reader::Operator(OPERATOR), position).await;
    opened.expect("read")
}

async fn erased_of(hubkeep: &Hubkeep, slug: &str, object_id: &str) -> u64 {
    let reader = Reader::Operator(OPERATOR);
    let mut client = AuditServiceClient::new(hubkeep.door(Service::Crm).of(reader.name()));
    let request = ErasePayloadsRequest {
        of: Some(Of::Subject(PayloadSubject {
            client_slug: slug.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: object_id.to_owned(),
        })),
        reason: "Art. 17 request".to_owned(),
    };
    let erased = client.erase_payloads(reader.request(hubkeep, request)).await;
    erased.expect("erased").into_inner().erased_count
}

/// The intents of crm-service, in order, but for questions of its own.
async fn intents(hubkeep: &Hubkeep) -> Vec<Event> {
    let mut events = hubkeep.audit_events(Service::Crm).await;
    events.retain(|event| {
        let entry = proto_entry(event);
        entry.phase() == Phase::Intent && !entry.object_type.is_empty()
    });
    events
}

/// What lies beside the newest intent, which is opened.
async fn newest(hubkeep: &Hubkeep) -> SealedPayload {
    let intent = intents(hubkeep).await.pop().expect("an intent");
    let opened = opened(hubkeep, intent.position).await;
    assert_eq!(opened.state(), PayloadState::Opened);
    opened.payload.expect("given")
}

fn ids(payload: &SealedPayload) -> Vec<(&str, &str)> {
    let records = payload.records.iter();
    records
        .map(|record| (record.object_type.as_str(), record.object_id.as_str()))
        .collect()
}

async fn holds_what_is_personal(hubkeep: Hubkeep) {
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).for_person("user-17").issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);

    crm.get("contacts", "101").await.expect("reads");
    let read = newest(&hubkeep).await;
    assert_eq!(read.end_user, "user-17");
    assert_eq!(read.path, "/crm/objects/2026-09/contacts/101");
    assert_eq!(ids(&read), [("contacts", "101")]);
    assert!(read.records[0].values.is_empty(), "what is read is not kept");

    crm.update(
        "contacts",
        "101",
        &[("email", EMAIL), ("firstname", &"é".repeat(600))],
    )
    .await
    .expect("changes");
    let written = newest(&hubkeep).await;
    let values = &written.records[0].values;
    assert_eq!(
        (values[0].name.as_str(), values[0].value.as_str()),
        ("email", EMAIL)
    );
    assert_eq!((values[1].value.len(), values[1].cut), (1_024, true));

    crm.search("contacts", "email", EMAIL).await.expect("searches");
    let searched = newest(&hubkeep).await;
    assert_eq!(searched.conditions[0].property, "email");
    assert_eq!(searched.conditions[0].operator, "EQ");
    assert_eq!(searched.conditions[0].values, [EMAIL]);

    crm.create_many(
        "contacts",
        &[
            vec![("email", "one@person.example")],
            vec![("email", "two@person.example")],
        ],
    )
    .await
    .expect("creates");
    let made = newest(&hubkeep).await;
    assert_eq!(ids(&made), [("contacts", ""), ("contacts", "")]);
    assert_eq!(made.records[1].values[0].value, "two@person.example");

    let entries = hubkeep.audit_events(Service::Crm).await;
    let printed = format!("{entries:?}");
    for personal in [EMAIL, "user-17", "one@person.example"] {
        assert!(!printed.contains(personal), "{personal} is in the log itself");
    }
    let by_handle = Refused::in_place_of(open(&hubkeep, Reader::Holder(&handle), 1).await);
    assert_eq!(by_handle.reason, "OPERATION_NOT_ALLOWED");
}

#[tokio::test]
async fn what_is_personal_in_a_call_is_sealed_beside_its_intent() {
    holds_what_is_personal(Hubkeep::start(World::of_portals(1)).await).await;
}

#[tokio::test]
async fn what_is_personal_in_a_call_is_sealed_beside_its_intent_on_postgresql() {
    holds_what_is_personal(Hubkeep::over(World::of_portals(1)).postgres().start().await).await;
}

#[tokio::test]
async fn what_is_about_a_record_is_erased_by_its_id_and_of_a_batch_the_whole() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("reads");
    crm.update_many(
        "contacts",
        &[
            ("101", vec![("firstname", "Ann")]),
            ("102", vec![("firstname", "Bob")]),
        ],
    )
    .await
    .expect("changes");
    crm.get("contacts", "102").await.expect("reads");
    let calls = intents(&hubkeep).await;
    assert_eq!(erased_of(&hubkeep, A, "101").await, 2);
    let mut states = Vec::new();
    for call in &calls {
        states.push(opened(&hubkeep, call.position).await.state());
    }
    let [.., first, batch, other] = states.as_slice() else {
        panic!("three calls, not {states:?}");
    };
    assert_eq!(
        (first, batch, other),
        (
            &PayloadState::Erased,
            &PayloadState::Erased,
            &PayloadState::Opened
        )
    );
    assert_eq!(erased_of(&hubkeep, A, "101").await, 0, "once more");
}

#[tokio::test]
async fn nothing_is_left_beside_the_entries_of_an_erased_portal() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    for slug in [A, B] {
        let handle = hubkeep.handle(slug).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle);
        crm.get("contacts", "101").await.expect("reads");
    }
    let calls = intents(&hubkeep).await;
    let request = hubkeep.by_operator(ErasePortalRequest {
        client_slug: A.to_owned(),
        expected_portal_id: hubkeep.portal_id(A),
    });
    hubkeep.portals().erase_portal(request).await.expect("erased");
    for call in calls {
        let opened = opened(&hubkeep, call.position).await;
        let of_a = proto_entry(&call).client_slug == A;
        let expected = match of_a {
            true => PayloadState::Erased,
            false => PayloadState::Opened,
        };
        assert_eq!(opened.state(), expected);
        assert_eq!(opened.gone_time.is_some(), of_a);
    }
}

#[tokio::test]
async fn nothing_is_sealed_where_that_is_turned_off() {
    let setup = Hubkeep::over(World::of_portals(1));
    let hubkeep = setup
        .crm(|config| config.audit.payloads.enabled = false)
        .start()
        .await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("reads");
    let intent = intents(&hubkeep).await.pop().expect("an intent");
    assert!(proto_entry(&intent).payload_sha256.is_empty());
    assert_eq!(
        opened(&hubkeep, intent.position).await.state(),
        PayloadState::None
    );
}
