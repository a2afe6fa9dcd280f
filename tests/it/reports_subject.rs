//! The report about a person tells every access to the person's record that is on record, and says what it cannot tell.

use hubkeep_audit_log::{Event, Operation, Phase};
use hubkeep_proto::{
    audit::v1::{
        ErasePayloadsRequest, OpenPayloadRequest, PayloadSubject, audit_service_client::AuditServiceClient,
        erase_payloads_request::Of,
    },
    crm::v1::{Report, ReportScope},
};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, proto_entry,
    support::{
        audit::Reader,
        portals::OPERATOR,
        reports::{Kind, json, of},
    },
};
use tonic::Code;

const A: &str = "client-0001";

async fn started() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

async fn about(hubkeep: &Hubkeep, id: &'static str) -> Report {
    let scope = ReportScope {
        expected_portal_id: hubkeep.portal_id(A),
        ..of(A)
    };
    let kind = Kind::Subject("contacts", id);
    let made = hubkeep.report(Reader::Operator(OPERATOR), kind, scope).await;
    made.expect("an auditor")
}

/// Who did what with this contact, and how it ended.
async fn accesses(hubkeep: &Hubkeep, id: &'static str) -> Vec<[String; 3]> {
    let report = json(&about(hubkeep, id).await);
    let accesses = report["report"]["accesses"].as_array().expect("listed").iter();
    accesses
        .map(|access| {
            ["caller", "operation", "result"].map(|name| access[name].as_str().expect("text").to_owned())
        })
        .collect()
}

fn access(caller: &str, operation: &str, result: &str) -> [String; 3] {
    [caller, operation, result].map(str::to_owned)
}

async fn intent_of(hubkeep: &Hubkeep, operation: Operation) -> Event {
    let mut events = hubkeep.audit_events(Service::Crm).await;
    events.retain(|event| {
        let entry = proto_entry(event);
        (entry.phase(), entry.operation()) == (Phase::Intent, operation)
    });
    events.pop().expect("an intent")
}

fn audit(hubkeep: &Hubkeep) -> AuditServiceClient<tonic::transport::Channel> {
    AuditServiceClient::new(hubkeep.door(Service::Crm).of(OPERATOR))
}

async fn open(hubkeep: &Hubkeep, intent: &Event) {
    let request = OpenPayloadRequest {
        position: intent.position,
        reason: "a look".to_owned(),
    };
    let opened = audit(hubkeep).open_payload(hubkeep.by_operator(request)).await;
    assert!(opened.expect("opened").into_inner().payload.is_some());
}

async fn erase(hubkeep: &Hubkeep, of: Of) -> u64 {
    let request = ErasePayloadsRequest {
        of: Some(of),
        reason: "Art. 17 request".to_owned(),
    };
    let erased = audit(hubkeep).erase_payloads(hubkeep.by_operator(request)).await;
    erased.expect("erased").into_inner().erased_count
}

fn subject(id: &str) -> Of {
    Of::Subject(PayloadSubject {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: id.to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_or_erases_what_lies_sealed_of_a_person_stands_in_that_persons_report() {
    let (hubkeep, crm) = started().await;
    crm.update("contacts", "101", &[("firstname", "Ann")])
        .await
        .expect("written");
    crm.read_many("contacts", &["102", "103"]).await.expect("read");
    let one = intent_of(&hubkeep, Operation::ObjectUpdate).await;
    let many = intent_of(&hubkeep, Operation::ObjectBatchRead).await;
    open(&hubkeep, &one).await;
    open(&hubkeep, &many).await;
    let opened = access(OPERATOR, "PAYLOAD_OPEN", "DONE");
    for id in ["101", "102", "103"] {
        let told = accesses(&hubkeep, id).await;
        assert_eq!(
            told.iter().filter(|one| **one == opened).count(),
            1,
            "{id}: {told:?}"
        );
    }
    assert!(accesses(&hubkeep, "104").await.is_empty());
    assert_eq!(erase(&hubkeep, Of::Position(many.position)).await, 1);
    assert_eq!(erase(&hubkeep, subject("101")).await, 1);
    let erased = access(OPERATOR, "PAYLOAD_ERASE", "DONE");
    for id in ["101", "102", "103"] {
        let told = accesses(&hubkeep, id).await;
        assert!(told.contains(&erased), "{id}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_an_access_to_the_record_that_ends_and_what_is_sealed_of_it_is_found_by_it() {
    let (hubkeep, crm) = started().await;
    crm.merge("contacts", "101", "102").await.expect("merged");
    for id in ["101", "102"] {
        let told = accesses(&hubkeep, id).await;
        assert_eq!(told, [access("sync", "OBJECT_MERGE", "DONE")], "{id}");
    }
    assert_eq!(erase(&hubkeep, subject("102")).await, 1, "by the one that ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_nobody_knows_what_became_names_every_record_that_it_was_about() {
    let (hubkeep, crm) = started().await;
    let path = "/crm/objects/2026-09/contacts/batch/update";
    let lost = FaultRule::new(Fault::CutConnection).path(path);
    hubkeep.hubspot.inject(lost.after_effect());
    let changes = [
        ("101", vec![("firstname", "Ann")]),
        ("102", vec![("firstname", "Bob")]),
    ];
    let refused = Refused::in_place_of(crm.update_many("contacts", &changes).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    for id in ["101", "102"] {
        let told = accesses(&hubkeep, id).await;
        assert!(
            told.contains(&access("sync", "OBJECT_BATCH_UPDATE", "UNKNOWN")),
            "{id}: {told:?}"
        );
    }
    assert!(accesses(&hubkeep, "103").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_entry_says_of_a_person_is_told_to_be_missing() {
    let (hubkeep, crm) = started().await;
    crm.get("contacts", "101").await.expect("read");
    let gaps = about(&hubkeep, "101").await.gaps;
    for what in ["associations: ", "other names: "] {
        assert!(gaps.iter().any(|gap| gap.starts_with(what)), "{what} in {gaps:?}");
    }
}
