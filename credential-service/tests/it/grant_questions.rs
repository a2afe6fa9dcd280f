//! What operators ask of grants: which there are, what others would have refused, and what is wrong with one.

use std::time::Duration;

use hubkeep_proto::credential::v1::{
    Grant, ListGrantsRequest, PutGrantRequest, ReplayGrantsRequest,
    access_service_client::AccessServiceClient, grant::Holder,
};
use tonic_types::StatusExt as _;

use crate::{
    grants::{access_of, ids, of_everything, on_acme, put, start},
    harness::*,
};

#[tokio::test]
async fn grants_are_listed_by_their_ids_by_caller_and_by_portal() {
    let bench = start().await;
    for grant in [
        on_acme("c", "jobs/*"),
        of_everything("a", SYNC),
        on_acme("b", "jobs/eu"),
        on_acme("d", "*"),
    ] {
        put(&bench, grant).await.expect("put");
    }
    let all = ListGrantsRequest::default();
    assert_eq!(ids(&bench, all.clone()).await, ["a", "b", "c", "d"]);
    let of = |caller: &str, client_slug: &str| ListGrantsRequest {
        caller: caller.to_owned(),
        client_slug: client_slug.to_owned(),
        ..ListGrantsRequest::default()
    };
    assert_eq!(ids(&bench, of(SYNC, "")).await, ["a", "d"]);
    assert_eq!(ids(&bench, of("jobs/eu", "")).await, ["b", "c", "d"]);
    assert_eq!(ids(&bench, of("", "globex")).await, ["a"]);
    let paged = ListGrantsRequest { page_size: 3, ..all };
    let first = access_of(&bench)
        .list_grants(paged.clone())
        .await
        .expect("lists")
        .into_inner();
    assert_eq!(first.grants.len(), 3);
    let next = ListGrantsRequest {
        page_token: first.next_page_token,
        ..paged
    };
    assert_eq!(ids(&bench, next).await, ["d"]);
}

#[tokio::test]
async fn a_replay_says_what_would_have_been_refused_and_changes_nothing() {
    let bench = start().await;
    put(&bench, of_everything("all", SYNC)).await.expect("put");
    bench.clock.advance(Duration::from_secs(3_600));
    for slug in ["acme", "acme", "globex"] {
        bench.issue(SYNC, slug).await.expect("issued");
    }
    let replay = async |request: ReplayGrantsRequest| {
        let answer = access_of(&bench).replay_grants(request).await;
        answer.map(tonic::Response::into_inner)
    };
    let narrower = ReplayGrantsRequest {
        grants: vec![on_acme("all", SYNC)],
        ..ReplayGrantsRequest::default()
    };
    let found = replay(narrower).await.expect("replays");
    assert_eq!(found.issued, 3);
    let told: Vec<_> = found
        .refusals
        .iter()
        .map(|refusal| {
            (
                refusal.client_slug.as_str(),
                refusal.count,
                refusal.lacking.as_str(),
            )
        })
        .collect();
    assert_eq!(told, [("globex", 1, "portal")]);
    let without = |id: &str| ReplayGrantsRequest {
        without_grant_ids: vec![id.to_owned()],
        ..ReplayGrantsRequest::default()
    };
    let found = replay(without("all")).await.expect("replays");
    assert_eq!(found.refusals.iter().map(|refusal| refusal.count).sum::<u64>(), 3);
    assert_eq!(reason(&replay(without("none")).await), "GRANT_UNKNOWN");
    bench.clock.advance(Duration::from_secs(3_600));
    let lately = ReplayGrantsRequest {
        since: Some(Duration::from_secs(60).try_into().expect("fits")),
        ..without("all")
    };
    assert_eq!(replay(lately).await.expect("replays").issued, 0, "they are older");
    bench.issue(SYNC, "globex").await.expect("nothing was changed");
}

#[tokio::test]
async fn every_fault_of_a_grant_is_told_at_once_and_only_the_fleet_may_put_one() {
    let bench = start().await;
    let refused = put(&bench, Grant::default()).await.expect_err("refused");
    let details = refused.get_error_details();
    let fields: Vec<&str> = details
        .bad_request()
        .expect("told")
        .field_violations
        .iter()
        .map(|fault| fault.field.as_str())
        .collect();
    for field in [
        "grant.grant_id",
        "grant.holder",
        "grant.portals",
        "grant.scope.operations",
    ] {
        assert!(fields.contains(&field), "{field} of {fields:?}");
    }
    let mut by_sync = AccessServiceClient::new(bench.channel_of(SYNC));
    let request = PutGrantRequest {
        grant: Some(on_acme("sync", SYNC)),
        validate_only: false,
    };
    assert_eq!(reason(&by_sync.put_grant(request).await), "CALLER_NOT_ALLOWED");
    let mut of_nobody = on_acme("ann", "x");
    of_nobody.holder = Some(Holder::PersonId("ann".to_owned()));
    assert_eq!(reason(&put(&bench, of_nobody).await), "PERSON_UNKNOWN");
}
