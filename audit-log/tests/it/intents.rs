//! What is announced is durable, what is done is closed, and what cannot be recorded is refused in time.

use std::time::Duration;

use crate::support::{
    Counting, Place, call_id, entry, eventually, everything, identity, on_both_databases, read_of,
};
use futures::FutureExt as _;
use hubkeep_audit_log::{
    AuditLog, CallResult, Cause, Config, Draft, Entry, Error, Filter, Operation, Outcome, Phase, Position,
};
use hubkeep_core::{
    clock::{SystemClock, Timestamp},
    error::{ErrorKind, ErrorReason, ServiceError as _},
    random::SystemRandom,
};

on_both_databases! {
    an_outcome_repeats_its_intent_and_adds_how_it_ended,
    a_dropped_intent_becomes_unknown,
    intents_of_a_lost_process_are_closed_before_anything_else_is_written,
    an_intent_that_nobody_waits_for_any_more_is_never_left_open,
    equal_entries_give_equal_bytes_for_ever,
    a_stopped_log_takes_nothing_and_has_lost_nothing,
    what_no_database_keeps_as_text_spoils_no_batch;
    on two threads:
    an_intent_is_refused_in_time_while_the_database_is_locked_and_works_again_after,
}

async fn last(log: &AuditLog) -> Entry {
    let event = everything(log).await.pop().expect("an event");
    entry(&event).clone()
}

/// PostgreSQL refuses every text with a NUL in it, and with it the whole batch.
async fn what_no_database_keeps_as_text_spoils_no_batch(place: Place) {
    let log = place.open().await;
    let strange = read_of(1)
        .object("con\0tacts", Some("1\0"))
        .http("GET\0", "/\0", 0);
    let (intent, beside) = futures::join!(log.intent(strange), log.intent(read_of(2)));
    intent
        .expect("durable")
        .settle(Outcome::ok())
        .await
        .expect("durable");
    beside
        .expect("durable")
        .settle(Outcome::ok())
        .await
        .expect("durable");
    assert!("client-\0".parse::<hubkeep_core::id::ClientSlug>().is_err());
    assert!("sync\0".parse::<hubkeep_core::id::CallerName>().is_err());
}

async fn an_outcome_repeats_its_intent_and_adds_how_it_ended(place: Place) {
    let log = place.open().await;
    let intent = log.intent(read_of(1).attempt(2)).await.expect("durable");
    let (id, call_id, attempt) = (intent.entry_id(), intent.call_id(), intent.attempt());
    assert_eq!((intent.position(), attempt), (Position(1), 2));
    let outcome = Outcome {
        status_code: 404,
        ..Outcome::refused(ErrorReason::ObjectNotFound)
    };
    assert_eq!(intent.settle(outcome).await.expect("durable"), Position(2));
    let events = everything(&log).await;
    let (begun, ended) = (entry(&events[0]), entry(&events[1]));
    assert_eq!(begun.entry_id, id.to_string());
    assert_ne!(begun.entry_id, ended.entry_id);
    assert_eq!(
        (begun.phase(), begun.result()),
        (Phase::Intent, CallResult::Unspecified)
    );
    assert_eq!(
        (ended.phase(), ended.result()),
        (Phase::Outcome, CallResult::Refused)
    );
    assert_eq!(ended.call_id, call_id.to_string());
    assert_eq!((ended.attempt, ended.status_code), (2, 404));
    assert_eq!(ended.path_template, begun.path_template);
    assert!(ended.duration.is_some());
}

async fn a_dropped_intent_becomes_unknown(place: Place) {
    let log = place.open().await;
    drop(log.intent(read_of(1)).await.expect("durable"));
    eventually("the outcome", async || {
        log.end().await.expect("reads") == Position(2)
    })
    .await;
    let ended = last(&log).await;
    assert_eq!(
        (ended.result(), ended.phase()),
        (CallResult::Unknown, Phase::Outcome)
    );
    assert_ne!(ended.cause(), Cause::ProcessLost);
}

async fn intents_of_a_lost_process_are_closed_before_anything_else_is_written(place: Place) {
    let log = place.open().await;
    let settled = log.intent(read_of(1)).await.expect("durable");
    settled.settle(Outcome::ok()).await.expect("durable");
    for number in 0..1_100 {
        // What a process that is killed leaves behind.
        std::mem::forget(log.intent(read_of(1 + number % 3)).await.expect("durable"));
    }
    log.stop().await;

    let log = place.open().await;
    let orphans = Filter {
        phases: vec![Phase::Outcome],
        ..Filter::all()
    };
    let closed = log.list(&orphans, Position(1_102), 10_000).await.expect("reads");
    assert_eq!(closed.len(), 1_100);
    let events = everything(&log).await;
    for event in &closed {
        let entry = entry(event);
        assert_eq!(
            (entry.result(), entry.cause()),
            (CallResult::Unknown, Cause::ProcessLost)
        );
        let of_call = events
            .iter()
            .filter(|other| crate::support::entry(other).call_id == entry.call_id);
        let logs: Vec<&str> = of_call.map(|other| other.log.as_str()).collect();
        assert_eq!(logs, [event.log.as_str(); 2], "in its own log");
    }
    log.stop().await;
    let log = place.open().await;
    assert_eq!(log.end().await.expect("reads"), Position(2_202), "once");
}

