//! Walks over what a search finds: all of it, also beyond what HubSpot gives of one search.

use std::collections::BTreeSet;

use hubkeep_proto::crm::v1::{FilterGroup, StreamObjectsRequest};
use hubkeep_tests::{
    Allow, Crm, Hubkeep, Limits, ObjectType, PortalSpec, Refused, TokenSpec, World, support::crm::equals,
};
use tonic::Code;

const A: &str = "acme";
/// More than a search gives in all, and as many that it does not find.
const FOUND: usize = 10_150;

fn world() -> World {
    let mut portal = PortalSpec::new(A, 4_242).token(TokenSpec::private_app("pat-na1-0000aaaa-walks-00001"));
    for number in 0..FOUND {
        let email = format!("{number}@acme.example");
        portal = portal.record(ObjectType::Contacts, &[("email", &email), ("company", "acme")]);
        if number % 100 == 0 {
            let other = format!("{number}@globex.example");
            portal = portal.record(ObjectType::Contacts, &[("email", &other), ("company", "globex")]);
        }
    }
    let world = World {
        portals: vec![portal],
        apps: Vec::new(),
    };
    world.limits(&Limits::unlimited())
}

fn found(company: &str) -> StreamObjectsRequest {
    StreamObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        filter_groups: vec![FilterGroup {
            filters: vec![equals("company", company)],
        }],
        ..StreamObjectsRequest::default()
    }
}

/// The ids of a walk from its beginning, in the order in which they came.
async fn ids(crm: &Crm, request: StreamObjectsRequest, most: usize) -> (Vec<String>, String) {
    let mut pages = crm.walk_by(request).await.expect("begins");
    let (mut ids, mut token) = (Vec::new(), String::new());
    while ids.len() < most {
        let Some(page) = pages.message().await.expect("goes on") else {
            break;
        };
        ids.extend(page.objects.into_iter().map(|object| object.object_id));
        token = page.resume_token;
    }
    (ids, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_a_search_gives_every_record_once_also_beyond_ten_thousand() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let (first, token) = ids(&crm, found("acme"), 300).await;
    let request = StreamObjectsRequest {
        resume_token: token,
        ..found("acme")
    };
    let (rest, end) = ids(&crm, request, usize::MAX).await;
    assert!(end.is_empty(), "it is complete");
    let all: Vec<String> = first.into_iter().chain(rest).collect();
    assert_eq!(all.len(), FOUND);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), FOUND, "each once");
}

#[tokio::test]
async fn a_walk_over_a_search_needs_search_and_keeps_to_its_rules() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let lists = hubkeep.handle(A).allow([Allow::List]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&lists);
    let refused = Refused::in_place_of(crm.walk_by(found("acme")).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));

    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let (_, token) = ids(&crm, found("globex"), 100).await;
    let many = vec![equals("company", "acme"); 6];
    for (request, field) in [
        (
            StreamObjectsRequest {
                archived: true,
                ..found("acme")
            },
            "archived",
        ),
        (
            StreamObjectsRequest {
                filter_groups: vec![FilterGroup { filters: many }],
                ..found("acme")
            },
            "filter_groups[0].filters",
        ),
        (
            StreamObjectsRequest {
                resume_token: token,
                ..found("acme")
            },
            "resume_token",
        ),
    ] {
        let refused = Refused::in_place_of(crm.walk_by(request).await);
        assert_eq!(refused.code, Code::InvalidArgument);
        assert!(
            refused.fields.iter().any(|told| told.contains(field)),
            "{refused:?}"
        );
    }

    let narrow = hubkeep.handle(A).properties(["company"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&narrow);
    let (globex, _) = ids(&crm, found("globex"), usize::MAX).await;
    assert_eq!(
        globex.len(),
        FOUND.div_ceil(100),
        "the id decides nothing that is not told"
    );
}
