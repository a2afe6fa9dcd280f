//! One portal per handle, one caller per handle, and no more than the handle allows.

use hubkeep_audit_log::Phase;
use hubkeep_proto::crm::v1::{FilterGroup, GetObjectRequest, SearchObjectsRequest, Sort};
use hubkeep_tests::{Allow, Hubkeep, ObjectType, Refused, Service, World, support::crm::equals};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";

async fn two_portals() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    hubkeep
}

#[tokio::test]
async fn a_handle_of_one_portal_is_refused_where_another_is_named_and_nothing_is_sent() {
    let hubkeep = two_portals().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).naming(B);
    let answers = [
        Refused::in_place_of(crm.get("contacts", "101").await),
        Refused::in_place_of(crm.list("contacts").await),
        Refused::in_place_of(crm.search("contacts", "lastname", B).await),
        Refused::in_place_of(crm.create("contacts", &[("firstname", "x")]).await),
        Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "x")]).await),
        Refused::in_place_of(crm.archive("contacts", "101").await),
        Refused::in_place_of(crm.owners().await),
        Refused::in_place_of(crm.owner("1").await),
    ];
    for refused in &answers {
        assert_eq!(refused.said(), (Code::PermissionDenied, "PORTAL_MISMATCH"));
        assert_eq!(refused.metadata["requested_client_slug"], B);
        assert_eq!(refused.retry_after, None);
    }
    assert!(
        hubkeep.hubspot_calls().is_empty(),
        "nothing is sent for a refused call"
    );

    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert_eq!(denied.len(), answers.len(), "each refusal is on record");
    for entry in denied {
        assert_eq!(
            entry.client_slug, A,
            "in the log of the portal that the handle proves"
        );
        assert_eq!(entry.reason().wire_name(), "PORTAL_MISMATCH");
    }
}

#[tokio::test]
async fn equal_ids_in_two_portals_are_two_records() {
    let hubkeep = two_portals().await;
    for slug in [A, B] {
        let handle = hubkeep.handle(slug).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle);
        let read = crm.get("contacts", "101").await.expect("read");
        assert_eq!(read.object.expect("found").properties["lastname"], slug);
        let reply = read.reply.expect("about the call");
        assert_eq!(
            (reply.portal_id, reply.client_slug.as_str()),
            (hubkeep.portal_id(slug), slug)
        );
        crm.update("contacts", "101", &[("firstname", slug)])
            .await
            .expect("written");
    }
    for slug in [A, B] {
        let record = hubkeep
            .hubspot
            .record(hubkeep.portal_id(slug), ObjectType::Contacts, 101);
        assert_eq!(record.expect("there")["properties"]["firstname"], slug);
    }
    let handle = hubkeep.handle(A).issue().await;
    hubkeep
        .crm_as("sync")
        .with(&handle)
        .archive("contacts", "102")
        .await
        .expect("archived");
    let left = |slug| {
        hubkeep
            .hubspot
            .record_count(hubkeep.portal_id(slug), ObjectType::Contacts)
    };
    assert_eq!((left(A), left(B)), (4, 5));
}

#[tokio::test]
async fn a_handle_of_another_caller_is_no_handle() {
    let hubkeep = two_portals().await;
    let handle = hubkeep.handle(A).for_caller("sync").issue().await;
    hubkeep
        .crm_as("sync")
        .with(&handle)
        .get("contacts", "101")
        .await
        .expect("its own");
    let stolen = hubkeep.crm_as("agent").with(&handle).get("contacts", "101").await;
    let refused = Refused::in_place_of(stolen);
    assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_INVALID"));
    assert!(refused.metadata.is_empty(), "why is on the log only");
    assert_eq!(hubkeep.hubspot_calls().len(), 1);
}

