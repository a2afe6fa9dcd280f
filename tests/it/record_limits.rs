//! Handles that cover the records of some pipelines and owners only.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::crm::v1::{
    FilterGroup, GetObjectRequest, ListObjectsRequest, Object, SearchObjectsRequest,
};
use hubkeep_tests::{
    ObjectType, PortalSpec, Refused, TokenSpec, World,
    support::{
        crm::equals,
        limited::{Limited, Wish},
    },
};
use tonic::Code;

const A: &str = "acme";
/// In "renewals", of owner 7.
const INSIDE: &str = "20000101";
/// In "renewals", of owner 8.
const OF_ANOTHER_OWNER: &str = "20000102";
/// In "new-business", of owner 7.
const IN_ANOTHER_PIPELINE: &str = "20000103";

const RENEWALS: Wish<'static> = wish(&["renewals"], &[]);
const BOTH: Wish<'static> = wish(&["renewals"], &["7"]);

const fn wish(pipelines: &'static [&'static str], owner_ids: &'static [&'static str]) -> Wish<'static> {
    Wish {
        properties: &[],
        pipelines,
        owner_ids,
        max_calls: 0,
        max_records: 0,
        slice: 1_000,
        keep_for: std::time::Duration::from_secs(60),
        writes_need_approval: false,
    }
}

fn deal(portal: PortalSpec, name: &str, pipeline: &str, owner: &str) -> PortalSpec {
    let values = [
        ("dealname", name),
        ("pipeline", pipeline),
        ("dealstage", "first"),
        ("hubspot_owner_id", owner),
    ];
    portal.record(ObjectType::Deals, &values)
}

async fn limited() -> Limited {
    let mut portal = PortalSpec::new(A, 4_242).token(TokenSpec::private_app("pat-na1-0000aaaa-limited-0001"));
    portal = deal(portal, "inside", "renewals", "7");
    portal = deal(portal, "of another owner", "renewals", "8");
    portal = deal(portal, "in another pipeline", "new-business", "7");
    portal = deal(portal, "without an owner", "renewals", "");
    portal = portal.record(
        ObjectType::Contacts,
        &[("email", "ann@acme.example"), ("hubspot_owner_id", "7")],
    );
    portal = portal.record(
        ObjectType::Tickets,
        &[
            ("subject", "help"),
            ("hs_pipeline", "renewals"),
            ("hs_pipeline_stage", "1"),
        ],
    );
    let world = World {
        portals: vec![portal],
        apps: Vec::new(),
    };
    Limited::start(world).await
}

fn names(objects: &[Object]) -> Vec<&str> {
    let name = |object: &'_ Object| object.properties.contains_key("dealname");
    assert!(objects.iter().all(name), "{objects:?}");
    objects
        .iter()
        .map(|object| object.properties["dealname"].as_str())
        .collect()
}

fn not_allowed(refused: &Refused, object_type: &str, limited_by: &str) {
    assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    assert_eq!(refused.metadata["object_type"], object_type);
    assert_eq!(refused.metadata["limited_by"], limited_by);
    assert_eq!(refused.retry_after, None);
}

#[tokio::test]
async fn only_records_inside_are_read_one_by_one() {
    let limited = limited().await;
    let crm = limited.holder(A, &BOTH);
    let read = crm
        .get("deals", INSIDE)
        .await
        .expect("inside")
        .object
        .expect("found");
    assert_eq!(read.properties["dealname"], "inside");
    for (id, limited_by) in [
        (OF_ANOTHER_OWNER, "owner_ids"),
        (IN_ANOTHER_PIPELINE, "pipelines"),
    ] {
        not_allowed(
            &Refused::in_place_of(crm.get("deals", id).await),
            "deals",
            limited_by,
        );
    }
    let ticket = crm.get("tickets", "30000101").await;
    not_allowed(&Refused::in_place_of(ticket), "tickets", "owner_ids");
    let ticket = limited.holder(A, &RENEWALS).get("tickets", "30000101").await;
    assert!(
        ticket.is_ok(),
        "of tickets it is hs_pipeline that decides: {ticket:?}"
    );
    let denied = limited.entries(Phase::Denied).await;
    assert_eq!(denied.len(), 3, "each that was withheld is on record");
}

