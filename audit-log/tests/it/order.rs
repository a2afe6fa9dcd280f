//! Positions and indices are dense, and readers see each event once.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Place, everything, next_events, on_both_databases, portal, read_of};
use futures::StreamExt as _;
use hubkeep_audit_log::{AuditLog, Event, Filter, Outcome, Phase, Position, Tailed};
use tokio::task::JoinSet;

on_both_databases! {
    a_position_is_visible_as_soon_as_its_writer_knows_it,
    a_reader_that_does_not_read_holds_nobody_up,
    a_filter_gives_what_passes_it_and_says_how_far_it_looked;
    on two threads:
    positions_and_indices_are_dense_under_64_producers,
    what_a_follower_is_told_is_what_stands_in_the_log,
    a_tail_from_any_cursor_sees_each_event_once_while_writers_run,
}

/// `producers` tasks that make `calls` calls each, spread over 7 portals.
pub(crate) fn produce(log: &AuditLog, producers: u64, calls: u64) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for producer in 0..producers {
        let log = log.clone();
        tasks.spawn(async move {
            for call in 0..calls {
                let draft = read_of(1 + (producer + call) % 7);
                let intent = log.intent(draft).await.expect("durable");
                let begun = intent.position();
                let ended = intent.settle(Outcome::ok()).await.expect("durable");
                assert!(begun < ended, "an outcome comes after its intent");
            }
        });
    }
    tasks
}

pub(crate) fn assert_dense(events: &[Event]) {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for (event, position) in events.iter().zip(1..) {
        assert_eq!(event.position, position, "positions have no gap");
        let size = sizes.entry(&event.log).or_default();
        assert_eq!(event.index, *size, "indices of {} have no gap", event.log);
        *size += 1;
    }
}

async fn positions_and_indices_are_dense_under_64_producers(place: Place) {
    let log = place.open().await;
    produce(&log, 64, 20).join_all().await;
    let events = everything(&log).await;
    assert_eq!(events.len(), 64 * 20 * 2);
    assert_dense(&events);
    let logs: BTreeSet<&str> = events.iter().map(|event| event.log.as_str()).collect();
    assert_eq!(logs.len(), 7);
    assert!(logs.contains("test/crm-service/7"));
    assert_eq!(log.end().await.expect("reads"), Position(2_560));
}

async fn a_tail_from_any_cursor_sees_each_event_once_while_writers_run(place: Place) {
    let log = place.open().await;
    produce(&log, 16, 5).join_all().await;
    let total: u64 = 160 + 64 * 10 * 2;
    let mut readers = JoinSet::new();
    for after in [0, 1, 59, 160, 200, 900] {
        let log = log.clone();
        readers.spawn(async move {
            let mut tail = Box::pin(log.tail(Position(after), Filter::all()));
            let count = usize::try_from(total - after).expect("small");
            let events = next_events(&mut tail, count).await;
            let seen: Vec<u64> = events.iter().map(|event| event.position).collect();
            let expected: Vec<u64> = (after + 1..=total).collect();
            assert_eq!(seen, expected, "after {after}");
        });
    }
    produce(&log, 64, 10).join_all().await;
    readers.join_all().await;
}

async fn what_a_follower_is_told_is_what_stands_in_the_log(place: Place) {
    let log = place.open().await;
    produce(&log, 8, 5).join_all().await;
    let from = log.end().await.expect("reads");
    let outcomes = Filter {
        phases: vec![Phase::Outcome],
        ..Filter::all()
    };
    for filter in [Filter::all(), outcomes] {
        let mut tail = Box::pin(log.tail(from, filter.clone()));
        produce(&log, 32, 10).join_all().await;
        let stand = log.list(&filter, from, 10_000).await.expect("reads");
        assert!(stand.len() >= 320, "{}", stand.len());
        assert_eq!(next_events(&mut tail, stand.len()).await, stand);
    }
}

async fn a_position_is_visible_as_soon_as_its_writer_knows_it(place: Place) {
    let log = place.open().await;
    for _ in 0..20 {
        let intent = log.intent(read_of(1)).await.expect("durable");
        assert!(log.end().await.expect("reads") >= intent.position());
        let last = everything(&log).await.pop().expect("an event");
        assert_eq!(last.position, intent.position().get());
        intent.settle(Outcome::ok()).await.expect("durable");
    }
}

async fn a_reader_that_does_not_read_holds_nobody_up(place: Place) {
    let log = place.open().await;
    let mut slow = Box::pin(log.tail(Position::START, Filter::all()));
    assert!(matches!(
        slow.next().await,
        Some(Ok(Tailed::Reached(Position(0))))
    ));
    produce(&log, 32, 50).join_all().await;
    let events = next_events(&mut slow, 3_200).await;
    assert_dense(&events);
}

async fn a_filter_gives_what_passes_it_and_says_how_far_it_looked(place: Place) {
    let log = place.open().await;
    produce(&log, 7, 4).join_all().await;
    let filter = Filter {
        client_slug: Some(portal(3).client_slug().clone()),
        portal_id: Some(portal(3).portal_id()),
        phases: vec![Phase::Outcome],
        caller: Some("nightly-sync".parse().expect("a name")),
        ..Filter::all()
    };
    let listed = log.list(&filter, Position::START, 100).await.expect("reads");
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|event| event.log == "test/crm-service/3"));

    let mut tail = Box::pin(log.tail(Position::START, filter.clone()));
    assert_eq!(next_events(&mut tail, 4).await, listed);
    let reached = tail.next().await.expect("goes on").expect("reads");
    assert_eq!(reached, Tailed::Reached(Position(56)));

    let call_id = crate::support::entry(&listed[0]).call_id.parse().expect("an id");
    let of_call = Filter {
        call_id: Some(call_id),
        ..Filter::all()
    };
    let call = log.list(&of_call, Position::START, 100).await.expect("reads");
    assert_eq!(call.len(), 2, "an intent and an outcome");
    let of_nobody = Filter {
        caller: Some("nobody".parse().expect("a name")),
        ..Filter::all()
    };
    assert!(
        log.list(&of_nobody, Position::START, 9)
            .await
            .expect("reads")
            .is_empty()
    );
}
