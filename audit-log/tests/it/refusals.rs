//! A stranger fills neither the service's own log nor a portal's.

use std::{sync::Arc, time::Duration};

use crate::support::{Place, call_id, entry, eventually, everything, on_both_databases, portal};
use hubkeep_audit_log::{AuditLog, CallResult, Draft, Operation, Outcome, Phase, Position};
use hubkeep_core::{
    clock::{MockClock, Timestamp},
    error::ErrorReason,
};

on_both_databases! {
    one_caller_fills_one_entry_a_second_and_none_is_lost,
    what_is_counted_is_written_when_the_log_stops,
    a_stranger_never_writes_into_a_portals_log,
    each_refusal_of_a_proven_portal_is_an_entry;
    on two threads:
    a_crowd_of_callers_is_counted_together,
}

fn stranger(name: &str) -> Draft {
    Draft::system(Operation::ObjectGet, call_id()).caller(&name.parse().expect("a name"))
}

async fn refuse(log: &AuditLog, name: &str) -> Position {
    let outcome = Outcome::refused(ErrorReason::HandleInvalid);
    log.denied(stranger(name), outcome).await.expect("on record")
}

async fn counts(log: &AuditLog) -> Vec<(String, u32)> {
    let events = everything(log).await;
    let count = |event| {
        let entry = entry(event);
        (entry.caller.clone(), entry.occurrence_count)
    };
    events.iter().map(count).collect()
}

fn named(counts: &[(&str, u32)]) -> Vec<(String, u32)> {
    counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

async fn one_caller_fills_one_entry_a_second_and_none_is_lost(place: Place) {
    let clock = MockClock::at(Timestamp::from_micros(0));
    let log = place.open_at(Arc::clone(&clock) as _).await;
    assert_eq!(
        refuse(&log, "mallory").await,
        Position(1),
        "the first is written at once"
    );
    for _ in 0..499 {
        assert_eq!(
            refuse(&log, "mallory").await,
            Position(1),
            "further ones are counted"
        );
    }
    assert_eq!(
        refuse(&log, "eve").await,
        Position(2),
        "another caller has a second of its own"
    );

    clock.advance(Duration::from_secs(1));
    eventually("the count", async || counts(&log).await.len() == 3).await;
    refuse(&log, "mallory").await;
    assert_eq!(counts(&log).await.len(), 3, "the count began another second");
    clock.advance(Duration::from_secs(1));
    eventually("the next count", async || counts(&log).await.len() == 4).await;
    let expected = [("mallory", 1), ("eve", 1), ("mallory", 499), ("mallory", 1)];
    assert_eq!(counts(&log).await, named(&expected));

    // Two quiet seconds: the first refusal after them is written at once again.
    for _ in 0..2 {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    eventually("a quiet second", async || {
        refuse(&log, "eve").await;
        counts(&log).await.len() > 4
    })
    .await;
}

async fn what_is_counted_is_written_when_the_log_stops(place: Place) {
    let clock = MockClock::at(Timestamp::from_micros(0));
    let log = place.open_at(clock).await;
    for _ in 0..10 {
        refuse(&log, "mallory").await;
    }
    log.stop().await;
    let log = place.open().await;
    assert_eq!(counts(&log).await, named(&[("mallory", 1), ("mallory", 9)]));
}

async fn a_stranger_never_writes_into_a_portals_log(place: Place) {
    let log = place.open().await;
    refuse(&log, "mallory").await;
    log.stop().await;
    let log = place.open().await;
    for event in everything(&log).await {
        assert_eq!(event.log, "test/crm-service/system");
        let entry = entry(&event);
        assert_eq!((entry.portal_id, entry.client_slug.as_str()), (0, ""));
        assert_eq!(
            (entry.phase(), entry.result()),
            (Phase::Denied, CallResult::Refused)
        );
        assert_eq!(entry.reason(), ErrorReason::HandleInvalid);
    }
}

async fn each_refusal_of_a_proven_portal_is_an_entry(place: Place) {
    let log = place.open_at(MockClock::at(Timestamp::from_micros(0))).await;
    for _ in 0..5 {
        let draft = Draft::portal(&portal(1), Operation::ObjectGet, call_id());
        let outcome = Outcome::refused(ErrorReason::OperationNotAllowed);
        log.denied(draft, outcome).await.expect("durable");
    }
    let events = everything(&log).await;
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.log == "test/crm-service/1"));
    assert!(events.iter().all(|event| entry(event).occurrence_count == 1));
}

async fn a_crowd_of_callers_is_counted_together(place: Place) {
    let log = place.open_at(MockClock::at(Timestamp::from_micros(0))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..10_050 {
        let log = log.clone();
        tasks.spawn(async move { refuse(&log, &format!("caller-{number}")).await });
    }
    tasks.join_all().await;
    log.stop().await;
    let log = place.open().await;
    let counts = counts(&log).await;
    let total: u32 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(total, 10_050, "none is lost");
    assert_eq!(
        counts.len(),
        10_002,
        "the crowd has one entry at once, and one for the rest"
    );
    let crowd: u32 = counts
        .iter()
        .filter(|(name, _)| name.is_empty())
        .map(|(_, count)| count)
        .sum();
    assert_eq!(crowd, 50);
}