#[tokio::test]
async fn an_answer_shows_what_was_wanted_and_not_what_was_asked_for_to_decide() {
    let limited = limited().await;
    let (free, bound) = (limited.holder(A, &Wish::default()), limited.holder(A, &BOTH));
    let wanted = GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "deals".to_owned(),
        object_id: INSIDE.to_owned(),
        properties: vec!["dealname".to_owned()],
        ..GetObjectRequest::default()
    };
    let (as_free, as_bound) = (
        free.get_by(wanted.clone()).await.expect("read").object,
        bound.get_by(wanted).await.expect("read").object,
    );
    assert_eq!(as_free, as_bound);
    let (as_free, as_bound) = (
        free.get("deals", INSIDE).await.expect("read").object,
        bound.get("deals", INSIDE).await.expect("read").object,
    );
    assert_eq!(as_free, as_bound, "HubSpot's default properties, by their names");

    let narrow = Wish {
        properties: &["dealname"],
        ..BOTH
    };
    let seen = limited.holder(A, &narrow).get("deals", INSIDE).await;
    let seen = seen.expect("read").object.expect("found");
    assert_eq!(seen.properties.keys().collect::<Vec<_>>(), ["dealname"]);
}

#[tokio::test]
async fn pages_leave_out_what_is_outside_and_lead_on_all_the_same() {
    let limited = limited().await;
    let crm = limited.holder(A, &BOTH);
    assert_eq!(
        names(&crm.list("deals").await.expect("listed").objects),
        ["inside"]
    );
    let mut request = ListObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "deals".to_owned(),
        page_size: 1,
        ..ListObjectsRequest::default()
    };
    let (mut pages, mut found) = (0, Vec::new());
    loop {
        let page = crm.list_by(request.clone()).await.expect("listed");
        (pages, request.page_token) = (pages + 1, page.next_page_token);
        found.extend(page.objects);
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        (pages, names(&found)),
        (4, vec!["inside"]),
        "some pages are empty"
    );
    let mut walk = crm.walk("deals", "").await.expect("begun");
    let page = walk.message().await.expect("read").expect("a page");
    assert_eq!(names(&page.objects), ["inside"]);
}

#[tokio::test]
async fn a_search_finds_only_what_is_inside_whatever_it_asks_for() {
    let limited = limited().await;
    let crm = limited.holder(A, &BOTH);
    let search = |groups: Vec<FilterGroup>, query: &str| SearchObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "deals".to_owned(),
        filter_groups: groups,
        query: query.to_owned(),
        ..SearchObjectsRequest::default()
    };
    let group = |filters| FilterGroup { filters };
    for asked in [
        search(Vec::new(), ""),
        search(Vec::new(), "inside"),
        search(vec![group(vec![equals("dealstage", "first")])], ""),
        search(
            vec![
                group(vec![equals("pipeline", "new-business")]),
                group(vec![equals("dealname", "inside")]),
                group(vec![equals("hubspot_owner_id", "8")]),
            ],
            "",
        ),
    ] {
        let found = crm.search_by(asked).await.expect("found");
        assert_eq!(names(&found.objects), ["inside"]);
        assert_eq!(found.total_count, 1, "what is outside is not even counted");
    }
    let before = limited.sent().len();
    let full = search(vec![group(vec![equals("dealstage", "first"); 5])], "");
    let refused = Refused::in_place_of(crm.search_by(full).await);
    assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(refused.fields, ["filter_groups[0].filters"]);
    assert_eq!(limited.sent().len(), before, "it was not sent");
}

#[tokio::test]
async fn a_record_is_made_only_inside() {
    let limited = limited().await;
    let crm = limited.holder(A, &BOTH);
    let made = |pairs: &[(&'static str, &'static str)]| {
        let mut values = vec![("dealname", "made"), ("dealstage", "first")];
        values.extend_from_slice(pairs);
        let crm = crm.clone();
        async move { crm.create("deals", &values).await }
    };
    for (values, limited_by) in [
        (&[][..], "pipelines"),
        (&[("pipeline", "renewals")], "owner_ids"),
        (
            &[("pipeline", "new-business"), ("hubspot_owner_id", "7")],
            "pipelines",
        ),
        (
            &[("pipeline", "renewals"), ("hubspot_owner_id", "8")],
            "owner_ids",
        ),
    ] {
        not_allowed(&Refused::in_place_of(made(values).await), "deals", limited_by);
    }
    assert!(limited.hubspot.journal().is_empty(), "nothing was sent");
    made(&[("pipeline", "renewals"), ("hubspot_owner_id", "7")])
        .await
        .expect("inside");
}

