//! A child of a handle is never wider than its parent, dies with it, and spends of its budget.

use std::time::Duration;

use hubkeep_proto::{
    audit::v1::Cause,
    credential::v1::{
        HandleBudget, HandleOperation, HandleScope, IssueHandleRequest, ListHandlesRequest,
        NarrowHandleRequest, NarrowHandleResponse, RedeemHandleRequest, RedeemHandleResponse,
        RevokeHandleRequest, revoke_handle_request::Target,
    },
};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::harness::*;

fn budget(max_calls: u64, max_records: u64) -> Option<HandleBudget> {
    Some(HandleBudget {
        max_calls,
        max_records,
    })
}

async fn issue(bench: &Bench, request: IssueHandleRequest) -> String {
    let issued = bench.handles(SYNC).issue_handle(request).await.expect("issued");
    issued.into_inner().handle
}

/// A handle that may read and change contacts and deals.
async fn wide(bench: &Bench) -> String {
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let scope = HandleScope {
        operations: vec![HandleOperation::Get.into(), HandleOperation::Update.into()],
        object_types: vec!["contacts".to_owned(), "deals".to_owned()],
        ..HandleScope::default()
    };
    issue(
        bench,
        IssueHandleRequest {
            scope: Some(scope),
            ..wish("acme")
        },
    )
    .await
}

async fn narrow(
    bench: &Bench,
    caller: &'static str,
    request: NarrowHandleRequest,
) -> Result<NarrowHandleResponse, Status> {
    Ok(bench.handles(caller).narrow_handle(request).await?.into_inner())
}

/// A child that names nothing: as its parent.
async fn child(bench: &Bench, parent: &str) -> String {
    let request = NarrowHandleRequest {
        handle: parent.to_owned(),
        ..NarrowHandleRequest::default()
    };
    narrow(bench, SYNC, request).await.expect("narrowed").handle
}

async fn revoke(bench: &Bench, handle: &str, family: bool) {
    let request = RevokeHandleRequest {
        target: Some(Target::Handle(handle.to_owned())),
        family,
        ..RevokeHandleRequest::default()
    };
    bench.handles(SYNC).revoke_handle(request).await.expect("revoked");
}

/// Redeems as a replica that still has some calls and records.
async fn redeem_with(
    bench: &Bench,
    handle: &str,
    (unspent_calls, unspent_records): (u64, u64),
) -> Result<RedeemHandleResponse, Status> {
    let request = RedeemHandleRequest {
        handle: handle.to_owned(),
        presented_by: SYNC.to_owned(),
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        unspent_calls,
        unspent_records,
        ..RedeemHandleRequest::default()
    };
    Ok(bench.redemption().redeem_handle(request).await?.into_inner())
}

#[tokio::test]
async fn a_child_allows_what_was_named_and_is_known_by_its_parents() {
    let bench = Bench::start().await;
    let parent = wide(&bench).await;
    let request = NarrowHandleRequest {
        handle: parent.clone(),
        scope: Some(HandleScope {
            object_types: vec!["deals".to_owned()],
            pipelines: vec!["renewals".to_owned()],
            ..HandleScope::default()
        }),
        read_only: true,
        lifetime: Some(prost_types::Duration {
            seconds: 60,
            nanos: 0,
        }),
        purpose_code: "agent".to_owned(),
        ..NarrowHandleRequest::default()
    };
    let narrowed = narrow(&bench, SYNC, request).await.expect("narrowed");
    let child = narrowed.description.expect("described");
    let scope = child.scope.as_ref().expect("a scope");
    assert_eq!(scope.operations, [i32::from(HandleOperation::Get)]);
    assert_eq!(
        (scope.object_types.as_slice(), scope.pipelines.as_slice()),
        (
            ["deals".to_owned()].as_slice(),
            ["renewals".to_owned()].as_slice()
        )
    );
    assert_eq!(
        (child.ancestor_ids.len(), child.purpose_code.as_str()),
        (1, "agent")
    );
    let redeemed = bench.redeem(&narrowed.handle, SYNC).await.expect("redeems");
    assert_eq!(redeemed.description.as_ref(), Some(&child));

    bench.clock.advance(Duration::from_secs(61));
    assert_eq!(
        reason(&bench.redeem(&narrowed.handle, SYNC).await),
        "HANDLE_INVALID"
    );
    bench.redeem(&parent, SYNC).await.expect("its parent lives");
}

