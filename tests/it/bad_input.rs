//! Requests that read well and ask for what cannot be: each is told what is wrong, and nothing is sent.

use hubkeep_audit_log::Phase;
use hubkeep_proto::crm::v1::{
    Filter, FilterGroup, FilterOperator, GetObjectRequest, ListObjectsRequest, SearchObjectsRequest, Sort,
};
use hubkeep_tests::{Crm, Hubkeep, Refused, Service, World, support::crm::equals};
use tonic::Code;

const A: &str = "client-0001";

async fn ready() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn get() -> GetObjectRequest {
    GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: "101".to_owned(),
        ..GetObjectRequest::default()
    }
}

fn list() -> ListObjectsRequest {
    ListObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        ..ListObjectsRequest::default()
    }
}

fn search(groups: Vec<Vec<Filter>>) -> SearchObjectsRequest {
    SearchObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        filter_groups: groups
            .into_iter()
            .map(|filters| FilterGroup { filters })
            .collect(),
        ..SearchObjectsRequest::default()
    }
}

/// Every answer must be INVALID_FIELD and name the field, and nothing may have reached HubSpot.
fn names_the_field(what: &str, refused: &Refused, field: &str) {
    assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"), "{what}");
    let named = refused.fields.iter().any(|named| named.starts_with(field));
    assert!(named, "{what}: {field} is not named in {:?}", refused.fields);
    assert_eq!(refused.retry_after, None, "{what}");
}

#[tokio::test]
async fn a_record_that_cannot_be_named_is_not_asked_for() {
    let (hubkeep, crm) = ready().await;
    let ids = ["", ".", "..", "a b", "a\nb", "\u{0}", &"9".repeat(300)];
    for id in ids {
        let refused = Refused::in_place_of(crm.get("contacts", id).await);
        names_the_field(&format!("the id {id:?}"), &refused, "object_id");
        let refused = Refused::in_place_of(crm.archive("contacts", id).await);
        names_the_field(&format!("the id {id:?}"), &refused, "object_id");
    }
    for object_type in [
        "",
        "no-such-type",
        "contacts/101",
        "../owners",
        "Contacts",
        "0-",
        "0-01",
        "2-01",
        "contacts?x=1",
    ] {
        let refused = Refused::in_place_of(crm.get(object_type, "101").await);
        names_the_field(&format!("the type {object_type:?}"), &refused, "object_type");
    }
    for slug in ["", "Acme", "a b", "-a", "a/b", &"x".repeat(64)] {
        let refused = Refused::in_place_of(crm.clone().naming(slug).get("contacts", "101").await);
        names_the_field(&format!("the slug {slug:?}"), &refused, "client_slug");
    }
    let many = (0..513).map(|number| format!("p{number}")).collect();
    let refused = Refused::in_place_of(
        crm.get_by(GetObjectRequest {
            properties: many,
            ..get()
        })
        .await,
    );
    names_the_field("513 properties", &refused, "properties");
    let odd = vec!["email&archived=true".to_owned()];
    let refused = Refused::in_place_of(
        crm.get_by(GetObjectRequest {
            properties: odd,
            ..get()
        })
        .await,
    );
    names_the_field("a property that is none", &refused, "properties");
    assert!(hubkeep.hubspot_calls().is_empty());
}

#[tokio::test]
async fn hostile_ids_stay_in_their_place_in_the_path() {
    let (hubkeep, crm) = ready().await;
    for id in [
        "101/../102",
        "%2e%2e",
        "101?archived=true",
        "101#x",
        "..%2f101",
        "{id}",
        "ü",
        "a;b",
    ] {
        let refused = Refused::in_place_of(crm.get("contacts", id).await);
        assert!(
            ["OBJECT_NOT_FOUND", "HUBSPOT_VALIDATION", "INVALID_FIELD"].contains(&refused.reason.as_str()),
            "{id}"
        );
    }
    for received in hubkeep.hubspot_calls() {
        let id = received.path.strip_prefix("/crm/objects/2026-09/contacts/");
        let id = id.unwrap_or_else(|| panic!("another path: {}", received.path));
        assert!(
            !id.contains('/') && received.query.is_empty(),
            "{} ? {}",
            received.path,
            received.query
        );
    }
}

