//! Many records in one request: each input has its result, in its place, whatever becomes of the others.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::{
    crm::v1::{BatchReadObjectsRequest, object_result},
    error::v1::ErrorReason,
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, PortalSpec, Refused, Service, TokenSpec,
    World,
    support::{
        limited::{Limited, Wish},
        many::{Values, ids, rows},
    },
};
use tonic::Code;

const A: &str = "client-0001";

async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn contacts(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("new{number}@example.com"))
        .collect()
}

fn inputs(emails: &[String]) -> Vec<Values<'_>> {
    emails
        .iter()
        .map(|email| vec![("email", email.as_str())])
        .collect()
}

/// How often HubSpot was asked at a path that ends so.
fn asked(hubkeep: &Hubkeep, end: &str) -> usize {
    let calls = hubkeep.hubspot_calls();
    calls.iter().filter(|call| call.path.ends_with(end)).count()
}

#[tokio::test]
async fn each_input_has_its_result_in_its_place() {
    let (_hubkeep, crm) = hubkeep().await;
    let read = crm.read_many("contacts", &["103", "999", "101"]).await;
    let read = read.expect("answered").results;
    assert_eq!(
        ids(&read),
        [Ok("103"), Err(ErrorReason::ObjectNotFound), Ok("101")]
    );
    let by_email = BatchReadObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_ids: vec![
            "contact2@client-0001.example".to_owned(),
            "nobody@client-0001.example".to_owned(),
        ],
        id_property: "email".to_owned(),
        properties: vec!["firstname".to_owned()],
        ..BatchReadObjectsRequest::default()
    };
    let read = crm.read_many_by(by_email).await.expect("answered").results;
    let found = rows(&read);
    assert_eq!(found[0].expect("found").properties["firstname"], "Contact 2");
    assert_eq!(found[1], Err(ErrorReason::ObjectNotFound));
}

#[tokio::test]
async fn more_than_a_hundred_are_asked_in_hundreds_and_answered_as_one() {
    let (hubkeep, crm) = hubkeep().await;
    let emails = contacts(250);
    let made = crm.create_many("contacts", &inputs(&emails)).await.expect("made");
    assert_eq!((made.results.len(), made.replies.len()), (250, 3));
    for (result, email) in rows(&made.results).into_iter().zip(&emails) {
        assert_eq!(&result.expect("made").properties["email"], email);
    }
    assert_eq!(asked(&hubkeep, "/batch/create"), 3);
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let ours = intents
        .iter()
        .filter(|entry| entry.operation() == Operation::ObjectBatchCreate);
    assert_eq!(ours.count(), 3, "each call has its own");
    let ids: Vec<String> = rows(&made.results)
        .into_iter()
        .map(|row| row.expect("made").object_id.clone())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let archived = crm.archive_many("contacts", &ids).await.expect("archived");
    assert_eq!(archived.results.len(), 250);
    let gone = crm
        .read_many("contacts", &ids[..2])
        .await
        .expect("answered")
        .results;
    assert!(rows(&gone).iter().all(Result::is_err));
}

#[tokio::test]
async fn an_input_that_hubspot_refuses_keeps_no_other_from_being_written() {
    let (_hubkeep, crm) = hubkeep().await;
    let there = "contact1@client-0001.example";
    let made = crm
        .create_many(
            "contacts",
            &[
                vec![("email", "a@example.com")],
                vec![("email", there)],
                vec![("email", "b@example.com")],
            ],
        )
        .await
        .expect("answered");
    let found = rows(&made.results);
    assert!(found[0].is_ok() && found[2].is_ok(), "{found:?}");
    let Some(object_result::Result::Error(error)) = &made.results[1].result else {
        panic!("{:?}", made.results[1]);
    };
    assert_eq!(error.reason(), ErrorReason::ObjectConflict);
    assert_eq!(error.existing_object_id, "101");
    let changed = crm
        .update_many(
            "contacts",
            &[
                ("101", vec![("firstname", "Ann")]),
                ("999", vec![("firstname", "Bo")]),
            ],
        )
        .await
        .expect("answered");
    let found = rows(&changed.results);
    assert_eq!(found[0].expect("changed").properties["firstname"], "Ann");
    assert_eq!(found[1], Err(ErrorReason::ObjectNotFound));
}

