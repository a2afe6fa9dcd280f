//! Who sees which living handles, and which of them take a place among those that one may have.

use std::time::Duration;

use hubkeep_core::grpc::Roles;
use hubkeep_proto::credential::v1::{
    HandleHolder, IssueHandleRequest, ListHandlesRequest, RevokeHandleRequest, RevokeHandlesRequest,
    containment_service_client::ContainmentServiceClient, handle_holder::Holder,
    revoke_handle_request::Target,
};
use tonic::Status;

use crate::harness::*;

async fn list(bench: &Bench, asks: &'static str, slug: &str, caller: &str) -> Result<Vec<String>, Status> {
    let request = ListHandlesRequest {
        client_slug: slug.to_owned(),
        caller: caller.to_owned(),
        ..ListHandlesRequest::default()
    };
    let listed = bench.handles(asks).list_handles(request).await?.into_inner();
    Ok(listed.handles.into_iter().map(|handle| handle.caller).collect())
}

#[tokio::test]
async fn operators_list_the_living_handles_of_others_and_nobody_else_does() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    for caller in [SYNC, "reporting", SYNC] {
        bench.issue(caller, "acme").await.expect("issues");
        bench.clock.advance(Duration::from_millis(2));
    }
    assert_eq!(
        list(&bench, OPERATOR, "acme", "*").await.expect("lists"),
        [SYNC, "reporting", SYNC]
    );
    assert_eq!(
        list(&bench, OPERATOR, "", "reporting").await.expect("lists"),
        ["reporting"]
    );
    assert_eq!(
        list(&bench, OPERATOR, "acme", SYNC).await.expect("lists").len(),
        2
    );
    assert!(
        list(&bench, OPERATOR, "acme", "")
            .await
            .expect("its own")
            .is_empty()
    );
    assert_eq!(list(&bench, SYNC, "acme", SYNC).await.expect("its own").len(), 2);
    for (slug, caller) in [("acme", "reporting"), ("acme", "*"), ("", SYNC)] {
        assert_eq!(
            reason(&list(&bench, SYNC, slug, caller).await),
            "CALLER_NOT_ALLOWED",
            "{slug} {caller}"
        );
    }
    for (slug, caller) in [("", ""), ("", "*"), ("No Slug", "*"), ("acme", "no\nname")] {
        assert_eq!(
            reason(&list(&bench, OPERATOR, slug, caller).await),
            "INVALID_FIELD",
            "{slug} {caller}"
        );
    }
}

#[tokio::test]
async fn handles_that_died_with_their_generation_take_no_place_of_living_ones() {
    let bench = Bench::start_with(|config| config.handles.max_live_per_caller = 2).await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    for round in 0..3 {
        for _ in 0..2 {
            bench.issue(SYNC, "acme").await.expect("there is room");
        }
        assert_eq!(
            reason(&bench.issue(SYNC, "acme").await),
            "TOO_MANY_HANDLES",
            "in round {round}"
        );
        let request = RevokeHandlesRequest {
            target: Some(HandleHolder {
                holder: Some(Holder::Caller(SYNC.to_owned())),
            }),
            wait: None,
        };
        let mut containments = ContainmentServiceClient::new(bench.channel_of(OPERATOR));
        containments.revoke_handles(request).await.expect("ends");
    }
}

#[tokio::test]
async fn an_operator_without_the_role_is_an_ordinary_caller_of_handles() {
    let roles = Roles::new([("fleet", [OPERATOR].as_slice())]);
    let bench = Bench::start_with(|config| config.roles = roles).await;
    let issued = bench.handle().await;
    let other = "operator/bob";
    for (slug, caller) in [("acme", "*"), ("acme", SYNC), ("", SYNC)] {
        assert_eq!(
            reason(&list(&bench, other, slug, caller).await),
            "CALLER_NOT_ALLOWED"
        );
    }
    let id = issued.description.expect("told").handle_id;
    for target in [
        Target::HandleId(id.clone()),
        Target::Handle(issued.handle.clone()),
    ] {
        let request = RevokeHandleRequest {
            target: Some(target),
            ..RevokeHandleRequest::default()
        };
        let revoked = bench.handles(other).revoke_handle(request).await;
        assert_eq!(reason(&revoked), "HANDLE_INVALID");
    }
    bench.redeem(&issued.handle, SYNC).await.expect("it lives");
    let request = RevokeHandleRequest {
        target: Some(Target::HandleId(id)),
        ..RevokeHandleRequest::default()
    };
    bench
        .handles(OPERATOR)
        .revoke_handle(request)
        .await
        .expect("the role may");
    assert_eq!(
        reason(&bench.redeem(&issued.handle, SYNC).await),
        "HANDLE_INVALID"
    );
}

#[tokio::test]
async fn on_whose_behalf_a_handle_is_stands_in_its_callers_own_list_only() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let request = IssueHandleRequest {
        end_user: "user-42".to_owned(),
        ..wish("acme")
    };
    bench.handles(SYNC).issue_handle(request).await.expect("issues");
    for (asks, caller, end_user) in [(SYNC, "", "user-42"), (OPERATOR, SYNC, "")] {
        let request = ListHandlesRequest {
            client_slug: "acme".to_owned(),
            caller: caller.to_owned(),
            ..ListHandlesRequest::default()
        };
        let listed = bench.handles(asks).list_handles(request).await.expect("lists");
        let shown: Vec<_> = listed
            .into_inner()
            .handles
            .into_iter()
            .map(|one| one.end_user)
            .collect();
        assert_eq!(shown, [end_user], "{asks}");
    }
}

#[tokio::test]
async fn a_row_that_was_altered_hides_no_other_and_keeps_nobody_from_a_handle() {
    let bench = Bench::start_with(|config| config.handles.max_live_per_caller = 3).await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let mut ids = Vec::new();
    for _ in 0..3 {
        bench.clock.advance(Duration::from_millis(2));
        let issued = bench.issue(SYNC, "acme").await.expect("issues");
        ids.push(issued.description.expect("told").handle_id);
    }
    let database = bench.database().await;
    sqlx::query("UPDATE handle SET client_slug = 'other' WHERE handle_id = $1")
        .bind(&ids[2])
        .execute(database.pool())
        .await
        .expect("altered");
    for page_size in [1, 0] {
        let (mut seen, mut altered, mut page_token) = (Vec::new(), 0, String::new());
        loop {
            let request = ListHandlesRequest {
                client_slug: "acme".to_owned(),
                caller: "*".to_owned(),
                page_size,
                page_token,
            };
            let page = bench
                .handles(OPERATOR)
                .list_handles(request)
                .await
                .expect("lists");
            let page = page.into_inner();
            seen.extend(page.handles.into_iter().map(|handle| handle.handle_id));
            altered += page.altered_count;
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!((seen, altered), (vec![ids[1].clone(), ids[0].clone()], 1));
    }
    bench.issue(SYNC, "acme").await.expect("it takes no place");
}
