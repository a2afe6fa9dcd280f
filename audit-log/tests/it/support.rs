//! The few things that every test of a log needs.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use futures::{Stream, StreamExt as _};
use hubkeep_audit_log::{
    AuditLog, Draft, Entry, Event, Filter, Identity, Operation, Position, ProvenPortal, Tailed,
};
use hubkeep_core::{
    clock::SystemClock,
    id::{CallId, PortalId},
    random::{Random, RandomError, SystemRandom},
};

pub(crate) use crate::place::{Place, on_both_databases};

/// Of a process without a name: what entries were before there was one.
pub(crate) fn identity() -> Identity {
    Identity {
        deployment: "test".to_owned(),
        service: "crm-service",
        instance: String::new(),
    }
}

/// Repeatable chance: 1, 2, 3, …
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

pub(crate) fn call_id() -> CallId {
    CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random")
}

pub(crate) fn portal(number: u64) -> ProvenPortal {
    let slug = format!("client-{number}").parse().expect("a slug");
    ProvenPortal::by_redeemed_handle(PortalId::new(number).expect("not zero"), slug)
}

/// A read of a contact in this portal.
pub(crate) fn read_of(number: u64) -> Draft {
    read_for(number, call_id())
}

/// The same, of this call.
pub(crate) fn read_for(number: u64, call_id: CallId) -> Draft {
    Draft::portal(&portal(number), Operation::ObjectGet, call_id)
        .caller(&"nightly-sync".parse().expect("a name"))
        .object("contacts", None)
        .http("GET", "/crm/objects/2026-09/contacts/{id}", 0)
        .attempt(1)
}

pub(crate) async fn everything(log: &AuditLog) -> Vec<Event> {
    let all = log.list(&Filter::all(), Position::START, 100_000).await;
    all.expect("the log reads")
}

pub(crate) fn entry(event: &Event) -> &Entry {
    event.entry.as_ref().expect("every event has an entry")
}

/// The next `count` events of a tail.
pub(crate) async fn next_events<E: std::fmt::Debug>(
    tail: &mut (impl Stream<Item = Result<Tailed, E>> + Unpin),
    count: usize,
) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < count {
        match tail
            .next()
            .await
            .expect("the tail goes on")
            .expect("the tail reads")
        {
            Tailed::Event(event) => events.push(*event),
            Tailed::Begins(_) | Tailed::Reached(_) => {}
        }
    }
    events
}

/// Waits until `done` says so; fails after 20 s.
pub(crate) async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let clock = SystemClock::shared();
    let until = clock.tick().plus(Duration::from_secs(20));
    while !done().await {
        assert!(clock.tick() < until, "not within 20 s: {what}");
        clock.sleep(Duration::from_millis(2)).await;
    }
}
