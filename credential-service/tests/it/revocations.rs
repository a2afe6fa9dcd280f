//! The feed of revocations: history, then news, without a gap, and a heartbeat.

use futures::{StreamExt as _, stream};
use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{
        RevokeHandleRequest, WatchRevocationsRequest, WatchRevocationsResponse, revocation::Scope,
        revoke_handle_request::Target, watch_revocations_response::Message,
    },
};
use tonic::{Status, Streaming};

use crate::harness::*;

pub(crate) async fn watch(bench: &Bench, after: u64) -> Result<Streaming<WatchRevocationsResponse>, Status> {
    let first = stream::iter([WatchRevocationsRequest {
        applied_seq: after,
        redeemer_id: crate::redeemers::FIRST.to_owned(),
        echo: 0,
    }]);
    let opened = bench
        .redemption()
        .watch_revocations(first.chain(stream::pending()))
        .await;
    Ok(opened?.into_inner())
}

pub(crate) async fn next(feed: &mut Streaming<WatchRevocationsResponse>) -> Message {
    feed.message()
        .await
        .expect("an answer")
        .expect("goes on")
        .message
        .expect("set")
}

pub(crate) async fn revoked(feed: &mut Streaming<WatchRevocationsResponse>) -> (u64, String) {
    match next(feed).await {
        Message::Revocation(revocation) => match revocation.scope {
            Some(Scope::HandleId(id)) => (revocation.seq, id),
            other => panic!("{other:?} is no handle"),
        },
        Message::Heartbeat(beat) => panic!("{beat:?} instead of a revocation"),
    }
}

pub(crate) async fn heartbeat(feed: &mut Streaming<WatchRevocationsResponse>) -> u64 {
    match next(feed).await {
        Message::Heartbeat(beat) => beat.revocation_seq,
        Message::Revocation(revocation) => panic!("{revocation:?} instead of a heartbeat"),
    }
}

/// Issues a handle and revokes it; gives its id.
async fn revoke_one(bench: &Bench) -> String {
    let issued = bench.issue(SYNC, "acme").await.expect("issues");
    let target = Some(Target::Handle(issued.handle));
    bench
        .handles(SYNC)
        .revoke_handle(RevokeHandleRequest {
            target,
            ..RevokeHandleRequest::default()
        })
        .await
        .expect("revokes");
    issued.description.expect("described").handle_id
}

#[tokio::test]
async fn history_comes_first_then_news_in_order_and_a_watcher_resumes_where_it_was() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let one = revoke_one(&bench).await;
    let two = revoke_one(&bench).await;

    let mut feed = watch(&bench, 0).await.expect("opens");
    assert_eq!(revoked(&mut feed).await, (1, one));
    assert_eq!(revoked(&mut feed).await, (2, two.clone()));
    assert_eq!(heartbeat(&mut feed).await, 2);

    // The clock stands: what comes now was woken, not polled for.
    let three = revoke_one(&bench).await;
    assert_eq!(revoked(&mut feed).await, (3, three.clone()));

    let mut resumed = watch(&bench, 1).await.expect("opens");
    assert_eq!(revoked(&mut resumed).await, (2, two));
    assert_eq!(revoked(&mut resumed).await, (3, three));
    assert_eq!(heartbeat(&mut resumed).await, 3);
}

#[tokio::test]
async fn a_heartbeat_comes_each_second() {
    let bench = Bench::start().await;
    let mut feed = watch(&bench, 0).await.expect("opens");
    assert_eq!(heartbeat(&mut feed).await, 0);
    for _ in 0..3 {
        assert_eq!(bench.while_time_passes(heartbeat(&mut feed)).await, 0);
    }
}

#[tokio::test]
async fn a_revocation_of_another_replica_is_found_by_polling() {
    let bench = Bench::start().await;
    let mut feed = watch(&bench, 0).await.expect("opens");
    assert_eq!(heartbeat(&mut feed).await, 0);
    let database = bench.database().await;
    sqlx::query("UPDATE revocation_counter SET seq = 1")
        .execute(database.pool())
        .await
        .expect("written");
    sqlx::query(
        "INSERT INTO revocation (seq, revoke_time, scope, subject, number) \
         VALUES (1, 0, 'portal-generation', '1001', 2)",
    )
    .execute(database.pool())
    .await
    .expect("written");
    let found = async {
        loop {
            if let Message::Revocation(revocation) = next(&mut feed).await {
                return revocation.seq;
            }
        }
    };
    assert_eq!(bench.while_time_passes(found).await, 1);
}

#[tokio::test]
async fn a_watcher_from_the_future_is_refused() {
    let bench = Bench::start().await;
    assert_eq!(reason(&watch(&bench, 7).await), "CREDENTIAL_SERVICE_UNAVAILABLE");
}

#[tokio::test]
async fn opening_the_feed_is_on_the_log_and_it_ends_when_the_service_stops() {
    let mut bench = Bench::start().await;
    let mut feed = watch(&bench, 0).await.expect("opens");
    assert_eq!(bench.last_entry().await.1.operation(), Operation::RevocationWatch);
    assert_eq!(heartbeat(&mut feed).await, 0);
    bench.stop().await;
    while let Ok(Some(_)) = feed.message().await {}
}
