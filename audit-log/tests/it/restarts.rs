//! The server itself is restarted, or is set up as no log can bear; and batches that wait, and leases that do not.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{AuditLog, Error, Outcome, Position};
use hubkeep_core::{clock::SystemClock, random::SystemRandom};
use hubkeep_test_postgres::Own;
use tokio::task::JoinSet;

use crate::{
    outage::{Calling, assert_on_record, caller, calls, works_again},
    place::Intruder,
    support::{Place, eventually, everything, identity, read_of},
};

/// How long everything may take to work again, without a restart of ours.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Leases that were not renewed since the server was started.
const NOT_RENEWED: &str = "SELECT count(*) FROM audit_replica \
    WHERE seen_time <= EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_under_calls_is_used_again_within_ten_seconds_and_nothing_is_lost() {
    // As its package sets it up: plans are compiled where nobody says otherwise.
    let own = Arc::new(Own::start(&["jit=on"]));
    let mut place = Place::on(&own, "restarted");
    place.intent_deadline = Duration::from_secs(2);
    let logs = [place.open().await, place.open().await];
    let calling = Arc::new(Calling::default());
    let mut callers = JoinSet::new();
    for number in 0..16 {
        callers.spawn(caller(logs[number % 2].clone(), Arc::clone(&calling)));
    }
    for crash in [false, true] {
        works_again(&logs[0]).await;
        let server = Arc::clone(&own);
        let restarted = tokio::task::spawn_blocking(move || {
            if crash {
                server.crash();
            } else {
                server.restart();
            }
        });
        restarted.await.expect("it starts again");
        let clock = SystemClock::shared();
        let back = clock.tick();
        for log in &logs {
            works_again(log).await;
        }
        let mut intruder = place.intruder().await;
        eventually("the leases are renewed", async || {
            intruder.count(NOT_RENEWED).await == 0
        })
        .await;
        let took = clock.tick().since(back);
        assert!(took < BACK_WITHIN, "{took:?}");
    }
    calling.stop();
    let told: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
    for log in &logs {
        log.stop().await;
    }
    assert_on_record(&told, &calls(&place.open().await).await);
}

/// When a lease was renewed last, by the only replica there is.
async fn seen(intruder: &mut Intruder) -> i64 {
    intruder.count("SELECT seen_time FROM audit_replica").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_renewed_also_while_a_batch_waits() {
    let place = Place::postgres("waiting_batch");
    let log = place.open().await;
    let (mut watcher, mut holder) = (place.intruder().await, place.intruder().await);
    holder.lock().await;
    let waiting = tokio::spawn({
        let log = log.clone();
        async move { log.intent(read_of(1)).await?.settle(Outcome::ok()).await }
    });
    eventually("the batch waits", async || {
        let waits =
            "SELECT count(*) FROM pg_locks WHERE relation = 'audit_position'::regclass AND NOT granted";
        watcher.count(waits).await == 1
    })
    .await;
    let before = seen(&mut watcher).await;
    eventually("two beats", async || {
        seen(&mut watcher).await > before + 1_000_000
    })
    .await;
    assert!(!waiting.is_finished(), "the batch waits still");
    holder.unlock().await;
    waiting.await.expect("no panic").expect("it is on record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_renewed_also_while_a_lost_one_is_held() {
    let place = Place::postgres("held_lost");
    let log = place.open().await;
    let mut watcher = place.intruder().await;
    watcher
        .run("INSERT INTO audit_replica (replica_id, session, seen_time) VALUES ('lost', 1, 0)")
        .await;
    // A batch of the lost replica that is under way holds its row so.
    let mut holder = place.intruder().await;
    holder
        .run("BEGIN; SELECT * FROM audit_replica WHERE replica_id = 'lost' FOR KEY SHARE")
        .await;
    const SEEN: &str = "SELECT max(seen_time) FROM audit_replica";
    const LOST: &str = "SELECT count(*) FROM audit_replica WHERE replica_id = 'lost'";
    let before = watcher.count(SEEN).await;
    eventually("two beats", async || {
        watcher.count(SEEN).await > before + 1_500_000
    })
    .await;
    assert_eq!(watcher.count(LOST).await, 1, "it may still write");
    holder.unlock().await;
    eventually("it is taken for lost", async || watcher.count(LOST).await == 0).await;
    log.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_what_it_committed_is_refused() {
    let own = Own::start(&["fsync=off"]);
    let place = Place::on(&own, "forgetful");
    let config = place.config();
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let opened = AuditLog::open(&config, identity(), clock, random).await;
    let error = opened.expect_err("refused");
    assert!(matches!(error, Error::OpenWriter(_)), "{error}");
    assert!(error.to_string().contains("fsync"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_on_disk_also_where_the_server_would_answer_before_it_is() {
    // Left to itself, such a server writes what was committed up to 10 s later.
    let own = Own::start(&["synchronous_commit=off", "wal_writer_delay=10s"]);
    let place = Place::on(&own, "hasty");
    let log = place.open().await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    assert_eq!(intent.position(), Position(1));
    own.crash();
    let again = place.open().await;
    assert_eq!(everything(&again).await.len(), 1, "it is still there");
}
