//! Keeps strangers from filling the service's own log: one caller fills at most one entry a second for each reason and cause.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::{clock::Tick, error::ErrorReason};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{Cause, Draft, Error, Outcome, Phase, Position, appender::Appender, portal::Owner};

const SECOND: Duration = Duration::from_secs(1);
/// How many callers and reasons are told apart at once; beyond them refusals are told apart by reason only.
const MAX_KEYS: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    caller: String,
    reason: ErrorReason,
    cause: Cause,
}

impl Key {
    fn of(draft: &Draft, outcome: &Outcome) -> Self {
        Self {
            caller: draft.entry().caller.clone(),
            reason: outcome.reason.unwrap_or_default(),
            cause: outcome.cause,
        }
    }
}

/// Refusals that were counted and not written: how many, and the last of them.
#[derive(Debug)]
struct Counted {
    count: u32,
    last: (Draft, Outcome),
}

/// The seconds that have begun.
#[derive(Debug, Default)]
struct Seconds {
    counted: HashMap<Key, Option<Counted>>,
    /// When each second is over, in order: all are equally long.
    ends: VecDeque<(Tick, Key)>,
}

/// The refusals of a service that belong to no portal's log.
#[derive(Debug)]
pub(crate) struct Refusals {
    appender: Arc<Appender>,
    seconds: Mutex<Seconds>,
    begun: Notify,
}

impl Refusals {
    pub(crate) fn new(appender: Arc<Appender>) -> Self {
        Self {
            appender,
            seconds: Mutex::default(),
            begun: Notify::new(),
        }
    }

    /// Writes a refusal, or counts it: then there is no position yet.
    pub(crate) async fn record(&self, draft: Draft, outcome: Outcome) -> Result<Option<Position>, Error> {
        if draft.owner() != Owner::System {
            return self.write(&draft, outcome, 1).await.map(Some);
        }
        let Some((key, draft)) = self.begin_or_count(draft, &outcome) else {
            return Ok(None);
        };
        let written = self.write(&draft, outcome.clone(), 1).await;
        if written.is_err() {
            self.count(&key, 1, (draft, outcome));
        }
        written.map(Some)
    }

    /// Writes what was counted as its second ends, until it is told to end, and then the rest.
    pub(crate) async fn run(self: Arc<Self>, end: CancellationToken) {
        while end.run_until_cancelled(self.second_over()).await.is_some() {
            let now = self.appender.clock().tick();
            // The lock is let go of between the two: writing takes its time.
            let over = self.lock().over(now);
            for key in over {
                self.flush(key).await;
            }
        }
        let rest = self.lock().rest();
        for counted in rest {
            if let Err((error, counted)) = self.write_counted(counted).await {
                tracing::error!(%error, count = counted.count, "refusals were counted and not written");
            }
        }
    }

    /// Ends when the next second does.
    async fn second_over(&self) {
        loop {
            let next = self.lock().ends.front().map(|(end, _)| *end);
            match next {
                Some(end) => return self.appender.clock().sleep_until(end).await,
                None => self.begun.notified().await,
            }
        }
    }

    /// A second of this key is over: writes what was counted in it, which begins the next one.
    async fn flush(&self, key: Key) {
        let Some(counted) = self.lock().take(&key, self.appender.clock().tick()) else {
            return;
        };
        if let Err((error, counted)) = self.write_counted(counted).await {
            tracing::warn!(%error, count = counted.count, "refusals could not be written, and count on");
            self.count(&key, counted.count, counted.last);
        }
    }

    async fn write_counted(&self, counted: Counted) -> Result<Position, (Error, Counted)> {
        let (draft, outcome) = &counted.last;
        let written = self.write(draft, outcome.clone(), counted.count).await;
        written.map_err(|error| (error, counted))
    }

    async fn write(&self, draft: &Draft, outcome: Outcome, count: u32) -> Result<Position, Error> {
        let draft = draft.clone().occurrences(count);
        self.appender.record(&draft, Phase::Denied, outcome).await
    }

    /// The key and draft to write at once, where this refusal begins a second; counted otherwise.
    fn begin_or_count(&self, draft: Draft, outcome: &Outcome) -> Option<(Key, Draft)> {
        let mut seconds = self.lock();
        let mut key = Key::of(&draft, outcome);
        let mut draft = draft;
        if seconds.counted.len() >= MAX_KEYS && !seconds.counted.contains_key(&key) {
            draft = draft.anonymous();
            key = Key::of(&draft, outcome);
        }
        let now = self.appender.clock().tick();
        if seconds.counted.contains_key(&key) {
            seconds.count(&key, 1, (draft, outcome.clone()), now);
            return None;
        }
        seconds.begin(key.clone(), now);
        drop(seconds);
        self.begun.notify_one();
        Some((key, draft))
    }

    fn count(&self, key: &Key, count: u32, last: (Draft, Outcome)) {
        let now = self.appender.clock().tick();
        self.lock().count(key, count, last, now);
        self.begun.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Seconds> {
        // Counting cannot leave the map half-changed, so a panic elsewhere does no harm here.
        self.seconds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seconds {
    fn begin(&mut self, key: Key, now: Tick) {
        self.ends.push_back((now.plus(SECOND), key.clone()));
        self.counted.insert(key, None);
    }

    /// Counts refusals whose own entry is not, or could not be, written. Where their second ended meanwhile, they
    /// begin another.
    fn count(&mut self, key: &Key, count: u32, last: (Draft, Outcome), now: Tick) {
        if !self.counted.contains_key(key) {
            self.begin(key.clone(), now);
        }
        let counted = self.counted.entry(key.clone()).or_default();
        let before = counted.as_ref().map_or(0, |counted| counted.count);
        *counted = Some(Counted {
            count: before.saturating_add(count),
            last,
        });
    }

    /// The keys whose second is over.
    fn over(&mut self, now: Tick) -> Vec<Key> {
        let count = self.ends.partition_point(|(end, _)| *end <= now);
        self.ends.drain(..count).map(|(_, key)| key).collect()
    }

    /// What was counted in a second that is over; the next second begins with it. Without any, the key is forgotten.
    fn take(&mut self, key: &Key, now: Tick) -> Option<Counted> {
        let counted = self.counted.remove(key)?;
        if counted.is_some() {
            self.begin(key.clone(), now);
        }
        counted
    }

    fn rest(&mut self) -> Vec<Counted> {
        self.ends.clear();
        self.counted.drain().filter_map(|(_, counted)| counted).collect()
    }
}