async fn an_intent_is_refused_in_time_while_the_database_is_locked_and_works_again_after(mut place: Place) {
    place.intent_deadline = Duration::from_millis(300);
    let log = place.open().await;
    let held = log.intent(read_of(1)).await.expect("durable");
    let mut intruder = place.intruder().await;
    intruder.lock().await;

    let clock = SystemClock::shared();
    let began = clock.tick();
    let error = log.intent(read_of(2)).await.expect_err("refused");
    let took = clock.tick().since(began);
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unavailable, ErrorReason::AuditUnavailable)
    );
    let error = held
        .settle(Outcome::ok())
        .await
        .expect_err("the answer is withheld");
    assert!(matches!(error, Error::OutcomeNotRecorded(_)), "{error}");

    intruder.unlock().await;
    eventually("an intent", async || match log.intent(read_of(3)).await {
        Ok(intent) => intent.settle(Outcome::ok()).await.is_ok(),
        Err(_) => false,
    })
    .await;
    eventually("the late outcome", async || {
        let of_first = everything(&log).await;
        let outcomes = of_first.iter().filter(|event| entry(event).portal_id == 1);
        outcomes.map(entry).any(|entry| entry.result() == CallResult::Ok)
    })
    .await;
    let refused = everything(&log).await;
    let refused = refused.iter().filter(|event| entry(event).portal_id == 2);
    assert_eq!(refused.count(), 0, "no intent for a call that was not made");
}

async fn an_intent_that_nobody_waits_for_any_more_is_never_left_open(place: Place) {
    let log = place.open().await;
    for number in 0..200 {
        let mut intent = Box::pin(log.intent(read_of(1)));
        // Given up at every point between the queue and the answer.
        for _ in 0..number % 8 {
            if intent.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    log.stop().await;
    let log = place.open().await;
    let events = everything(&log).await;
    let of = |phase| {
        events
            .iter()
            .map(entry)
            .filter(move |entry| entry.phase() == phase)
    };
    assert_eq!(of(Phase::Intent).count(), of(Phase::Outcome).count());
    for outcome in of(Phase::Outcome) {
        assert!(matches!(
            outcome.result(),
            CallResult::Failed | CallResult::Unknown
        ));
        assert_ne!(
            outcome.cause(),
            Cause::ProcessLost,
            "closed by the process that wrote it"
        );
        assert!(outcome.result() == CallResult::Unknown || outcome.cause() == Cause::NotSent);
    }
}

async fn equal_entries_give_equal_bytes_for_ever(mut place: Place) {
    // A log key is drawn at random, too.
    place.proofs.enabled = false;
    let clock = hubkeep_core::clock::MockClock::at(Timestamp::from_micros(1_795_366_800_123_456));
    let random = std::sync::Arc::new(Counting::default());
    let log = place.open_with(clock, random).await;
    let call_id = "019aa5e0-0000-7000-8000-000000000001".parse().expect("an id");
    let draft = Draft::portal(&crate::support::portal(7), Operation::ObjectUpdate, call_id)
        .object("contacts", Some("ref"))
        .http("PATCH", "/crm/objects/2026-09/contacts/{id}", 300)
        .attempt(1);
    log.admin(draft, Outcome::ok()).await.expect("durable");
    let leaf = place.intruder().await.only_leaf().await;
    assert_eq!(hex::encode(&leaf), LEAF);
    let read = everything(&log).await;
    assert_eq!(prost::Message::encode_to_vec(entry(&read[0])), leaf);
}

/// Written once; a change of it breaks every proof ever given.
const LEAF: &str = "0a2430316132303433332d346166622d373030312d383230332d303430353036303730383039120b0890bf8cd8061080\
    94ef3a180420052a2430313961613565302d303030302d373030302d383030302d303030303030303030303031300138\
    074208636c69656e742d376a08636f6e746163747372037265667a0550415443488201222f63726d2f6f626a65637473\
    2f323032362d30392f636f6e74616374732f7b69647d900101b801ac02";

#[tokio::test]
async fn a_log_in_a_file_has_one_writer_at_a_time() {
    let place = Place::sqlite();
    let log = place.open().await;
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let second = AuditLog::open(&place.config(), identity(), clock, random).await;
    assert!(matches!(second, Err(Error::InUse(_))));
    log.stop().await;
    place.open().await;
}

#[tokio::test]
async fn what_is_no_place_for_a_log_is_refused_at_once() {
    let config = Config {
        url: "mysql://localhost/audit".to_owned(),
        ..Config::default()
    };
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let opened = AuditLog::open(&config, identity(), clock, random).await;
    assert!(matches!(opened, Err(Error::NoSuchPlace)));
}

async fn a_stopped_log_takes_nothing_and_has_lost_nothing(place: Place) {
    let log = place.open().await;
    let call = Draft::system(Operation::PortalList, call_id());
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let (log, call) = (log.clone(), call.clone());
        waiting.push(tokio::spawn(async move { log.admin(call, Outcome::ok()).await }));
    }
    tokio::task::yield_now().await;
    log.stop().await;
    let mut written = 0;
    for waiter in waiting {
        written += usize::from(waiter.await.expect("no panic").is_ok());
    }
    assert!(log.admin(call, Outcome::ok()).await.is_err());
    let log = place.open().await;
    assert_eq!(
        everything(&log).await.len(),
        written,
        "what was answered is there, and nothing else"
    );
}
