//! What a grant does not allow any more ends at once: the handles that were issued under it, and no others.

use hubkeep_proto::{
    audit::v1::Cause,
    credential::v1::{
        Grant, HandleOperation, HandleScope, ListHandlesRequest, PortalDetails, PortalSelection,
        UpdatePortalRequest,
    },
};

use crate::{
    grants::{delete, of_everything, on_acme, put, start},
    harness::*,
};

async fn tag(bench: &Bench, tags: &[&str]) {
    let details = PortalDetails {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..PortalDetails::default()
    };
    let request = UpdatePortalRequest {
        client_slug: "acme".to_owned(),
        details: Some(details),
    };
    bench
        .portals(OPERATOR)
        .update_portal(request)
        .await
        .expect("described");
}

/// Everything, on portals with this tag.
fn by_tag(grant_id: &str, callers: &str, tag: &str) -> Grant {
    Grant {
        portals: Some(PortalSelection {
            tags: vec![tag.to_owned()],
            ..PortalSelection::default()
        }),
        ..of_everything(grant_id, callers)
    }
}

#[tokio::test]
async fn a_tag_that_is_taken_away_ends_the_handles_that_were_granted_by_it() {
    let bench = start().await;
    tag(&bench, &["eu", "gold"]).await;
    put(&bench, by_tag("eu", SYNC, "eu")).await.expect("put");
    put(&bench, on_acme("named", "reporting")).await.expect("put");
    let by_tag = bench.issue(SYNC, "acme").await.expect("issued").handle;
    let named = bench.issue("reporting", "acme").await.expect("issued").handle;
    tag(&bench, &["eu"]).await;
    bench.redeem(&by_tag, SYNC).await.expect("another tag was taken");

    tag(&bench, &["gold"]).await;
    assert_eq!(reason(&bench.redeem(&by_tag, SYNC).await), "HANDLE_INVALID");
    assert_eq!(
        bench.last_entry().await.1.cause(),
        Cause::HandleRevoked,
        "on the feed too"
    );
    bench
        .redeem(&named, "reporting")
        .await
        .expect("granted by the slug");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "GRANT_MISSING");
}

#[tokio::test]
async fn a_narrower_grant_or_none_ends_its_handles_and_a_wider_one_does_not() {
    let bench = start().await;
    let reading = |operations: Vec<HandleOperation>| Grant {
        scope: Some(HandleScope {
            operations: operations.into_iter().map(Into::into).collect(),
            object_types: vec!["contacts".to_owned()],
            ..HandleScope::default()
        }),
        ..on_acme("sync", SYNC)
    };
    put(&bench, reading(vec![HandleOperation::Get]))
        .await
        .expect("put");
    let handle = bench.issue(SYNC, "acme").await.expect("issued").handle;
    let wider = put(&bench, reading(vec![HandleOperation::Get, HandleOperation::List])).await;
    assert_eq!(wider.expect("put").ended_handles, 0);
    bench.redeem(&handle, SYNC).await.expect("lives on");

    let narrower = put(&bench, reading(vec![HandleOperation::List]))
        .await
        .expect("put");
    assert_eq!(narrower.ended_handles, 1);
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
    assert_eq!(bench.last_entry().await.1.cause(), Cause::GrantChanged);
    let listed = bench
        .handles(SYNC)
        .list_handles(ListHandlesRequest {
            client_slug: "acme".to_owned(),
            ..ListHandlesRequest::default()
        })
        .await
        .expect("listed");
    assert!(listed.into_inner().handles.is_empty());

    put(&bench, on_acme("sync", SYNC)).await.expect("put");
    let handle = bench.issue(SYNC, "acme").await.expect("issued").handle;
    // The handle that the narrower grant ended is not counted again.
    assert!(delete(&bench, "sync").await.expect("deleted").ended_handles >= 1);
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
}

#[tokio::test]
async fn a_stranger_learns_from_no_list_whether_there_is_such_a_portal() {
    let bench = start().await;
    let list = |slug: &str| ListHandlesRequest {
        client_slug: slug.to_owned(),
        ..ListHandlesRequest::default()
    };
    for slug in ["acme", "nobody"] {
        let listed = bench.handles("stranger").list_handles(list(slug)).await;
        assert!(
            listed.expect("told alike").into_inner().handles.is_empty(),
            "{slug}"
        );
        assert_eq!(reason(&bench.issue("stranger", slug).await), "GRANT_MISSING");
    }
    let entries = bench.entries().await;
    let in_its_log = entries
        .iter()
        .filter(|(log, entry)| !log.ends_with("/system") && entry.caller == "stranger");
    assert_eq!(in_its_log.count(), 0, "nor writes into its log");
}
