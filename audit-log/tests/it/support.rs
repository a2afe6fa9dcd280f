//! A log in a folder of its own, and the few things that every test of it needs.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use futures::{Stream, StreamExt as _};
use hubkeep_audit_log::{
    AuditLog, Config, Draft, Entry, Event, Filter, Identity, Operation, Position, ProvenPortal, Tailed,
};
use hubkeep_core::{
    clock::{SharedClock, SystemClock},
    id::{CallId, PortalId},
    random::{Random, RandomError, SharedRandom, SystemRandom},
};
use tempfile::TempDir;

/// A folder with a log's database.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) intent_deadline: Duration,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            intent_deadline: Duration::from_secs(20),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("logs/audit.db")
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            intent_deadline: self.intent_deadline,
            ..Config::sqlite(&self.file())
        }
    }

    pub(crate) async fn open(&self) -> AuditLog {
        self.open_at(SystemClock::shared()).await
    }

    pub(crate) async fn open_at(&self, clock: SharedClock) -> AuditLog {
        self.open_with(clock, SystemRandom::shared()).await
    }

    pub(crate) async fn open_with(&self, clock: SharedClock, random: SharedRandom) -> AuditLog {
        let opened = AuditLog::open(&self.config(), identity(), clock, random).await;
        opened.expect("the log opens")
    }

    /// Another program's connection to the same file.
    pub(crate) fn intruder(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).expect("the file is there")
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        deployment: "test".to_owned(),
        service: "crm-service",
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
    Draft::portal(&portal(number), Operation::ObjectGet, call_id())
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
            Tailed::Reached(_) => {}
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