#[tokio::test]
async fn pages_have_their_bounds_and_their_own_tokens() {
    let (hubkeep, crm) = ready().await;
    for page_size in [-1, 101, 10_000, i32::MIN, i32::MAX] {
        let refused = Refused::in_place_of(crm.list_by(ListObjectsRequest { page_size, ..list() }).await);
        names_the_field(&format!("a page of {page_size}"), &refused, "page_size");
    }
    for page_size in [-1, 201, 10_000] {
        let request = SearchObjectsRequest {
            page_size,
            ..search(Vec::new())
        };
        let refused = Refused::in_place_of(crm.search_by(request).await);
        names_the_field(&format!("a page of {page_size}"), &refused, "page_size");
    }
    assert!(hubkeep.hubspot_calls().is_empty());

    let first = crm
        .list_by(ListObjectsRequest {
            page_size: 2,
            ..list()
        })
        .await
        .expect("a page");
    let token = first.next_page_token;
    let next = ListObjectsRequest {
        page_size: 2,
        page_token: token.clone(),
        ..list()
    };
    assert_eq!(crm.list_by(next).await.expect("the next page").objects.len(), 2);
    let before = hubkeep.hubspot_calls().len();
    let of_another_question = ListObjectsRequest {
        object_type: "companies".to_owned(),
        page_token: token.clone(),
        ..list()
    };
    let cut = ListObjectsRequest {
        page_token: token[..8].to_owned(),
        ..list()
    };
    let garbage = ["garbage", "!!!", "AAAA", "' OR 1=1", &"A".repeat(5_000)];
    let garbage = garbage.map(|token| ListObjectsRequest {
        page_token: token.to_owned(),
        ..list()
    });
    for request in garbage.into_iter().chain([of_another_question, cut]) {
        let told = format!("{request:?}");
        let refused = Refused::in_place_of(crm.list_by(request).await);
        assert_eq!(refused.code, Code::InvalidArgument, "{told}");
        assert_eq!(refused.reason, "PAGE_TOKEN_INVALID", "{told}");
    }
    assert_eq!(hubkeep.hubspot_calls().len(), before);
}

#[tokio::test]
async fn a_search_that_hubspot_would_refuse_is_not_sent() {
    let (hubkeep, crm) = ready().await;
    let one = || equals("email", "x");
    let unset = Filter {
        operator: FilterOperator::Unspecified.into(),
        ..one()
    };
    let unknown = Filter {
        operator: 99,
        ..one()
    };
    let none_of = Filter {
        operator: FilterOperator::In.into(),
        ..equals("email", "")
    };
    let too_many = Filter {
        operator: FilterOperator::In.into(),
        values: (0..101).map(|number| number.to_string()).collect(),
        ..equals("email", "")
    };
    let table = [
        ("7 conditions in a group", search(vec![vec![one(); 7]])),
        ("6 groups", search(vec![vec![one()]; 6])),
        ("20 conditions in all", search(vec![vec![one(); 5]; 4])),
        ("a group of none", search(vec![Vec::new()])),
        ("no operator", search(vec![vec![unset]])),
        ("an unknown operator", search(vec![vec![unknown]])),
        ("IN of nothing", search(vec![vec![none_of]])),
        ("IN of 101", search(vec![vec![too_many]])),
        ("a condition on nothing", search(vec![vec![equals("", "x")]])),
    ];
    for (what, request) in table {
        let refused = Refused::in_place_of(crm.search_by(request).await);
        names_the_field(what, &refused, "filter_groups");
    }
    let long = SearchObjectsRequest {
        query: "x".repeat(3_001),
        ..search(Vec::new())
    };
    names_the_field(
        "3,001 characters",
        &Refused::in_place_of(crm.search_by(long).await),
        "query",
    );
    let sort = Some(Sort::default());
    let by_nothing = SearchObjectsRequest {
        sort,
        ..search(Vec::new())
    };
    names_the_field(
        "an order by nothing",
        &Refused::in_place_of(crm.search_by(by_nothing).await),
        "sort",
    );
    assert!(hubkeep.hubspot_calls().is_empty());
}

