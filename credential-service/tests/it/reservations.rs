//! A reserved call is made once, later, with the very bytes that were meant, and by whoever reserved it.

use std::time::Duration;

use hubkeep_proto::{
    audit::v1::Cause,
    credential::v1::{
        HandleBudget, HandleOperation, HandleScope, IntrospectHandleRequest, IssueHandleRequest,
        RedeemReservationRequest, RedeemReservationResponse, ReserveCallRequest, ReserveCallResponse,
        RevokeHandleRequest, SuspendPortalRequest, revoke_handle_request::Target,
    },
};
use tonic::Status;

use crate::harness::*;

const HOUR: i64 = 60 * 60;
const CALL: &str = "01890000-0000-7000-8000-000000000000";
const ACTION: [u8; 32] = [7; 32];

async fn handle(bench: &Bench) -> String {
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let scope = HandleScope {
        operations: vec![HandleOperation::Get.into(), HandleOperation::Update.into()],
        object_types: vec!["contacts".to_owned()],
        ..HandleScope::default()
    };
    let request = IssueHandleRequest {
        scope: Some(scope),
        budget: Some(HandleBudget {
            max_calls: 3,
            max_records: 0,
        }),
        ..wish("acme")
    };
    let issued = bench.handles(SYNC).issue_handle(request).await.expect("issued");
    issued.into_inner().handle
}

fn update(handle: &str, hours: i64) -> ReserveCallRequest {
    ReserveCallRequest {
        handle: handle.to_owned(),
        presented_by: SYNC.to_owned(),
        action_hash: ACTION.to_vec(),
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Update.into()],
            object_types: vec!["contacts".to_owned()],
            ..HandleScope::default()
        }),
        purpose_code: "approved".to_owned(),
        lifetime: Some(prost_types::Duration {
            seconds: hours * HOUR,
            nanos: 0,
        }),
        call_id: CALL.to_owned(),
        ..ReserveCallRequest::default()
    }
}

async fn reserve(bench: &Bench, request: ReserveCallRequest) -> Result<ReserveCallResponse, Status> {
    Ok(bench.redemption().reserve_call(request).await?.into_inner())
}

async fn redeem(bench: &Bench, id: &str, action_hash: [u8; 32]) -> Result<RedeemReservationResponse, Status> {
    let request = RedeemReservationRequest {
        reservation_id: id.to_owned(),
        action_hash: action_hash.to_vec(),
        call_id: CALL.to_owned(),
        ..RedeemReservationRequest::default()
    };
    Ok(bench.redemption().redeem_reservation(request).await?.into_inner())
}

#[tokio::test]
async fn a_reserved_call_outlives_its_handle_and_is_redeemed_once() {
    let bench = Bench::start().await;
    let handle = handle(&bench).await;
    let reserved = reserve(&bench, update(&handle, 24)).await.expect("reserved");
    bench.clock.advance(Duration::from_secs(20 * 60 * 60));
    let ended = bench.redeem(&handle, SYNC).await;
    assert_eq!(reason(&ended), "HANDLE_INVALID", "the handle itself is long over");

    let changed = redeem(&bench, &reserved.reservation_id, [8; 32]).await;
    assert_eq!(reason(&changed), "ACTION_CHANGED");
    let redeemed = redeem(&bench, &reserved.reservation_id, ACTION)
        .await
        .expect("the bytes that were reserved")
        .redeemed
        .expect("a token");
    assert_eq!(redeemed.portal_token, ACME_TOKEN);
    let scope = redeemed.description.expect("described").scope.expect("a scope");
    assert_eq!(scope.operations, [i32::from(HandleOperation::Update)]);
    let kept = redeemed.keep_for.expect("told");
    assert_eq!((kept.seconds, kept.nanos), (0, 0), "for now only");

    let again = redeem(&bench, &reserved.reservation_id, ACTION).await;
    assert_eq!(reason(&again), "RESERVATION_INVALID");
    assert_eq!(bench.last_entry().await.1.cause(), Cause::ReservationUnusable);
}