#[tokio::test]
async fn an_upsert_says_what_it_has_created_and_nothing_comes_twice() {
    let (hubkeep, crm) = hubkeep().await;
    let inputs = [
        ("contact1@client-0001.example", vec![("firstname", "Ann")]),
        ("new@client-0001.example", vec![("firstname", "New")]),
    ];
    let first = crm.upsert("contacts", "email", &inputs).await.expect("written");
    let created: Vec<bool> = first.results.iter().map(|row| row.created).collect();
    assert_eq!(created, [false, true]);
    let again = crm.upsert("contacts", "email", &inputs).await.expect("written");
    assert_eq!(ids(&again.results), ids(&first.results));
    assert!(again.results.iter().all(|row| !row.created));

    for allowed in [Allow::Create, Allow::Update] {
        let half = hubkeep.handle(A).allow([allowed]).issue().await;
        let crm = hubkeep.crm_as("sync").with(&half);
        let refused = Refused::in_place_of(crm.upsert("contacts", "email", &inputs).await);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    }
    assert_eq!(asked(&hubkeep, "/batch/upsert"), 2);
}

#[tokio::test]
async fn after_a_call_that_failed_no_other_of_its_batch_is_made() {
    let (hubkeep, _) = hubkeep().await;
    let handle = hubkeep.handle(A).budget(1, 0).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let emails = contacts(250);
    let made = crm
        .create_many("contacts", &inputs(&emails))
        .await
        .expect("answered");
    let found = rows(&made.results);
    assert!(found[..100].iter().all(Result::is_ok));
    let of = |reason: ErrorReason| found.iter().filter(|row| **row == Err(reason)).count();
    assert_eq!(of(ErrorReason::HandleBudgetExhausted), 100);
    assert_eq!(of(ErrorReason::NotAttempted), 50);
    assert_eq!(made.replies.len(), 1);
    assert_eq!(asked(&hubkeep, "/batch/create"), 1);
    let refused = Refused::in_place_of(crm.create_many("contacts", &inputs(&emails)).await);
    assert_eq!(
        refused.reason, "HANDLE_BUDGET_EXHAUSTED",
        "nothing was done at all"
    );
}

