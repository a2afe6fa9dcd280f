//! The server is cut off, falls silent, or answers too late: what cannot be recorded is refused, and nothing is lost.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hubkeep_audit_log::{AuditLog, CallResult, Cause, Entry, Error, Outcome, Phase, Position};
use hubkeep_core::clock::SystemClock;
use tokio::task::JoinSet;

use crate::{
    order::assert_dense,
    proxy::{Mode, Proxy},
    support::{Place, call_id, entry, eventually, everything, read_for, read_of},
};

async fn behind_a_proxy(test: &str, intent_deadline: Duration) -> (Place, Proxy, AuditLog) {
    let mut place = Place::postgres(test);
    place.intent_deadline = intent_deadline;
    let proxy = Proxy::to(place.server()).await;
    let log = place.open_through(&proxy).await;
    (place, proxy, log)
}

/// Fails unless a call is recorded again within 10 s.
pub(crate) async fn works_again(log: &AuditLog) {
    let clock = SystemClock::shared();
    let began = clock.tick();
    eventually("a call", async || match log.intent(read_of(3)).await {
        Ok(intent) => intent.settle(Outcome::ok()).await.is_ok(),
        Err(_) => false,
    })
    .await;
    let took = clock.tick().since(began);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// What was recorded of each call: the result of its outcome, where there is one.
pub(crate) async fn calls(log: &AuditLog) -> BTreeMap<String, Vec<Entry>> {
    let events = everything(log).await;
    assert_dense(&events);
    let mut calls: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for event in &events {
        let entry = entry(event);
        calls
            .entry(entry.call_id.clone())
            .or_default()
            .push(entry.clone());
    }
    calls
}

/// What was told of a call.
#[derive(Debug)]
pub(crate) enum Told {
    /// The intent was refused.
    Refused,
    /// The outcome was recorded.
    Recorded,
    /// The answer was withheld.
    Withheld,
}

/// What callers and their test know of one another.
#[derive(Default)]
pub(crate) struct Calling {
    over: AtomicBool,
    /// Calls that were refused, or whose answers were withheld.
    hit: AtomicUsize,
}

impl Calling {
    /// No caller begins another call.
    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// Makes calls until it is stopped, and says what was told of each.
pub(crate) async fn caller(log: AuditLog, calling: Arc<Calling>) -> Vec<(String, Told)> {
    let mut told = Vec::new();
    while !calling.over.load(Ordering::SeqCst) {
        let (id, portal) = (call_id(), 1 + told.len() as u64 % 5);
        let said = match log.intent(read_for(portal, id)).await {
            Err(error) => {
                assert!(matches!(error, Error::Unavailable(_)), "{error}");
                Told::Refused
            }
            Ok(intent) => match intent.settle(Outcome::ok()).await {
                Ok(_) => Told::Recorded,
                Err(_) => Told::Withheld,
            },
        };
        if !matches!(said, Told::Recorded) {
            calling.hit.fetch_add(1, Ordering::SeqCst);
        }
        told.push((id.to_string(), said));
    }
    told
}

/// Holds what was told against what is on record.
pub(crate) fn assert_on_record(told: &[(String, Told)], calls: &BTreeMap<String, Vec<Entry>>) {
    for (call_id, said) in told {
        let entries = calls.get(call_id).map(Vec::as_slice).unwrap_or_default();
        let phases: Vec<Phase> = entries.iter().map(Entry::phase).collect();
        let result = entries.last().map(|last| (last.result(), last.cause()));
        match said {
            Told::Refused if entries.is_empty() => {}
            Told::Refused => assert_eq!(result, Some((CallResult::Failed, Cause::NotSent)), "{phases:?}"),
            Told::Recorded | Told::Withheld => {
                assert_eq!(phases, [Phase::Intent, Phase::Outcome], "{said:?}");
                assert_eq!(result.map(|(result, _)| result), Some(CallResult::Ok), "{said:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_cut_off_again_and_again_loses_no_outcome_and_makes_up_no_intent() {
    let (place, proxy, log) = behind_a_proxy("cut", Duration::from_secs(5)).await;
    let calling = Arc::new(Calling::default());
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        callers.spawn(caller(log.clone(), Arc::clone(&calling)));
    }
    let clock = SystemClock::shared();
    let mut cuts = 0;
    // A cut between two batches hits nobody.
    while cuts < 10 || calling.hit.load(Ordering::SeqCst) == 0 {
        assert!(cuts < 300, "{cuts} cuts hit nobody");
        clock.sleep(Duration::from_millis(60)).await;
        proxy.cut();
        cuts += 1;
    }
    works_again(&log).await;
    calling.stop();
    let told: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
    log.stop().await;
    let log = place.open().await;
    let calls = calls(&log).await;
    assert_on_record(&told, &calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_is_not_waited_for_beyond_the_deadline() {
    let (_place, proxy, log) = behind_a_proxy("silent", Duration::from_millis(500)).await;
    let held = log.intent(read_of(1)).await.expect("durable");
    let call_id = held.call_id().to_string();
    proxy.set(Mode::Stall);
    let clock = SystemClock::shared();
    for _ in 0..3 {
        let began = clock.tick();
        let error = log.intent(read_of(2)).await.expect_err("refused");
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        let took = clock.tick().since(began);
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    let withheld = held.settle(Outcome::ok()).await;
    assert!(
        matches!(withheld, Err(Error::OutcomeNotRecorded(_))),
        "{withheld:?}"
    );

    proxy.set(Mode::Pass);
    works_again(&log).await;
    eventually("the late outcome", async || {
        let calls = calls(&log).await;
        calls[&call_id].last().map(Entry::result) == Some(CallResult::Ok)
    })
    .await;
    eventually("nothing stays open", async || {
        calls(&log).await.values().all(|entries| entries.len() == 2)
    })
    .await;
    for entries in calls(&log)
        .await
        .values()
        .filter(|entries| entries[0].portal_id == 2)
    {
        assert_eq!(entries[1].cause(), Cause::NotSent, "written late, and never sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intent_whose_commit_was_not_heard_of_is_refused_and_closed_as_not_sent() {
    let (place, proxy, log) = behind_a_proxy("unheard_intent", Duration::from_secs(15)).await;
    works_again(&log).await;
    let mut intruder = place.intruder().await;
    proxy.set(Mode::HoldAnswers);
    let waiting = tokio::spawn({
        let log = log.clone();
        async move { log.intent(read_of(2)).await.map(|intent| intent.position()) }
    });
    eventually("it is committed", async || {
        intruder.count("SELECT count(*) FROM audit_entry").await == 3
    })
    .await;
    proxy.cut();
    let refused = waiting.await.expect("no panic");
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    proxy.set(Mode::Pass);
    proxy.cut();
    // Nothing else is asked of the log: it looks by itself.
    eventually("it is closed", async || {
        intruder.count("SELECT count(*) FROM audit_entry").await == 4
    })
    .await;
    let outcome = everything(&log).await.pop().expect("an event");
    assert_eq!(entry(&outcome).result(), CallResult::Failed);
    assert_eq!(entry(&outcome).cause(), Cause::NotSent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_whose_commit_was_not_heard_of_is_found_and_its_answer_released() {
    let (place, proxy, log) = behind_a_proxy("unheard_outcome", Duration::from_secs(15)).await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    let mut intruder = place.intruder().await;
    proxy.set(Mode::HoldAnswers);
    let waiting = tokio::spawn(intent.settle(Outcome::ok()));
    eventually("it is committed", async || {
        intruder.count("SELECT count(*) FROM audit_entry").await == 2
    })
    .await;
    proxy.set(Mode::Pass);
    proxy.cut();
    let position = waiting.await.expect("no panic").expect("it is on record");
    assert_eq!(position, Position(2));
    works_again(&log).await;
    assert_eq!(everything(&log).await.len(), 4, "written once");
}