#[tokio::test]
async fn a_record_is_changed_and_archived_only_inside_and_read_first() {
    let limited = limited().await;
    let crm = limited.holder(A, &BOTH);
    let changed = crm
        .update("deals", INSIDE, &[("amount", "5")])
        .await
        .expect("inside");
    let reply = changed.reply.expect("about the call");
    assert_eq!(reply.attempt_count, 2, "the read and the write");
    let sent = limited.sent();
    let methods: Vec<_> = sent.iter().map(|entry| entry.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PATCH"]);
    let mut intents = limited.entries(Phase::Intent).await;
    intents.retain(|entry| entry.call_id == reply.call_id);
    let recorded: Vec<_> = intents
        .iter()
        .map(|entry| (entry.operation(), entry.attempt))
        .collect();
    assert_eq!(
        recorded,
        [(Operation::ObjectGet, 1), (Operation::ObjectUpdate, 2)],
        "each is on record as what it is"
    );

    for (id, limited_by) in [
        (OF_ANOTHER_OWNER, "owner_ids"),
        (IN_ANOTHER_PIPELINE, "pipelines"),
    ] {
        let answers = [
            Refused::in_place_of(crm.update("deals", id, &[("amount", "5")]).await),
            Refused::in_place_of(crm.archive("deals", id).await),
        ];
        answers
            .iter()
            .for_each(|refused| not_allowed(refused, "deals", limited_by));
    }
    let before = limited.sent().len();
    for (values, limited_by) in [
        ([("pipeline", "new-business")], "pipelines"),
        ([("hubspot_owner_id", "8")], "owner_ids"),
        ([("hubspot_owner_id", "")], "owner_ids"),
        ([("dealstage", "of-another-pipeline")], "pipelines"),
    ] {
        let refused = Refused::in_place_of(crm.update("deals", INSIDE, &values).await);
        not_allowed(&refused, "deals", limited_by);
    }
    assert_eq!(limited.sent().len(), before, "what the values say costs no read");
    let staged = [("pipeline", "renewals"), ("dealstage", "second")];
    crm.update("deals", INSIDE, &staged).await.expect("stays inside");
    crm.archive("deals", INSIDE).await.expect("inside");
    let writes = limited.sent();
    let writes = writes.iter().filter(|entry| entry.method != "GET").count();
    assert_eq!(writes, 3, "no write went out for what is outside");
}

#[tokio::test]
async fn types_without_pipelines_and_owners_that_are_not_listed_are_not_allowed() {
    let limited = limited().await;
    let (renewals, both) = (limited.holder(A, &RENEWALS), limited.holder(A, &BOTH));
    let refusals = [
        Refused::in_place_of(renewals.get("contacts", "101").await),
        Refused::in_place_of(renewals.list("contacts").await),
        Refused::in_place_of(renewals.search("contacts", "email", "x").await),
        Refused::in_place_of(renewals.create("contacts", &[("email", "b@acme.example")]).await),
        Refused::in_place_of(renewals.update("contacts", "101", &[("email", "x")]).await),
        Refused::in_place_of(renewals.archive("contacts", "101").await),
    ];
    refusals
        .iter()
        .for_each(|refused| not_allowed(refused, "contacts", "pipelines"));
    not_allowed(
        &Refused::in_place_of(renewals.owners().await),
        "owners",
        "pipelines",
    );
    not_allowed(
        &Refused::in_place_of(renewals.owner("7").await),
        "owners",
        "pipelines",
    );
    not_allowed(&Refused::in_place_of(both.owners().await), "owners", "owner_ids");
    not_allowed(
        &Refused::in_place_of(both.owner("8").await),
        "owners",
        "owner_ids",
    );
    assert!(limited.hubspot.journal().is_empty(), "nothing was sent");
    let mine = limited.holder(A, &wish(&[], &["7"]));
    mine.get("contacts", "101").await.expect("contacts have owners");
    let own = Refused::in_place_of(mine.owner("7").await);
    assert_eq!(
        own.reason, "OBJECT_NOT_FOUND",
        "it was asked for, and is not there"
    );
}

#[tokio::test]
async fn writes_that_need_approval_are_not_made_directly() {
    let limited = limited().await;
    let wish = Wish {
        writes_need_approval: true,
        ..Wish::default()
    };
    let crm = limited.holder(A, &wish);
    crm.get("deals", INSIDE).await.expect("reads need none");
    let before = limited.hubspot.journal().len();
    let refusals = [
        (
            Refused::in_place_of(crm.create("deals", &[("amount", "5")]).await),
            "CREATE",
        ),
        (
            Refused::in_place_of(crm.update("deals", INSIDE, &[("amount", "5")]).await),
            "UPDATE",
        ),
        (
            Refused::in_place_of(crm.archive("deals", INSIDE).await),
            "ARCHIVE",
        ),
    ];
    for (refused, operation) in &refusals {
        assert_eq!(refused.said(), (Code::FailedPrecondition, "APPROVAL_REQUIRED"));
        assert_eq!(refused.metadata["operation"], *operation);
    }
    assert_eq!(limited.hubspot.journal().len(), before, "nothing was sent");
    assert_eq!(limited.entries(Phase::Denied).await.len(), refusals.len());
}
