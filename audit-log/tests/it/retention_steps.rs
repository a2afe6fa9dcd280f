//! Pruning that fails at any of its steps, or is cut off there, leaves a log that is whole above where it begins.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{AuditLog, proofs::Which};
use hubkeep_core::clock::MockClock;

use crate::{
    anchors::{mock, proven},
    proofs::record,
    retention::{LONG, ONE, announcements, calls, left, looked_at, pruned_to},
    support::{Place, eventually},
};

/// Tables that pruning changes, in its order, with what it does there.
const STEPS: [(&str, &str); 5] = [
    ("INSERT", "audit_pruned"),
    ("DELETE", "audit_entry"),
    ("INSERT", "audit_pruned_client"),
    ("DELETE", "audit_client_span"),
    ("DELETE", "audit_index"),
];

/// What makes a step fail, and what ends that.
fn trap(is_file: bool, (does, table): (&str, &str)) -> (String, String) {
    if is_file {
        let set =
            format!("CREATE TRIGGER trap BEFORE {does} ON {table} BEGIN SELECT RAISE(ABORT, 'cut off'); END");
        return (set, "DROP TRIGGER trap".to_owned());
    }
    let set = format!(
        "CREATE OR REPLACE FUNCTION cut() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'cut off'; END $$ LANGUAGE plpgsql; \
         CREATE TRIGGER trap BEFORE {does} ON {table} FOR EACH ROW EXECUTE FUNCTION cut()"
    );
    (set, format!("DROP TRIGGER trap ON {table}"))
}

/// More than one span of positions, so that the index has something to forget.
async fn every_step(place: Place) {
    let place = place.proven();
    let is_file = place.config().url.starts_with("sqlite");
    let (clock, _) = mock();
    let mut log = place.open_at(Arc::clone(&clock) as _).await;
    calls(&log, 1, 600).await;
    proven(&log, 1, 1_200, &clock).await;
    log.bring_index_up_to_date().await.expect("indexed");
    clock.advance(LONG);
    for step in STEPS {
        let (set, end) = trap(is_file, step);
        place.intruder().await.change(set.leak()).await;
        looked_at(&clock).await;
        assert_eq!(log.beginning(ONE).await.expect("reads"), None, "{step:?}");
        assert_eq!(left(&log, ONE).await[0].index, 0, "{step:?}");
        log.stop().await;
        place.intruder().await.change(end.leak()).await;
        log = place.open_at(Arc::clone(&clock) as _).await;
    }
    pruned_to(&log, ONE, 1_024, &clock).await;
    assert_eq!(announcements(&log, ONE).await.len(), 1, "it was announced once");
    record(&log, 1, 1).await;
    let events = left(&log, ONE).await;
    let last = events.last().expect("some").index;
    assert_eq!((events[0].index, last), (1_024, 1_202));
    proven(&log, 1, last + 1, &clock).await;
    for event in &events {
        let which = Which::Index(event.index);
        log.inclusion(ONE, which, None).await.expect("proven");
    }
    log.consistency(ONE, 1_200, None).await.expect("grows out of it");
}

#[tokio::test]
async fn in_a_file_a_cut_at_each_step_leaves_a_log_that_is_whole() {
    every_step(Place::sqlite()).await;
}

#[tokio::test]
async fn on_a_server_a_cut_at_each_step_leaves_a_log_that_is_whole() {
    every_step(Place::postgres("retention_steps")).await;
}

#[tokio::test]
async fn two_replicas_announce_and_prune_once() {
    let place = Place::postgres("retention_replicas").proven();
    let (clock, _) = mock();
    let one = place.open_at(Arc::clone(&clock) as _).await;
    let two = place.open_at(Arc::clone(&clock) as _).await;
    calls(&one, 1, 300).await;
    calls(&two, 1, 300).await;
    proven(&one, 1, 1_200, &clock).await;
    clock.advance(LONG);
    pruned_to(&one, ONE, 1_024, &clock).await;
    looked_at(&clock).await;
    for log in [&one, &two] {
        assert_eq!(announcements(log, ONE).await.len(), 1);
        assert_eq!(left(log, ONE).await.len(), 1_201 - 1_024);
    }
}

/// The clock of one replica goes by until a log begins there, or behind it; whoever of it rests a moment wakes up once for each minute.
async fn pruned_by(clock: &MockClock, log: &AuditLog, first_index: u64) -> u64 {
    let mut begun = 0;
    eventually("old entries go", async || {
        clock.advance(Duration::from_secs(61));
        let mut looks = 0;
        eventually("a moment", async || {
            looks += 1;
            let beginning = log.beginning(ONE).await.expect("reads");
            begun = beginning.map_or(0, |beginning| beginning.first_index);
            begun >= first_index || looks > 40
        })
        .await;
        begun >= first_index
    })
    .await;
    begun
}

#[tokio::test]
async fn a_replica_goes_on_pruning_where_another_was_at_it_meanwhile() {
    let place = Place::postgres("retention_turns").proven();
    let ((slow, _), (quick, _)) = (mock(), mock());
    let one = place.open_at(Arc::clone(&slow) as _).await;
    let two = place.open_at(Arc::clone(&quick) as _).await;
    calls(&one, 1, 2_700).await;
    proven(&one, 1, 5_400, &slow).await;
    for clock in [&slow, &quick] {
        clock.advance(LONG);
    }
    let first = pruned_by(&slow, &one, 1_024).await;
    // It rests between two batches, and the other comes.
    let second = pruned_by(&quick, &two, first + 1_024).await;
    assert!(second < 5_120, "something is left for the first: {second}");
    pruned_by(&slow, &one, 5_120).await;
    assert_eq!(announcements(&one, ONE).await.len(), 1);
    for log in [one, two] {
        log.stop().await;
    }
}
