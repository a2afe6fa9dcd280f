//! Records that are made many at once, each with what it belongs to from the start.

use std::time::Duration;

use hubkeep_proto::{
    crm::v1::{BatchCreateObjectsRequest, GetObjectRequest, NewAssociation, ObjectToCreate},
    error::v1::ErrorReason,
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, PortalSpec, Refused, TokenSpec, World,
    support::{
        limited::{Limited, Wish},
        many::rows,
        writes::write_id,
    },
};
use tonic::Code;

const A: &str = "acme";
const ACME: &str = "10000101";
const GLOBEX: &str = "10000102";
const NOWHERE: &str = "999";
const CONTACT_TO_COMPANY: u32 = 279;
const CREATE: &str = "/crm/objects/2026-09/contacts/batch/create";

fn world() -> World {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-madewith-0001");
    let portal = PortalSpec::new(A, 4_242)
        .token(token)
        .limits(Limits::unlimited())
        .record(ObjectType::Companies, &[("name", "Acme")])
        .record(ObjectType::Companies, &[("name", "Globex")]);
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn with_company(id: &str) -> NewAssociation {
    NewAssociation {
        object_type: "companies".to_owned(),
        object_id: id.to_owned(),
        type_id: CONTACT_TO_COMPANY,
        category: String::new(),
    }
}

fn contact(email: &str, associations: Vec<NewAssociation>) -> ObjectToCreate {
    ObjectToCreate {
        properties: [("email".to_owned(), email.to_owned())].into(),
        associations,
    }
}

fn message(inputs: Vec<ObjectToCreate>) -> BatchCreateObjectsRequest {
    BatchCreateObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        inputs,
        ..BatchCreateObjectsRequest::default()
    }
}

/// The companies of a contact.
async fn companies(crm: &Crm, id: &str) -> Vec<String> {
    let wanted = GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: id.to_owned(),
        associated_types: vec!["companies".to_owned()],
        ..GetObjectRequest::default()
    };
    let read = crm.get_by(wanted).await.expect("read").object.expect("told");
    let found = read.associations.get("companies");
    found.map(|found| found.object_ids.clone()).unwrap_or_default()
}

fn sent(hubkeep: &Hubkeep) -> usize {
    let calls = hubkeep.hubspot_calls();
    calls.iter().filter(|call| call.path == CREATE).count()
}

#[tokio::test]
async fn each_record_of_a_batch_is_made_with_what_it_belongs_to() {
    let (hubkeep, crm) = hubkeep().await;
    let inputs = vec![
        contact("ann@new.example", vec![with_company(ACME), with_company(GLOBEX)]),
        contact("bob@new.example", vec![with_company(NOWHERE)]),
        contact("cy@new.example", vec![with_company(GLOBEX)]),
        contact("dee@new.example", Vec::new()),
    ];
    let made = crm.create_many_by(message(inputs)).await.expect("answered");
    let told = rows(&made.results);
    assert_eq!(told[1].as_ref().err(), Some(&ErrorReason::HubspotValidation));
    let mut found = Vec::new();
    for place in [0, 2, 3] {
        let id = &told[place].as_ref().expect("made").object_id;
        found.push(companies(&crm, id).await);
    }
    assert_eq!(found, [vec![ACME, GLOBEX], vec![GLOBEX], vec![]]);
    assert_eq!(sent(&hubkeep), 1);
}

#[tokio::test]
async fn every_fault_of_an_association_is_told_with_its_place() {
    let (hubkeep, crm) = hubkeep().await;
    let wrong = NewAssociation {
        type_id: 0,
        object_id: "x".to_owned(),
        ..with_company(ACME)
    };
    let inputs = vec![
        contact("ann@new.example", vec![with_company(ACME); 101]),
        contact("bob@new.example", vec![with_company(ACME), wrong]),
    ];
    let refused = Refused::in_place_of(crm.create_many_by(message(inputs)).await);
    assert_eq!(
        refused.fields,
        [
            "inputs[0].associations",
            "inputs[1].associations[1].object_id",
            "inputs[1].associations[1].type_id"
        ]
    );
    assert_eq!(sent(&hubkeep), 0);
}

#[tokio::test]
async fn whoever_makes_records_that_belong_to_others_may_associate_both() {
    let (hubkeep, _) = hubkeep().await;
    let belonging = || message(vec![contact("ann@new.example", vec![with_company(ACME)])]);
    let maker = hubkeep.handle(A).allow([Allow::Create]).issue().await;
    let maker = hubkeep.crm_as("sync").with(&maker);
    let refused = Refused::in_place_of(maker.create_many_by(belonging()).await);
    assert_eq!(refused.metadata["operation"], "ASSOCIATE");
    let contacts_only = hubkeep.handle(A).types(["contacts"]).issue().await;
    let contacts_only = hubkeep.crm_as("sync").with(&contacts_only);
    let refused = Refused::in_place_of(contacts_only.create_many_by(belonging()).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    assert_eq!(refused.metadata["object_type"], "companies");
    assert_eq!(sent(&hubkeep), 0);
    let alone = message(vec![contact("ann@new.example", Vec::new())]);
    maker.create_many_by(alone).await.expect("it belongs to nobody");
}

#[tokio::test]
async fn a_handle_for_some_owners_records_makes_none_that_belong_to_others() {
    let limited = Limited::start(world()).await;
    let wish = Wish {
        properties: &[],
        pipelines: &[],
        owner_ids: &["7"],
        max_calls: 0,
        max_records: 0,
        slice: 1_000,
        keep_for: Duration::from_secs(60),
        writes_need_approval: false,
    };
    let crm = limited.holder(A, &wish);
    let mut inside = contact("ann@new.example", vec![with_company(ACME)]);
    let owned = ("hubspot_owner_id".to_owned(), "7".to_owned());
    inside.properties.extend([owned]);
    let refused = Refused::in_place_of(crm.create_many_by(message(vec![inside])).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    assert!(limited.sent().is_empty());
}

#[tokio::test]
async fn records_that_belong_to_others_are_made_once_also_where_the_answer_is_lost() {
    let (hubkeep, crm) = hubkeep().await;
    let inputs = || {
        let both = [("ann@new.example", ACME), ("bob@new.example", GLOBEX)];
        let inputs = both.map(|(email, company)| contact(email, vec![with_company(company)]));
        BatchCreateObjectsRequest {
            request_id: write_id(1),
            ..message(inputs.to_vec())
        }
    };
    let lost = FaultRule::new(Fault::CutConnection).path(CREATE).times(1);
    hubkeep.hubspot.inject(lost.after_effect());
    let refused = Refused::in_place_of(crm.create_many_by(inputs()).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let found = crm.create_many_by(inputs()).await.expect("they were made");
    let told = rows(&found.results);
    let ann = &told[0].as_ref().expect("made").object_id;
    assert_eq!(companies(&crm, ann).await, [ACME]);
    let mut other = inputs();
    other.inputs[0].associations.clear();
    let refused = Refused::in_place_of(crm.create_many_by(other).await);
    assert_eq!(
        refused.reason, "REQUEST_ID_REUSED",
        "other bytes are another write"
    );
    assert_eq!(sent(&hubkeep), 1);
}
