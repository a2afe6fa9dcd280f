//! Handles that may do so much and no more.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_proto::crm::v1::{ListObjectsRequest, StreamObjectsRequest};
use hubkeep_tests::{
    Crm, Fault, FaultRule, ObjectType, PortalSpec, Refused, TokenSpec, World,
    support::limited::{Limited, Wish},
};
use tonic::Code;

const A: &str = "acme";
const CONTACTS: usize = 12;

/// Used once, and asked for again, as small budgets are.
const ONE_SHOT: Wish<'static> = Wish {
    properties: &[],
    pipelines: &[],
    owner_ids: &[],
    max_calls: 1,
    max_records: 0,
    slice: 1,
    keep_for: Duration::ZERO,
    writes_need_approval: false,
};

async fn limited() -> Limited {
    let mut portal = PortalSpec::new(A, 4_242).token(TokenSpec::private_app("pat-na1-0000aaaa-budget-00001"));
    for number in 0..CONTACTS {
        let email = format!("{number}@acme.example");
        portal = portal.record(ObjectType::Contacts, &[("email", &email)]);
    }
    portal = portal.record(
        ObjectType::Deals,
        &[
            ("dealname", "a"),
            ("pipeline", "renewals"),
            ("dealstage", "first"),
        ],
    );
    let world = World {
        portals: vec![portal],
        apps: Vec::new(),
    };
    Limited::start(world).await
}

fn spent(refused: &Refused, budget: &str) {
    assert_eq!(
        refused.said(),
        (Code::ResourceExhausted, "HANDLE_BUDGET_EXHAUSTED")
    );
    assert_eq!(refused.metadata["budget"], budget);
    assert!(refused.has_quota_failure);
    assert_eq!(refused.retry_after, None, "waiting does not help");
}

async fn page(crm: &Crm, page_size: i32) -> Result<usize, Refused> {
    let request = ListObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        page_size,
        ..ListObjectsRequest::default()
    };
    let page = crm.list_by(request).await;
    page.map(|page| page.objects.len())
        .map_err(|status| Refused::of(&status))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_racing_calls_on_a_one_shot_handle_exactly_one_passes() {
    let limited = limited().await;
    for keep_for in [Duration::ZERO, Duration::from_secs(60)] {
        let wish = Wish { keep_for, ..ONE_SHOT };
        let (crm, before) = (limited.holder(A, &wish), limited.sent().len());
        let calls = (0..100).map(|_| crm.get("contacts", "101"));
        let answers = join_all(calls).await;
        let (passed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((passed.len(), refused.len()), (1, 99));
        for answer in refused {
            spent(&Refused::in_place_of(answer), "calls");
        }
        assert_eq!(limited.sent().len() - before, 1, "HubSpot has received one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_budget_can_be_spent_slice_by_slice_and_nothing_beyond() {
    let limited = limited().await;
    let wish = Wish {
        max_calls: 40,
        slice: 7,
        ..Wish::default()
    };
    let crm = limited.holder(A, &wish);
    let answers = join_all((0..60).map(|_| crm.get("contacts", "101"))).await;
    let passed = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(passed, 40);
    for refused in answers.into_iter().filter(Result::is_err) {
        spent(&Refused::in_place_of(refused), "calls");
    }
    assert_eq!(limited.sent().len(), 40);
}

#[tokio::test]
async fn a_page_is_no_larger_than_what_is_left_of_the_records() {
    let limited = limited().await;
    let wish = Wish {
        max_records: 8,
        ..Wish::default()
    };
    let crm = limited.holder(A, &wish);
    assert_eq!(page(&crm, 5).await.expect("there are 8"), 5);
    assert_eq!(page(&crm, 100).await.expect("there are 3"), 3);
    assert!(
        limited.sent()[1].query.contains("limit=3"),
        "no more was asked for"
    );
    spent(&page(&crm, 1).await.expect_err("none is left"), "records");
    spent(
        &Refused::in_place_of(crm.create("contacts", &[("firstname", "x")]).await),
        "records",
    );
    assert_eq!(limited.sent().len(), 2);
}

#[tokio::test]
async fn what_a_page_did_not_hold_is_still_there() {
    let limited = limited().await;
    let wish = Wish {
        max_records: 30,
        ..Wish::default()
    };
    let crm = limited.holder(A, &wish);
    assert_eq!(page(&crm, 20).await.expect("read"), CONTACTS);
    let missing = Refused::in_place_of(crm.get("contacts", "999").await);
    assert_eq!(missing.reason, "OBJECT_NOT_FOUND", "it touches no record");
    assert_eq!(page(&crm, 100).await.expect("30 - 12 are left"), CONTACTS);
    assert!(limited.sent()[2].query.contains("limit=18"));
    assert_eq!(page(&crm, 100).await.expect("6 are left"), 6);
}

#[tokio::test]
async fn a_walk_pays_for_each_page_and_ends_where_the_budget_does() {
    let limited = limited().await;
    let wish = Wish {
        max_calls: 3,
        ..Wish::default()
    };
    let crm = limited.holder(A, &wish);
    let walk = crm.walk_by(StreamObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        page_size: 3,
        ..StreamObjectsRequest::default()
    });
    let mut walk = walk.await.expect("begun");
    for _ in 0..3 {
        let page = walk.message().await.expect("within the budget").expect("a page");
        assert_eq!(page.objects.len(), 3);
    }
    spent(&Refused::in_place_of(walk.message().await), "calls");
}

#[tokio::test]
async fn a_call_counts_once_however_many_attempts_it_takes() {
    let limited = limited().await;
    let wish = Wish {
        max_calls: 2,
        ..Wish::default()
    };
    let crm = limited.holder(A, &wish);
    limited
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 502 }).times(2));
    let read = crm.get("contacts", "101").await.expect("at the third attempt");
    assert_eq!(read.reply.expect("about the call").attempt_count, 3);
    crm.get("contacts", "101").await.expect("the second call");
    spent(&Refused::in_place_of(crm.get("contacts", "101").await), "calls");
}

