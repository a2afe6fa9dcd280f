//! A walk over all records of a type, with the histories of properties and what each record is associated with.

use hubkeep_proto::crm::v1::{Filter, FilterGroup, FilterOperator, Object, StreamObjectsRequest};
use hubkeep_tests::{
    Allow, Crm, Hubkeep, Limits, ObjectType, Refused, World,
    support::walks::{Seen, contacts},
};
use tonic::Code;

const A: &str = "client-0001";
const CONTACTS: usize = 120;
const PAGE: usize = 50;

async fn hubkeep() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn reader(hubkeep: &Hubkeep) -> Crm {
    let handle = hubkeep.handle(A).allow([Allow::List, Allow::Get]).issue().await;
    hubkeep.crm_as("sync").with(&handle)
}

/// All contacts, with what they were called and which companies they belong to.
fn whole() -> StreamObjectsRequest {
    StreamObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        history_properties: vec!["lastname".to_owned()],
        associated_types: vec!["companies".to_owned()],
        ..StreamObjectsRequest::default()
    }
}

/// How HubSpot was asked for pages of contacts.
fn asked(hubkeep: &Hubkeep) -> Vec<String> {
    let calls = hubkeep.hubspot_calls().into_iter();
    calls
        .filter(|call| call.path.ends_with("/contacts"))
        .map(|call| call.query)
        .collect()
}

#[tokio::test]
async fn every_record_comes_with_its_history_and_what_it_belongs_to() {
    let hubkeep = hubkeep().await;
    let portal = hubkeep.portal_id(A);
    let all = contacts(&hubkeep.hubspot, portal, CONTACTS, 8);
    let company = hubkeep
        .hubspot
        .seed(portal, ObjectType::Companies, &[("name", "Acme")])
        .expect("seeded");
    let last: u64 = all.last().expect("one").parse().expect("a number");
    let sides = ((ObjectType::Contacts, last), (ObjectType::Companies, company));
    hubkeep
        .hubspot
        .associate(portal, sides.0, sides.1, &[], &[])
        .expect("associated");
    let edited = hubkeep
        .hubspot
        .edit_by_hand(portal, ObjectType::Contacts, last, 7, &[("lastname", "Lee")]);
    edited.expect("edited");

    let crm = reader(&hubkeep).await;
    let mut walk = crm.walk_by(whole()).await.expect("begun");
    let mut seen: Vec<Object> = Vec::new();
    while let Some(page) = walk.message().await.expect("a page") {
        assert!(page.objects.len() <= PAGE);
        seen.extend(page.objects);
    }
    let ids: Vec<&String> = seen.iter().map(|object| &object.object_id).collect();
    assert_eq!(ids, all.iter().collect::<Vec<_>>());
    let last = seen.last().expect("one");
    let names: Vec<&str> = last.history["lastname"]
        .values
        .iter()
        .map(|past| past.value.as_str())
        .collect();
    assert_eq!(names, ["Lee", "xxxxxxxx"], "the newest first");
    assert_eq!(last.associations["companies"].object_ids, [company.to_string()]);
    let queries = asked(&hubkeep);
    assert_eq!(queries.len(), CONTACTS.div_ceil(PAGE), "{queries:?}");
    for query in queries {
        for part in [
            "limit=50",
            "propertiesWithHistory=lastname",
            "associations=companies",
        ] {
            assert!(query.contains(part), "{query}");
        }
    }
}

#[tokio::test]
async fn a_walk_with_histories_goes_on_where_it_was_and_with_others_it_is_another() {
    let hubkeep = hubkeep().await;
    let all = contacts(&hubkeep.hubspot, hubkeep.portal_id(A), CONTACTS, 8);
    let crm = reader(&hubkeep).await;
    let mut seen = Seen::default();
    let mut walk = crm.walk_by(whole()).await.expect("begun");
    seen.pages(&mut walk, 1).await;
    drop(walk);
    let on = || StreamObjectsRequest {
        resume_token: seen.token.clone(),
        ..whole()
    };
    let mut others = [on(), on(), on()];
    others[0].history_properties = vec!["email".to_owned()];
    others[1].history_properties.clear();
    others[2].associated_types.clear();
    for message in others {
        let told = format!("{message:?}");
        let refused = Refused::in_place_of(crm.walk_by(message).await);
        assert_eq!(
            refused.said(),
            (Code::InvalidArgument, "PAGE_TOKEN_INVALID"),
            "{told}"
        );
    }
    let mut walk = crm.walk_by(on()).await.expect("goes on");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
}

#[tokio::test]
async fn what_a_search_does_not_tell_is_refused_and_so_are_pages_that_hubspot_does_not_give() {
    let hubkeep = hubkeep().await;
    let crm = reader(&hubkeep).await;
    let filter = Filter {
        property: "email".to_owned(),
        operator: FilterOperator::HasProperty.into(),
        ..Filter::default()
    };
    let found = StreamObjectsRequest {
        filter_groups: vec![FilterGroup {
            filters: vec![filter],
        }],
        ..whole()
    };
    let worded = StreamObjectsRequest {
        query: "ann".to_owned(),
        ..whole()
    };
    for message in [found, worded] {
        let refused = Refused::in_place_of(crm.walk_by(message).await);
        assert_eq!(refused.fields, ["history_properties", "associated_types"]);
    }
    let large = StreamObjectsRequest {
        page_size: 51,
        ..whole()
    };
    let refused = Refused::in_place_of(crm.walk_by(large).await);
    assert_eq!(refused.fields, ["page_size"]);
    let without_history = StreamObjectsRequest {
        page_size: 100,
        history_properties: Vec::new(),
        ..whole()
    };
    crm.walk_by(without_history).await.expect("a page of a hundred");
}

#[tokio::test]
async fn what_records_belong_to_is_told_to_whoever_may_read_those() {
    let hubkeep = hubkeep().await;
    let handle = hubkeep.handle(A).allow([Allow::List]).issue().await;
    let lister = hubkeep.crm_as("sync").with(&handle);
    let refused = Refused::in_place_of(lister.walk_by(whole()).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    assert_eq!(
        (&*refused.metadata["operation"], &*refused.metadata["object_type"]),
        ("GET", "companies")
    );
    assert!(asked(&hubkeep).is_empty());
    let histories = StreamObjectsRequest {
        associated_types: Vec::new(),
        ..whole()
    };
    lister
        .walk_by(histories)
        .await
        .expect("of its own records it may read all");
}
