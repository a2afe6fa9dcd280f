//! One watcher's view of the sequence: history, then news as they happen, and a heartbeat.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::{Database, bounded},
};
use tokio::sync::watch;

use super::{Error, POLL, Revocation, store};

/// A watcher that hears nothing for five of these stops trusting its memory. What takes longer than this to read
/// may be out of date, and is no ground for a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Rows read at once.
const BATCH: usize = 256;

/// What a watcher hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Something was revoked.
    Revoked(Revocation),
    /// Nothing newer than a place exists, as of a reading of the database just now.
    Heartbeat {
        /// The place.
        seq: u64,
        /// The newest number of the redeemer's own that was noted before that reading.
        echo: u64,
    },
}

/// One watcher's view. Ends only with an error.
#[derive(Debug)]
pub struct Feed {
    database: Database,
    clock: SharedClock,
    wake: watch::Receiver<u64>,
    echo: watch::Receiver<u64>,
    /// The last number that was given back.
    told: u64,
    /// The last place that was given.
    place: u64,
    waiting: VecDeque<Revocation>,
    last_heartbeat: Option<Tick>,
}

impl Feed {
    pub(super) fn new(
        database: Database,
        clock: SharedClock,
        wake: watch::Receiver<u64>,
        echo: watch::Receiver<u64>,
        place: u64,
    ) -> Self {
        Self {
            database,
            clock,
            wake,
            echo,
            told: 0,
            place,
            waiting: VecDeque::new(),
            last_heartbeat: None,
        }
    }

    /// The next thing to hear.
    ///
    /// A database that does not answer is waited for in silence: without heartbeats the watcher stops trusting its
    /// memory, which is what it must do.
    ///
    /// # Errors
    /// If the sequence itself is broken.
    pub async fn next(&mut self) -> Result<News, Error> {
        loop {
            if let Some(revocation) = self.waiting.pop_front() {
                self.place = revocation.seq;
                return Ok(News::Revoked(revocation));
            }
            // Before the reading: what was revoked before the redeemer spoke is read after it was noted.
            let echo = *self.echo.borrow_and_update();
            match bounded(HEARTBEAT, self.read()).await {
                Ok(true) => {}
                Ok(false) if self.heartbeat_is_due(echo) => {
                    let seq = self.place;
                    return Ok(News::Heartbeat { seq, echo });
                }
                Ok(false) => self.wait().await,
                Err(error @ Error::Storage(_)) => {
                    tracing::warn!(%error, place = self.place, "the feed of revocations is silent");
                    self.clock.sleep(POLL).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads what is new; says whether there is anything.
    async fn read(&mut self) -> Result<bool, Error> {
        // Marked as seen before reading: what is announced while the database is read wakes the next wait.
        self.wake.borrow_and_update();
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        self.waiting = store::after(&self.database, self.place, limit).await?.into();
        Ok(!self.waiting.is_empty())
    }

    /// At once when the redeemer has spoken, and each second.
    fn heartbeat_is_due(&mut self, echo: u64) -> bool {
        let now = self.clock.tick();
        let due = echo > self.told
            || self
                .last_heartbeat
                .is_none_or(|last| now.since(last) >= HEARTBEAT);
        if due {
            self.last_heartbeat = Some(now);
            self.told = echo;
        }
        due
    }

    async fn wait(&mut self) {
        tokio::select! {
            // The sender lives as long as the service; without it only the poll is left.
            Ok(()) = self.wake.changed() => {}
            Ok(()) = self.echo.changed() => {}
            () = self.clock.sleep(POLL) => {}
        }
    }
}