#[tokio::test]
async fn what_is_refused_before_it_is_sent_costs_nothing_and_what_is_lost_costs_all() {
    let limited = limited().await;
    let crm = limited.holder(A, &ONE_SHOT);
    let elsewhere = crm.clone().naming("globex").get("contacts", "101").await;
    assert_eq!(Refused::in_place_of(elsewhere).reason, "PORTAL_MISMATCH");
    crm.get("contacts", "101")
        .await
        .expect("the one call is still there");
    spent(&Refused::in_place_of(crm.get("contacts", "101").await), "calls");

    let crm = limited.holder(A, &ONE_SHOT);
    let cut = FaultRule::new(Fault::CutConnection).path("/crm/").after_effect();
    limited.hubspot.inject(cut);
    let lost = crm.create("contacts", &[("firstname", "x")]).await;
    assert_eq!(Refused::in_place_of(lost).reason, "OUTCOME_UNKNOWN");
    limited.hubspot.clear_faults();
    spent(&Refused::in_place_of(crm.get("contacts", "101").await), "calls");
}

#[tokio::test]
async fn what_is_read_to_decide_on_a_write_is_no_call_of_the_budget() {
    let limited = limited().await;
    let wish = Wish {
        pipelines: &["renewals"],
        max_records: 1,
        ..ONE_SHOT
    };
    let crm = limited.holder(A, &wish);
    crm.update("deals", "20000101", &[("amount", "5")])
        .await
        .expect("one call, one record");
    spent(&Refused::in_place_of(crm.get("deals", "20000101").await), "calls");
    assert!(limited.redemptions() >= 2);
}

#[tokio::test]
async fn a_write_that_is_refused_for_what_its_record_is_has_cost_its_call() {
    let limited = limited().await;
    let wish = Wish {
        pipelines: &["new-business"],
        ..ONE_SHOT
    };
    let crm = limited.holder(A, &wish);
    let outside = crm.update("deals", "20000101", &[("amount", "5")]).await;
    assert_eq!(Refused::in_place_of(outside).reason, "RECORD_NOT_ALLOWED");
    let asked = limited.hubspot.journal().len();
    for id in ["20000101", "20000102"] {
        let again = crm.update("deals", id, &[("amount", "5")]).await;
        spent(&Refused::in_place_of(again), "calls");
    }
    assert_eq!(limited.hubspot.journal().len(), asked, "and is not asked again");
}
