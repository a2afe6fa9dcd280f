//! One watcher's view of the sequence: history, then news as they happen, and a heartbeat.

use std::{collections::VecDeque, time::Duration};

use futures::Stream;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::{Database, bounded},
};
use tokio::sync::watch;

use super::{Error, Revocation, store};

/// How often the table is read when nobody says that there is news: other replicas may revoke, and what wakes can get
/// lost.
const POLL: Duration = Duration::from_millis(500);
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
    /// Nothing newer than this place exists, as of a reading of the database just now.
    Heartbeat(u64),
}

/// One watcher's view. Ends only with an error.
#[derive(Debug)]
pub struct Feed {
    database: Database,
    clock: SharedClock,
    wake: watch::Receiver<u64>,
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
        place: u64,
    ) -> Self {
        let (waiting, last_heartbeat) = (VecDeque::new(), None);
        Self {
            database,
            clock,
            wake,
            place,
            waiting,
            last_heartbeat,
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
            match bounded(HEARTBEAT, self.read()).await {
                Ok(true) => {}
                Ok(false) if self.heartbeat_is_due() => return Ok(News::Heartbeat(self.place)),
                Ok(false) => self.wait().await,
                Err(error @ Error::Storage(_)) => {
                    tracing::warn!(%error, place = self.place, "the feed of revocations is silent");
                    self.clock.sleep(POLL).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The same as a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<News, Error>> + Send {
        futures::stream::unfold(Some(self), |feed| async move {
            let mut feed = feed?;
            match feed.next().await {
                Ok(news) => Some((Ok(news), Some(feed))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// Reads what is new; says whether there is anything.
    async fn read(&mut self) -> Result<bool, Error> {
        // Marked as seen before reading: what is announced while the database is read wakes the next wait.
        self.wake.borrow_and_update();
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        self.waiting = store::after(&self.database, self.place, limit).await?.into();
        Ok(!self.waiting.is_empty())
    }

    fn heartbeat_is_due(&mut self) -> bool {
        let now = self.clock.tick();
        let due = self
            .last_heartbeat
            .is_none_or(|last| now.since(last) >= HEARTBEAT);
        if due {
            self.last_heartbeat = Some(now);
        }
        due
    }

    async fn wait(&mut self) {
        tokio::select! {
            // The sender lives as long as the service; without it only the poll is left.
            Ok(()) = self.wake.changed() => {}
            () = self.clock.sleep(POLL) => {}
        }
    }
}