#[tokio::test]
async fn a_batch_of_writes_whose_answer_is_lost_is_of_unknown_outcome_and_not_sent_again() {
    let (hubkeep, crm) = hubkeep().await;
    let lost = FaultRule::new(Fault::CutConnection).path("/crm/objects/2026-09/contacts/batch/create");
    hubkeep.hubspot.inject(lost.after_effect());
    let emails = contacts(2);
    let refused = Refused::in_place_of(crm.create_many("contacts", &inputs(&emails)).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    assert_eq!(refused.retry_after, None);
    assert_eq!(asked(&hubkeep, "/batch/create"), 1);
}

#[tokio::test]
async fn a_batch_that_cannot_be_one_is_refused_with_the_place_of_each_fault() {
    let (hubkeep, crm) = hubkeep().await;
    let before = hubkeep.hubspot_calls().len();
    let many: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let nothing: [&str; 0] = [];
    for (ids, field) in [
        (&nothing[..], "object_ids"),
        (&many[..], "object_ids"),
        (&["101", "102", "101"][..], "object_ids[2]"),
        (&["101", "../owners"][..], "object_ids[1]"),
        (&["101", ""][..], "object_ids[1]"),
    ] {
        for answer in [
            crm.read_many("contacts", ids).await.map(drop),
            crm.archive_many("contacts", ids).await.map(drop),
        ] {
            let refused = Refused::in_place_of(answer);
            assert_eq!(
                refused.said(),
                (Code::InvalidArgument, "INVALID_FIELD"),
                "{field}"
            );
            assert_eq!(refused.fields, [field]);
        }
    }
    let twice = [
        ("a@example.com", vec![("firstname", "A")]),
        ("A@example.com", vec![("firstname", "B")]),
    ];
    let refused = Refused::in_place_of(crm.upsert("contacts", "email", &twice).await);
    assert_eq!(refused.fields, ["inputs[1].object_id"]);
    let empty = Refused::in_place_of(crm.create_many("contacts", &[vec![]]).await);
    assert_eq!(empty.fields, ["inputs[0].properties"]);
    assert_eq!(hubkeep.hubspot_calls().len(), before);
}

#[tokio::test]
async fn a_batch_shows_and_writes_no_more_than_its_handle_covers() {
    let (hubkeep, _) = hubkeep().await;
    let handle = hubkeep.handle(A).properties(["firstname", "email"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let read = crm
        .read_many("contacts", &["101"])
        .await
        .expect("answered")
        .results;
    let shown = rows(&read)[0].expect("found").properties.clone();
    assert!(
        shown
            .keys()
            .all(|name| ["firstname", "email"].contains(&name.as_str()))
    );
    let uncovered = [("101", vec![("firstname", "A"), ("lastname", "B")])];
    let refused = Refused::in_place_of(crm.update_many("contacts", &uncovered).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "FIELD_NOT_ALLOWED"));
    assert_eq!(refused.metadata["property"], "lastname");
    assert_eq!(asked(&hubkeep, "/batch/update"), 0);
}

const RENEWALS: Wish<'static> = Wish {
    properties: &[],
    pipelines: &["renewals"],
    owner_ids: &[],
    max_calls: 0,
    max_records: 0,
    slice: 1_000,
    keep_for: std::time::Duration::from_secs(60),
    writes_need_approval: false,
};
const INSIDE: [&str; 2] = ["20000101", "20000103"];
const OUTSIDE: &str = "20000102";

async fn limited() -> Limited {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-batches-0001");
    let mut portal = PortalSpec::new("acme", 4_242).token(token);
    for (name, pipeline) in [
        ("one", "renewals"),
        ("two", "new-business"),
        ("three", "renewals"),
    ] {
        let values = [("dealname", name), ("pipeline", pipeline), ("dealstage", "first")];
        portal = portal.record(ObjectType::Deals, &values);
    }
    let world = World {
        portals: vec![portal],
        apps: Vec::new(),
    };
    Limited::start(world).await
}

#[tokio::test]
async fn of_a_batch_only_records_inside_are_shown_and_one_outside_keeps_all_from_being_written() {
    let limited = limited().await;
    let crm = limited.holder("acme", &RENEWALS);
    let all = [INSIDE[0], OUTSIDE, INSIDE[1]];
    let read = crm.read_many("deals", &all).await.expect("answered").results;
    assert_eq!(
        ids(&read),
        [Ok(INSIDE[0]), Err(ErrorReason::RecordNotAllowed), Ok(INSIDE[1])]
    );
    let change = |ids: &[&'static str]| -> Vec<(&'static str, Values<'static>)> {
        ids.iter().map(|id| (*id, vec![("amount", "5")])).collect()
    };
    let refusals = [
        crm.update_many("deals", &change(&all)).await.map(drop),
        crm.archive_many("deals", &all).await.map(drop),
        crm.archive_many("deals", &["999"]).await.map(drop),
        crm.update_many("deals", &[(INSIDE[0], vec![("pipeline", "new-business")])])
            .await
            .map(drop),
        crm.create_many("deals", &[vec![("dealname", "four")]])
            .await
            .map(drop),
        crm.upsert("deals", "dealname", &change(&["one"])).await.map(drop),
    ];
    for refusal in refusals {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    }
    let wrote = |end: &str| limited.sent().iter().any(|call| call.path.ends_with(end));
    assert!(!wrote("/batch/update") && !wrote("/batch/archive") && !wrote("/batch/create"));
    let changed = crm.update_many("deals", &change(&INSIDE)).await.expect("inside");
    assert_eq!(ids(&changed.results), INSIDE.map(Ok));
}

#[tokio::test]
async fn a_batch_larger_than_what_is_left_of_the_budget_is_refused_whole_and_costs_nothing() {
    let limited = limited().await;
    let wish = Wish {
        pipelines: &[],
        max_records: 2,
        slice: 2,
        ..RENEWALS
    };
    let crm = limited.holder("acme", &wish);
    let all = [INSIDE[0], OUTSIDE, INSIDE[1]];
    let before = limited.sent().len();
    let refused = Refused::in_place_of(crm.read_many("deals", &all).await);
    assert_eq!(
        refused.said(),
        (Code::ResourceExhausted, "HANDLE_BUDGET_EXHAUSTED")
    );
    assert_eq!(refused.metadata["budget"], "records");
    assert_eq!(limited.sent().len(), before);
    let read = crm.read_many("deals", &INSIDE).await.expect("within the budget");
    assert_eq!(ids(&read.results), INSIDE.map(Ok));
}