#[tokio::test]
async fn a_child_that_would_be_wider_is_refused_with_the_field_that_adds() {
    let bench = Bench::start().await;
    let parent = wide(&bench).await;
    let cases = [
        (
            HandleScope {
                operations: vec![HandleOperation::Archive.into()],
                ..HandleScope::default()
            },
            "operations",
        ),
        (
            HandleScope {
                object_types: vec!["*".to_owned()],
                ..HandleScope::default()
            },
            "object_types",
        ),
    ];
    for (scope, field) in cases {
        let request = NarrowHandleRequest {
            handle: parent.clone(),
            scope: Some(scope),
            ..NarrowHandleRequest::default()
        };
        let refused = narrow(&bench, SYNC, request).await.expect_err("wider");
        let info = refused
            .get_error_details()
            .error_info()
            .expect("a reason")
            .clone();
        assert_eq!(
            (info.reason.as_str(), info.metadata["field"].as_str()),
            ("HANDLE_WIDER", field)
        );
    }
    let of_another = NarrowHandleRequest {
        handle: parent,
        ..NarrowHandleRequest::default()
    };
    let refused = narrow(&bench, "reporting", of_another).await;
    assert_eq!(reason(&refused), "HANDLE_INVALID", "another caller's");
}

#[tokio::test]
async fn whoever_is_narrowed_from_a_revoked_handle_dies_with_it_at_any_depth() {
    let bench = Bench::start().await;
    let root = wide(&bench).await;
    let first = child(&bench, &root).await;
    let second = child(&bench, &first).await;
    let beside = child(&bench, &root).await;
    revoke(&bench, &first, false).await;
    for dead in [&first, &second] {
        assert_eq!(reason(&bench.redeem(dead, SYNC).await), "HANDLE_INVALID");
    }
    bench.redeem(&root, SYNC).await.expect("its parent lives");
    bench.redeem(&beside, SYNC).await.expect("its sister lives");
    bench.clock.advance(Duration::from_secs(2));
    bench.redeem(&second, SYNC).await.expect_err("dead");
    assert_eq!(bench.last_entry().await.1.cause(), Cause::ParentRevoked);

    for dead in [&first, &second] {
        let request = NarrowHandleRequest {
            handle: dead.clone(),
            ..NarrowHandleRequest::default()
        };
        assert_eq!(
            reason(&narrow(&bench, SYNC, request).await),
            "HANDLE_INVALID",
            "nothing is narrowed from the dead"
        );
    }
    let list = ListHandlesRequest {
        client_slug: "acme".to_owned(),
        ..ListHandlesRequest::default()
    };
    let listed = bench.handles(SYNC).list_handles(list).await.expect("listed");
    assert_eq!(listed.into_inner().handles.len(), 2, "those that live");
}

#[tokio::test]
async fn a_family_is_ended_by_any_of_its_members() {
    let bench = Bench::start().await;
    let root = wide(&bench).await;
    let first = child(&bench, &root).await;
    let second = child(&bench, &first).await;
    revoke(&bench, &second, true).await;
    for dead in [&root, &first, &second] {
        assert_eq!(reason(&bench.redeem(dead, SYNC).await), "HANDLE_INVALID");
    }
}

#[tokio::test]
async fn a_handle_is_narrowed_three_times_and_no_deeper() {
    let bench = Bench::start().await;
    let mut handle = wide(&bench).await;
    for _ in 0..3 {
        handle = child(&bench, &handle).await;
    }
    let request = NarrowHandleRequest {
        handle,
        ..NarrowHandleRequest::default()
    };
    assert_eq!(reason(&narrow(&bench, SYNC, request).await), "HANDLE_TOO_DEEP");
}

