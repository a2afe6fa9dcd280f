//! Several processes write one log in PostgreSQL: each is an `AuditLog` of its own here.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use hubkeep_audit_log::{
    AuditLog, CallResult, Cause, Error, Failure, Filter, Outcome, Phase, Position, Tailed,
};
use tokio::task::JoinSet;

use crate::{
    order::{assert_dense, produce},
    proxy::{Mode, Proxy},
    support::{Place, entry, eventually, everything, next_events, read_of},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_write_one_dense_log_and_a_tail_of_each_sees_all_of_it() {
    const REPLICAS: usize = 3;
    const CALLS: usize = 20;
    let place = Place::postgres("three_replicas");
    let mut logs = Vec::new();
    for _ in 0..REPLICAS {
        logs.push(place.open().await);
    }
    let total = REPLICAS * 8 * CALLS * 2;
    let mut readers = JoinSet::new();
    for log in &logs {
        let log = log.clone();
        readers.spawn(async move {
            let mut tail = Box::pin(log.tail(Position::START, Filter::all()));
            let events = next_events(&mut tail, total).await;
            assert_dense(&events);
            let end = Position(u64::try_from(total).expect("small"));
            let Some(Ok(Tailed::Reached(position))) = tail.next().await else {
                panic!("nothing else was written");
            };
            assert_eq!(position, end);
            events
        });
    }
    let mut writers: Vec<_> = logs
        .iter()
        .map(|log| produce(log, 8, u64::try_from(CALLS).expect("small")))
        .collect();
    for writer in &mut writers {
        while let Some(done) = writer.join_next().await {
            done.expect("each call is on record");
        }
    }
    let seen = readers.join_all().await;
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    for log in &logs {
        let end = log.end().await.expect("reads");
        assert_eq!(usize::try_from(end.get()).expect("small"), total);
    }
}

/// A replica behind a proxy, and one that reaches the server by itself.
async fn two(place: &Place) -> (Proxy, AuditLog, AuditLog) {
    let proxy = Proxy::to(place.server()).await;
    let far = place.open_through(&proxy).await;
    (proxy, far, place.open().await)
}

async fn outcomes(log: &AuditLog) -> Vec<hubkeep_audit_log::Event> {
    let mut events = everything(log).await;
    events.retain(|event| entry(event).phase() == Phase::Outcome);
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lost_replica_left_open_is_closed_once_and_it_writes_nothing_under_its_old_name() {
    let place = Place::postgres("lost_replica");
    let (proxy, lost, alive) = two(&place).await;
    let third = place.open().await;
    let mut held = Vec::new();
    for number in 0..20 {
        held.push(lost.intent(read_of(1 + number % 3)).await.expect("durable"));
    }
    let own = alive.intent(read_of(9)).await.expect("durable");
    let mut intruder = place.intruder().await;
    let replicas = intruder
        .texts("SELECT DISTINCT replica FROM audit_open_intent WHERE position <= 20")
        .await;
    let [old] = replicas.as_slice() else {
        panic!("one replica wrote them: {replicas:?}");
    };

    proxy.set(Mode::Stall);
    proxy.cut();
    // Ten seconds pass.
    intruder.run("UPDATE audit_replica SET seen_time = seen_time - 60000000 WHERE replica_id = (SELECT replica FROM audit_open_intent WHERE position = 1)").await;
    eventually("all are closed", async || outcomes(&alive).await.len() == 20).await;
    for outcome in outcomes(&third).await {
        let entry = entry(&outcome);
        assert_eq!(
            (entry.result(), entry.cause()),
            (CallResult::Unknown, Cause::ProcessLost)
        );
    }

    proxy.set(Mode::Pass);
    proxy.cut();
    let late = held.pop().expect("one of them").settle(Outcome::ok()).await;
    assert!(
        matches!(late, Err(Error::OutcomeNotRecorded(Failure::Closed))),
        "{late:?}"
    );
    let again = lost.intent(read_of(1)).await.expect("registered anew");
    let open = intruder
        .texts("SELECT DISTINCT replica FROM audit_open_intent")
        .await;
    assert!(
        open.len() == 2 && !open.contains(old),
        "{old} writes nothing: {open:?}"
    );
    again.settle(Outcome::ok()).await.expect("durable");
    own.settle(Outcome::ok())
        .await
        .expect("its own lease never ran out");
    drop(held);
    lost.stop().await;
    let events = everything(&alive).await;
    assert_dense(&events);
    let calls: BTreeSet<&str> = events.iter().map(|event| entry(event).call_id.as_str()).collect();
    assert_eq!(events.len(), calls.len() * 2, "each intent has one outcome");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_leaves_what_it_holds_to_the_others() {
    let place = Place::postgres("stopped_replica");
    let leaving = place.open().await;
    let held = leaving.intent(read_of(1)).await.expect("durable");
    leaving.stop().await;
    let next = place.open().await;
    let closed = outcomes(&next).await;
    assert_eq!(closed.len(), 1);
    assert_eq!(entry(&closed[0]).cause(), Cause::ProcessLost);
    assert!(held.settle(Outcome::ok()).await.is_err());
}