#[tokio::test]
async fn a_reservation_ends_with_its_time_its_handle_or_its_portal() {
    let bench = Bench::start().await;
    let handle = handle(&bench).await;
    let ids = [
        reserve(&bench, update(&handle, 1)).await.expect("reserved"),
        reserve(&bench, update(&handle, 24)).await.expect("reserved"),
    ]
    .map(|reserved| reserved.reservation_id);
    let spent = reserve(&bench, update(&handle, 1)).await.expect("the third call");
    let beyond = reserve(&bench, update(&handle, 1)).await;
    assert_eq!(reason(&beyond), "HANDLE_BUDGET_EXHAUSTED", "each costs a call");

    let revoke = RevokeHandleRequest {
        target: Some(Target::Handle(handle)),
        ..RevokeHandleRequest::default()
    };
    let other = self::handle_of_globex(&bench).await;
    let kept = reserve(&bench, update(&other, 1)).await.expect("reserved");
    bench.handles(SYNC).revoke_handle(revoke).await.expect("revoked");
    for id in ids.iter().chain([&spent.reservation_id]) {
        let void = redeem(&bench, id, ACTION).await;
        assert_eq!(reason(&void), "RESERVATION_INVALID", "its handle was revoked");
    }
    let suspend = SuspendPortalRequest {
        client_slug: "globex".to_owned(),
    };
    bench
        .portals(OPERATOR)
        .suspend_portal(suspend)
        .await
        .expect("suspended");
    let void = redeem(&bench, &kept.reservation_id, ACTION).await;
    assert_eq!(reason(&void), "RESERVATION_INVALID", "its portal is suspended");
}

async fn handle_of_globex(bench: &Bench) -> String {
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let scope = HandleScope {
        operations: vec![HandleOperation::Update.into()],
        object_types: vec!["contacts".to_owned()],
        ..HandleScope::default()
    };
    let request = IssueHandleRequest {
        scope: Some(scope),
        ..wish("globex")
    };
    let issued = bench.handles(SYNC).issue_handle(request).await.expect("issued");
    issued.into_inner().handle
}

#[tokio::test]
async fn nothing_is_reserved_beyond_the_handle_or_for_too_long() {
    let bench = Bench::start().await;
    let handle = handle(&bench).await;
    let archive = ReserveCallRequest {
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Archive.into()],
            object_types: vec!["contacts".to_owned()],
            ..HandleScope::default()
        }),
        ..update(&handle, 1)
    };
    assert_eq!(reason(&reserve(&bench, archive).await), "HANDLE_WIDER");
    assert_eq!(
        reason(&reserve(&bench, update(&handle, 25)).await),
        "INVALID_FIELD",
        "a write within 24 h"
    );
    let two = ReserveCallRequest {
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Get.into(), HandleOperation::Update.into()],
            object_types: vec!["contacts".to_owned()],
            ..HandleScope::default()
        }),
        ..update(&handle, 1)
    };
    assert_eq!(
        reason(&reserve(&bench, two).await),
        "INVALID_FIELD",
        "one operation"
    );
    let short = ReserveCallRequest {
        action_hash: vec![1; 31],
        ..update(&handle, 1)
    };
    assert_eq!(reason(&reserve(&bench, short).await), "INVALID_FIELD");
    let many = ReserveCallRequest {
        max_records: 101,
        ..update(&handle, 1)
    };
    assert_eq!(reason(&reserve(&bench, many).await), "INVALID_FIELD");
    let unknown = redeem(&bench, "01890000-0000-7000-8000-00000000ffff", ACTION).await;
    assert_eq!(reason(&unknown), "RESERVATION_INVALID");
}