#[tokio::test]
async fn a_handle_allows_the_operations_and_types_it_names_and_no_other() {
    let hubkeep = two_portals().await;
    let handle = hubkeep
        .handle(A)
        .allow([Allow::Get, Allow::List])
        .types(["contacts"])
        .issue()
        .await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("allowed");
    crm.get("0-1", "101")
        .await
        .expect("the type's id is the same type");
    crm.list("contacts").await.expect("allowed");
    let refusals = [
        (
            Refused::in_place_of(crm.get("companies", "101").await),
            "GET",
            "companies",
        ),
        (
            Refused::in_place_of(crm.get("0-2", "101").await),
            "GET",
            "companies",
        ),
        (
            Refused::in_place_of(crm.search("contacts", "email", "x").await),
            "SEARCH",
            "contacts",
        ),
        (
            Refused::in_place_of(crm.create("contacts", &[("firstname", "x")]).await),
            "CREATE",
            "contacts",
        ),
        (
            Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "x")]).await),
            "UPDATE",
            "contacts",
        ),
        (
            Refused::in_place_of(crm.archive("contacts", "101").await),
            "ARCHIVE",
            "contacts",
        ),
        (Refused::in_place_of(crm.owners().await), "LIST", "owners"),
    ];
    for (refused, operation, object_type) in refusals {
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["operation"].to_uppercase(), operation);
        assert_eq!(refused.metadata["object_type"], object_type);
    }
    assert_eq!(hubkeep.hubspot_calls().len(), 3);
}

#[tokio::test]
async fn a_handle_limited_to_properties_neither_shows_nor_writes_nor_filters_by_others() {
    let hubkeep = two_portals().await;
    let handle = hubkeep.handle(A).properties(["firstname"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);

    let wanted = GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: "101".to_owned(),
        properties: vec!["email".to_owned(), "firstname".to_owned()],
        ..GetObjectRequest::default()
    };
    let seen = [
        crm.get("contacts", "101").await.expect("read").object,
        crm.get_by(wanted).await.expect("read").object,
        crm.update("contacts", "101", &[("firstname", "new")])
            .await
            .expect("written")
            .object,
        crm.create("contacts", &[("firstname", "another")])
            .await
            .expect("written")
            .object,
    ];
    let listed = crm.list("contacts").await.expect("listed").objects;
    let found = crm
        .search("contacts", "firstname", "new")
        .await
        .expect("found")
        .objects;
    assert_eq!(found.len(), 1);
    for object in seen.into_iter().flatten().chain(listed).chain(found) {
        let names: Vec<&String> = object.properties.keys().collect();
        assert_eq!(names, ["firstname"], "of {}", object.object_id);
    }
    for call in hubkeep.hubspot_calls().iter().filter(|call| call.method == "GET") {
        assert!(
            call.query.contains("properties=firstname"),
            "asked for more: {}",
            call.query
        );
    }

    let before = hubkeep.hubspot_calls().len();
    let search = |filter, sort: Option<&str>, query: &str| SearchObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        filter_groups: vec![FilterGroup {
            filters: vec![equals(filter, "x")],
        }],
        sort: sort.map(|property| Sort {
            property: property.to_owned(),
            descending: false,
        }),
        query: query.to_owned(),
        ..SearchObjectsRequest::default()
    };
    let by_email = GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: "contact1@client-0001.example".to_owned(),
        id_property: "email".to_owned(),
        ..GetObjectRequest::default()
    };
    let refusals = [
        Refused::in_place_of(crm.search_by(search("email", None, "")).await),
        Refused::in_place_of(crm.search_by(search("firstname", Some("email"), "")).await),
        Refused::in_place_of(crm.search_by(search("firstname", None, "words")).await),
        Refused::in_place_of(crm.update("contacts", "101", &[("email", "x@y.example")]).await),
        Refused::in_place_of(crm.create("contacts", &[("email", "x@y.example")]).await),
        Refused::in_place_of(crm.get_by(by_email).await),
    ];
    for refused in refusals {
        assert_eq!(
            refused.said(),
            (Code::PermissionDenied, "FIELD_NOT_ALLOWED"),
            "{refused:?}"
        );
    }
    assert_eq!(
        hubkeep.hubspot_calls().len(),
        before,
        "nothing is sent for a refused call"
    );
}