#[tokio::test]
async fn a_small_budget_is_handed_out_call_by_call_kept_by_nobody_and_then_used_up() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let request = IssueHandleRequest {
        budget: budget(2, 0),
        ..wish("acme")
    };
    let handle = issue(&bench, request).await;
    for _ in 0..2 {
        let redeemed = redeem_with(&bench, &handle, (0, 0))
            .await
            .expect("a call is left");
        assert_eq!(redeemed.slice.expect("a slice").calls, Some(1));
        let kept = redeemed.keep_for.expect("told");
        assert_eq!((kept.seconds, kept.nanos), (0, 0));
    }
    let redeemed = redeem_with(&bench, &handle, (1, 0))
        .await
        .expect("it has one unspent");
    assert_eq!(redeemed.slice.expect("a slice").calls, Some(0));
    let refused = redeem_with(&bench, &handle, (0, 0)).await.expect_err("used up");
    let details = refused.get_error_details();
    let info = details.error_info().expect("a reason");
    assert_eq!(
        (info.reason.as_str(), info.metadata["budget"].as_str()),
        ("HANDLE_BUDGET_EXHAUSTED", "calls")
    );
    assert!(details.retry_info().is_none(), "waiting does not help");
}

#[tokio::test]
async fn what_a_child_spends_is_spent_of_its_parents_budget_too() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let request = IssueHandleRequest {
        budget: budget(3, 0),
        ..wish("acme")
    };
    let parent = issue(&bench, request).await;
    let of_two = NarrowHandleRequest {
        handle: parent.clone(),
        budget: budget(2, 0),
        ..NarrowHandleRequest::default()
    };
    let narrowed = narrow(&bench, SYNC, of_two).await.expect("narrowed").handle;
    for _ in 0..2 {
        redeem_with(&bench, &narrowed, (0, 0)).await.expect("of its two");
    }
    let spent = redeem_with(&bench, &narrowed, (0, 0)).await;
    assert_eq!(reason(&spent), "HANDLE_BUDGET_EXHAUSTED");
    redeem_with(&bench, &parent, (0, 0)).await.expect("the third");
    let spent = redeem_with(&bench, &parent, (0, 0)).await;
    assert_eq!(reason(&spent), "HANDLE_BUDGET_EXHAUSTED");
    let of_more = NarrowHandleRequest {
        handle: parent,
        budget: budget(4, 0),
        ..NarrowHandleRequest::default()
    };
    assert_eq!(reason(&narrow(&bench, SYNC, of_more).await), "HANDLE_WIDER");
}

#[tokio::test]
async fn only_the_redeemer_that_a_handle_is_for_redeems_it() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let request = IssueHandleRequest {
        audience: "crm-service-eu".to_owned(),
        ..wish("acme")
    };
    let handle = issue(&bench, request).await;
    let refused = bench.redeem(&handle, SYNC).await;
    assert_eq!(reason(&refused), "HANDLE_INVALID");
    assert_eq!(bench.last_entry().await.1.cause(), Cause::HandleOfAnotherAudience);
    let own = bench.issue(SYNC, "acme").await.expect("issued");
    assert_eq!(own.description.expect("described").audience, "crm-service");
    bench.redeem(&own.handle, SYNC).await.expect("its own");
}

#[tokio::test]
async fn a_slug_of_one_portal_with_the_id_of_another_gives_no_handle() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let mixed = IssueHandleRequest {
        expected_portal_id: GLOBEX,
        ..wish("acme")
    };
    let refused = bench.handles(SYNC).issue_handle(mixed).await;
    assert_eq!(reason(&refused), "PORTAL_MISMATCH");
    let right = IssueHandleRequest {
        expected_portal_id: ACME,
        ..wish("acme")
    };
    bench.handles(SYNC).issue_handle(right).await.expect("issued");
}

#[tokio::test]
async fn what_a_handle_is_asked_for_with_is_held_to_its_rules() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let bad = [
        IssueHandleRequest {
            budget: budget(1_000_000_001, 0),
            ..wish("acme")
        },
        IssueHandleRequest {
            end_user: "two words".to_owned(),
            ..wish("acme")
        },
        IssueHandleRequest {
            end_user: "x".repeat(129),
            ..wish("acme")
        },
        IssueHandleRequest {
            audience: "no name".to_owned(),
            ..wish("acme")
        },
        IssueHandleRequest {
            scope: Some(HandleScope {
                pipelines: (0..17).map(|n| n.to_string()).collect(),
                ..wish("acme").scope.expect("a scope")
            }),
            ..wish("acme")
        },
    ];
    for request in bad {
        let refused = bench.handles(SYNC).issue_handle(request).await;
        assert_eq!(reason(&refused), "INVALID_FIELD");
    }
}