#[tokio::test]
async fn a_write_of_nothing_or_of_too_much_is_not_sent() {
    let (hubkeep, crm) = ready().await;
    let long = "x".repeat(65_537);
    let table: [(&str, &[(&str, &str)]); 4] = [
        ("nothing", &[]),
        ("a name that is none", &[("first name", "x")]),
        ("an empty name", &[("", "x")]),
        ("65,537 characters", &[("firstname", &long)]),
    ];
    for (what, values) in table {
        names_the_field(
            what,
            &Refused::in_place_of(crm.create("contacts", values).await),
            "properties",
        );
        names_the_field(
            what,
            &Refused::in_place_of(crm.update("contacts", "101", values).await),
            "properties",
        );
    }
    let many: Vec<String> = (0..513).map(|number| format!("p{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
    names_the_field(
        "513 values",
        &Refused::in_place_of(crm.create("contacts", &many).await),
        "properties",
    );
    assert!(hubkeep.hubspot_calls().is_empty());
}

#[tokio::test]
async fn all_faults_of_a_request_are_told_at_once() {
    let (_hubkeep, crm) = ready().await;
    let request = ListObjectsRequest {
        client_slug: "No Slug".to_owned(),
        object_type: "no-such-type".to_owned(),
        page_size: -1,
        ..ListObjectsRequest::default()
    };
    let refused = Refused::in_place_of(crm.list_by(request).await);
    for field in ["client_slug", "object_type", "page_size"] {
        names_the_field("three faults", &refused, field);
    }
}

#[tokio::test]
async fn without_a_whole_handle_nothing_is_asked() {
    let (hubkeep, _) = ready().await;
    let handle = hubkeep.handle(A).issue().await;
    let absent = hubkeep.crm_as("sync").naming(A);
    let refused = Refused::in_place_of(absent.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_MALFORMED"));
    let whole = handle.token.as_str();
    let token = hubkeep.token(A);
    for text in [
        "",
        "hk1_",
        "x",
        &whole[..whole.len() - 1],
        &whole[1..],
        &format!("{whole}x"),
        &token,
    ] {
        let crm = absent.clone().sending(text);
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(
            refused.said(),
            (Code::Unauthenticated, "HANDLE_MALFORMED"),
            "{} characters",
            text.len()
        );
    }
    assert!(hubkeep.hubspot_calls().is_empty());
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert!(!denied.is_empty(), "strangers are on record");
    assert!(
        denied
            .iter()
            .all(|entry| entry.portal_id == 0 && entry.client_slug.is_empty())
    );
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_on_record_and_tells_nothing_to_who_has_no_handle() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle("client-0001").issue().await;
    let holder = hubkeep.crm_as("sync").with(&handle);
    let stranger = hubkeep.crm_as("nobody").naming("client-0001");
    for (crm, reason, log) in [
        (&holder, "INVALID_FIELD", "client-0001"),
        (&stranger, "HANDLE_MALFORMED", ""),
    ] {
        let refused = Refused::in_place_of(crm.get("unicorns", "101").await);
        assert_eq!(refused.reason, reason);
        let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
        let last = denied.last().expect("it is on record");
        assert_eq!(
            (last.reason().wire_name(), last.client_slug.as_str()),
            (reason, log)
        );
    }
    assert!(hubkeep.hubspot_calls().is_empty());
}