#[tokio::test]
async fn a_reserved_call_touches_no_more_records_than_were_paid_for() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let request = IssueHandleRequest {
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Update.into()],
            object_types: vec!["contacts".to_owned()],
            ..HandleScope::default()
        }),
        budget: Some(HandleBudget {
            max_calls: 0,
            max_records: 30,
        }),
        ..wish("acme")
    };
    let issued = bench.handles(SYNC).issue_handle(request).await.expect("issued");
    let handle = issued.into_inner().handle;
    let of = |records| ReserveCallRequest {
        max_records: records,
        ..update(&handle, 1)
    };
    let reserved = reserve(&bench, of(20)).await.expect("reserved");
    assert_eq!(
        reason(&reserve(&bench, of(11)).await),
        "HANDLE_BUDGET_EXHAUSTED",
        "10 are left"
    );
    let asked = IntrospectHandleRequest {
        handle: handle.clone(),
    };
    let told = bench.handles(SYNC).introspect_handle(asked).await;
    let left = told.expect("lives").into_inner().budget_left;
    let left = left.expect("limited");
    assert_eq!((left.calls, left.records), (None, Some(10)));
    let redeemed = redeem(&bench, &reserved.reservation_id, ACTION).await;
    let redeemed = redeemed.expect("redeemed").redeemed.expect("told");
    let slice = redeemed.slice.expect("limited");
    assert_eq!((slice.calls, slice.records), (Some(1), Some(20)));
    let one = reserve(&bench, update(&handle, 1)).await.expect("one record");
    let redeemed = redeem(&bench, &one.reservation_id, ACTION).await;
    let slice = redeemed.expect("redeemed").redeemed.expect("told").slice;
    assert_eq!(slice.expect("limited").records, Some(1));
}

#[tokio::test]
async fn what_is_reserved_while_its_handle_is_being_ended_is_refused_or_void() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    for round in 0..25 {
        let request = IssueHandleRequest {
            scope: Some(HandleScope {
                operations: vec![HandleOperation::Update.into()],
                object_types: vec!["contacts".to_owned()],
                ..HandleScope::default()
            }),
            ..wish("acme")
        };
        let issued = bench.handles(SYNC).issue_handle(request).await.expect("issued");
        let handle = issued.into_inner().handle;
        let request = RevokeHandleRequest {
            target: Some(Target::Handle(handle.clone())),
            ..RevokeHandleRequest::default()
        };
        let mut handles = bench.handles(SYNC);
        let (ended, reserved) = futures::future::join(
            handles.revoke_handle(request),
            reserve(&bench, update(&handle, 1)),
        )
        .await;
        ended.expect("ended");
        match reserved {
            Ok(reserved) => {
                let redeemed = redeem(&bench, &reserved.reservation_id, ACTION).await;
                assert_eq!(reason(&redeemed), "RESERVATION_INVALID", "in round {round}");
            }
            refused => assert_eq!(reason(&refused), "HANDLE_INVALID", "in round {round}"),
        }
    }
}

#[tokio::test]
async fn what_was_reserved_by_a_handle_that_is_forgotten_is_void_when_that_handle_is_contained() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let issued = bench.issue(SYNC, "acme").await.expect("issues");
        let reading = ReserveCallRequest {
            scope: Some(HandleScope {
                operations: vec![HandleOperation::Get.into()],
                object_types: vec!["contacts".to_owned()],
                ..HandleScope::default()
            }),
            ..update(&issued.handle, 7 * 24)
        };
        let reserved = reserve(&bench, reading).await.expect("reserved");
        ids.push((
            issued.description.expect("told").handle_id,
            reserved.reservation_id,
        ));
    }
    bench.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    bench.issue(SYNC, "acme").await.expect("issues, and sweeps");
    let by_id = |id: &str| RevokeHandleRequest {
        target: Some(Target::HandleId(id.to_owned())),
        ..RevokeHandleRequest::default()
    };
    let revoke = async |asks, id: &str| bench.handles(asks).revoke_handle(by_id(id)).await;
    let [(handle, reservation), (_, of_another)] = &ids[..] else {
        panic!("two of them")
    };
    assert_eq!(reason(&revoke(SYNC, handle).await), "HANDLE_INVALID");
    let ended = revoke(OPERATOR, handle).await.expect("voids").into_inner();
    assert!(ended.revocation_seq > 0);
    let again = revoke(OPERATOR, handle).await.expect("stands").into_inner();
    assert_eq!(again, ended);
    let void = redeem(&bench, reservation, ACTION).await;
    assert_eq!(reason(&void), "RESERVATION_INVALID");
    let lives = redeem(&bench, of_another, ACTION).await;
    assert_eq!(reason(&lives), "OK", "another handle's is its own");
    let unknown = revoke(OPERATOR, "01890000-0000-7000-8000-000000000000").await;
    assert_eq!(reason(&unknown), "HANDLE_INVALID");
}
