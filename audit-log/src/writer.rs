//! The one writer of a log: takes what waits, writes it in one transaction, answers each waiter.

use std::{mem, pin::pin, time::Duration};

use hubkeep_core::clock::SharedClock;
use tokio_util::sync::CancellationToken;

use crate::{
    durable::Durable,
    pending::{Effect, Pending, Placed},
    recent::{Held, Recent},
    spill::{Record, Unwritten},
    store::{Appended, Store},
    sync::{mpsc, yield_now},
};

/// The most entries in one transaction.
pub(crate) const BATCH: usize = 512;
/// How long outcomes that could not be written wait, where nothing else comes to be written.
const RETRY: Duration = Duration::from_millis(250);

/// The writer of a log.
pub(crate) struct Writer {
    pub(crate) waiting: mpsc::UnboundedReceiver<Pending>,
    pub(crate) store: Store,
    pub(crate) durable: Durable,
    pub(crate) recent: Recent,
    pub(crate) clock: SharedClock,
    pub(crate) closing: CancellationToken,
    /// How long a batch may take before what waits is put on disk elsewhere.
    pub(crate) patience: Duration,
    /// What becomes of outcomes that could not be written.
    pub(crate) unwritten: Unwritten,
    /// What has come while a batch took longer than that.
    pub(crate) taken: Vec<Pending>,
}

impl Writer {
    /// Writes until the log is closed, or nobody can write to it any more, and everything that waits is written.
    pub(crate) async fn run(mut self) {
        let mut again = Vec::new();
        loop {
            let mut batch = mem::take(&mut again);
            let retried = batch.len();
            let open = self.take(&mut batch).await;
            again = self.write(batch).await;
            let refused_again = retried > 0 && !again.is_empty();
            again.append(&mut self.taken);
            self.unwritten.wait(&again, refused_again);
            if !open {
                break;
            }
            if !again.is_empty() && again.len() > retried {
                tracing::warn!(
                    outcomes = again.len(),
                    "outcomes wait until the log can be written"
                );
            }
        }
        if !again.is_empty() {
            tracing::error!(
                outcomes = again.len(),
                on_disk = self.unwritten.are_spilled(),
                "outcomes were not written: their intents stay open until the next start"
            );
        }
        self.store.close().await;
        self.unwritten.close().await;
    }

    /// Adds what waits to the batch. `false` when nothing will come any more.
    async fn take(&mut self, batch: &mut Vec<Pending>) -> bool {
        let open = self.take_waiting(batch).await;
        // Whoever is about to record something runs first, and is in the same batch: a commit costs the same for many.
        // With nobody else about, this takes no time.
        yield_now().await;
        while batch.len() < BATCH
            && let Ok(pending) = self.waiting.try_recv()
        {
            batch.push(pending);
        }
        open
    }

    async fn take_waiting(&mut self, batch: &mut Vec<Pending>) -> bool {
        let is_outcome = |pending: &Pending| matches!(pending.effect, Effect::Closes(_));
        if !self.waiting.is_closed() && !batch.iter().all(is_outcome) {
            // These have waited already, for a batch that took too long.
            return true;
        }
        loop {
            let room = BATCH.saturating_sub(batch.len()).max(1);
            let retry = !batch.is_empty() || self.store.is_in_doubt();
            tokio::select! {
                biased;
                () = self.closing.cancelled(), if !self.waiting.is_closed() => self.waiting.close(),
                count = self.waiting.recv_many(batch, room) => return count > 0,
                () = self.clock.sleep(RETRY), if retry => return true,
            }
        }
    }

    /// Writes a batch, and gives back what must be tried again.
    async fn write(&mut self, mut batch: Vec<Pending>) -> Vec<Pending> {
        batch.retain(|pending| !pending.is_withdrawn());
        if batch.is_empty() {
            if self.store.is_in_doubt() {
                self.store.clear_doubt().await;
            }
            return batch;
        }
        let began = self.clock.tick();
        let Some(mut appended) = self.append(batch).await else {
            tracing::error!("the thread of the log's writer is gone");
            self.waiting.close();
            return Vec::new();
        };
        match appended.result {
            Ok(written) => {
                self.unwritten.written(&appended.batch);
                count(appended.batch.len(), self.clock.tick().since(began));
                let indexes = written.indexes(&appended.batch, &appended.positions);
                let new = Held::of(&mut appended.batch, &appended.positions, &indexes);
                self.recent.add(new);
                self.durable.advance(written.end);
                let places = appended.positions.into_iter().zip(indexes);
                for (pending, (position, index)) in appended.batch.into_iter().zip(places) {
                    match position {
                        Some(position) => pending.written(Placed { position, index }),
                        None => pending.skipped(),
                    }
                }
                Vec::new()
            }
            Err(error) => {
                tracing::warn!(%error, entries = appended.batch.len(), "a batch could not be written");
                metrics::counter!("hubkeep_audit_commit_failures_total").increment(1);
                let failed = appended.batch.into_iter();
                let failed: Vec<Pending> = failed.filter_map(|pending| pending.failed(&error)).collect();
                self.unwritten.spill(Record::all(&failed));
                failed
            }
        }
    }

    /// Appends a batch. Where that takes too long, outcomes are put on disk elsewhere meanwhile, and calls for their portals kept
    /// out: those of the batch, for nobody knows what becomes of it, and those behind it.
    async fn append(&mut self, batch: Vec<Pending>) -> Option<Appended> {
        if !self.unwritten.are_spilled() {
            return self.store.append(batch).await;
        }
        let mut outcomes = Record::all(&batch);
        let mut appending = pin!(self.store.append(batch));
        loop {
            if let Some(appended) = self.clock.timeout(self.patience, &mut appending).await {
                return appended;
            }
            let before = self.taken.len();
            while let Ok(pending) = self.waiting.try_recv() {
                self.taken.push(pending);
            }
            outcomes.extend(Record::all(self.taken.get(before..).unwrap_or_default()));
            self.unwritten.hang(mem::take(&mut outcomes));
        }
    }
}

fn count(entries: usize, took: Duration) {
    let entries = u64::try_from(entries).unwrap_or(u64::MAX);
    metrics::counter!("hubkeep_audit_entries_total").increment(entries);
    metrics::histogram!("hubkeep_audit_commit_seconds").record(took.as_secs_f64());
}
