//! What records have to do with each other: read, made, kept and ended.

use hubkeep_proto::crm::v1::{
    AssociationLabel, CreateObjectRequest, GetObjectRequest, ListAssociationLabelsRequest, NewAssociation,
};
use hubkeep_tests::{
    Allow, Crm, Hubkeep, Limits, ObjectType, PortalSpec, Refused, TokenSpec, World,
    support::{
        limited::{Limited, Wish},
        related::Pair,
    },
};
use tonic::Code;

const A: &str = "acme";
const ID: u64 = 4_242;
const ANN: (&str, &str) = ("contacts", "101");
const ACME: (&str, &str) = ("companies", "10000101");
const GLOBEX: (&str, &str) = ("companies", "10000102");
/// HubSpot's own: a contact's primary company.
const PRIMARY: u32 = 1;
/// And the one without a label.
const CONTACT_TO_COMPANY: u32 = 279;

fn world() -> World {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-associa-0001");
    let portal = PortalSpec::new(A, ID)
        .token(token)
        .limits(Limits::unlimited())
        .record(ObjectType::Contacts, &[("email", "ann@acme.example")])
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

fn kind(type_id: u32) -> AssociationLabel {
    AssociationLabel {
        type_id,
        ..AssociationLabel::default()
    }
}

/// The companies of the contact, each with the kinds by which it is one.
async fn companies(crm: &Crm) -> Vec<(String, Vec<u32>)> {
    let page = crm.associated(ANN, "companies").await.expect("answered");
    let mut found: Vec<_> = page
        .records
        .into_iter()
        .map(|record| {
            let mut kinds: Vec<u32> = record.labels.iter().map(|label| label.type_id).collect();
            kinds.sort_unstable();
            (record.object_id, kinds)
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn two_records_are_associated_and_that_is_ended_again() {
    let (_hubkeep, crm) = hubkeep().await;
    assert!(companies(&crm).await.is_empty());
    crm.associate((ANN, ACME), vec![]).await.expect("associated");
    crm.associate((ANN, ACME), vec![]).await.expect("nothing changes");
    assert_eq!(
        companies(&crm).await,
        [(ACME.1.to_owned(), vec![CONTACT_TO_COMPANY])]
    );
    let other_way = crm.associated(ACME, "contacts").await.expect("answered").records;
    assert_eq!(other_way[0].object_id, ANN.1);
    crm.dissociate((ANN, ACME)).await.expect("ended");
    crm.dissociate((ANN, ACME)).await.expect("nothing changes");
    assert!(companies(&crm).await.is_empty());
}

#[tokio::test]
async fn labels_that_are_there_are_kept_when_others_are_given() {
    let (hubkeep, crm) = hubkeep().await;
    let own = hubkeep
        .hubspot
        .define_label(ID, (ObjectType::Contacts, ObjectType::Companies), "Advisor")
        .expect("defined");
    let labels = crm
        .associations()
        .list_association_labels(crm.request(ListAssociationLabelsRequest {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            to_object_type: "companies".to_owned(),
            ..ListAssociationLabelsRequest::default()
        }))
        .await
        .expect("answered")
        .into_inner()
        .labels;
    let advisor = labels.into_iter().find(|label| label.label == "Advisor");
    let advisor = advisor.expect("the portal's own");
    assert_eq!(
        (advisor.type_id, advisor.category.as_str()),
        (own, "USER_DEFINED")
    );

    crm.associate((ANN, ACME), vec![advisor.clone()])
        .await
        .expect("associated");
    let both = crm.associate((ANN, ACME), vec![kind(PRIMARY)]).await;
    let mut told: Vec<u32> = both
        .expect("associated")
        .labels
        .iter()
        .map(|label| label.type_id)
        .collect();
    told.sort_unstable();
    assert_eq!(told, [PRIMARY, own]);
    let there = companies(&crm).await;
    assert!(
        there[0].1.contains(&PRIMARY) && there[0].1.contains(&own),
        "{there:?}"
    );
}

#[tokio::test]
async fn a_record_is_made_with_what_it_belongs_to_and_read_with_it() {
    let (hubkeep, crm) = hubkeep().await;
    let request = |type_id: u32, category: &str| CreateObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        properties: [("email".to_owned(), "bo@acme.example".to_owned())].into(),
        associations: vec![NewAssociation {
            object_type: ACME.0.to_owned(),
            object_id: ACME.1.to_owned(),
            type_id,
            category: category.to_owned(),
        }],
        ..CreateObjectRequest::default()
    };
    for (message, field) in [
        (request(0, ""), "associations[0].type_id"),
        (request(1, "MINE"), "associations[0].category"),
    ] {
        let refused = Refused::in_place_of(crm.create_by(message).await);
        assert_eq!(refused.fields, [field]);
    }
    let made = crm
        .create_by(request(CONTACT_TO_COMPANY, ""))
        .await
        .expect("made");
    let id = made.object.expect("told").object_id;
    let wanted = GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: id.clone(),
        associated_types: vec!["companies".to_owned()],
        history_properties: vec!["email".to_owned()],
        ..GetObjectRequest::default()
    };
    let read = crm
        .get_by(wanted.clone())
        .await
        .expect("read")
        .object
        .expect("told");
    assert_eq!(read.associations["companies"].object_ids, [ACME.1]);
    assert_eq!(read.history["email"].values[0].value, "bo@acme.example");

    let contacts_only = hubkeep.handle(A).types(["contacts"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&contacts_only);
    let before = hubkeep.hubspot_calls().len();
    for refusal in [
        crm.get_by(wanted).await.map(drop),
        crm.create_by(request(CONTACT_TO_COMPANY, "")).await.map(drop),
        crm.associated(ANN, "companies").await.map(drop),
        crm.associate((ANN, ACME), vec![]).await.map(drop),
        crm.dissociate((ANN, ACME)).await.map(drop),
    ] {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["object_type"], "companies");
    }
    assert_eq!(hubkeep.hubspot_calls().len(), before);
}

#[tokio::test]
async fn who_may_read_associations_may_not_make_them() {
    let (hubkeep, _) = hubkeep().await;
    let reader = hubkeep.handle(A).allow([Allow::Get, Allow::List]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&reader);
    crm.associated(ANN, "companies").await.expect("read");
    for refusal in [
        crm.associate((ANN, GLOBEX), vec![]).await.map(drop),
        crm.dissociate((ANN, GLOBEX)).await.map(drop),
    ] {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.metadata["operation"], "ASSOCIATE");
    }
}

#[tokio::test]
async fn a_handle_for_some_owners_records_neither_reads_nor_changes_associations() {
    let limited = Limited::start(world()).await;
    let wish = Wish {
        properties: &[],
        pipelines: &[],
        owner_ids: &["7"],
        max_calls: 0,
        max_records: 0,
        slice: 1_000,
        keep_for: std::time::Duration::from_secs(60),
        writes_need_approval: false,
    };
    let crm = limited.holder(A, &wish);
    let pair: Pair<'_> = (ANN, ACME);
    for refusal in [
        crm.associated(ANN, "companies").await.map(drop),
        crm.associate(pair, vec![]).await.map(drop),
        crm.dissociate(pair).await.map(drop),
        crm.get_by(GetObjectRequest {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: ANN.1.to_owned(),
            associated_types: vec!["companies".to_owned()],
            ..GetObjectRequest::default()
        })
        .await
        .map(drop),
    ] {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    }
    assert!(limited.sent().is_empty());
}
