//! Keeps in memory who is contained, so that no request waits for the database to hear it.

use hubkeep_core::{clock::SharedClock, grpc::Holds};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::revocations::{self, POLL, Revocations};

/// Why nothing can be said of who is contained.
pub type MirrorError = revocations::Error;

/// Follows who is contained, from one place of the sequence to the next.
#[derive(Debug)]
pub struct Mirror {
    revocations: Revocations,
    holds: Holds,
    place: u64,
    news: watch::Receiver<u64>,
}

impl Mirror {
    /// Tells `holds` who is contained now.
    ///
    /// # Errors
    /// If that cannot be read.
    pub async fn begin(revocations: Revocations, holds: Holds) -> Result<Self, MirrorError> {
        let news = revocations.news();
        let mut mirror = Self {
            revocations,
            holds,
            place: 0,
            news,
        };
        mirror.look().await?;
        Ok(mirror)
    }

    /// Goes on telling, until `stop`. What is changed here is told at once, and what other replicas change within half a
    /// second; while the database does not answer, what was told last holds.
    pub async fn follow(mut self, clock: SharedClock, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = clock.timeout(POLL, self.news.changed()) => {}
            }
            self.news.borrow_and_update();
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "who is contained could not be read");
                clock.sleep(POLL).await;
            }
        }
    }

    async fn look(&mut self) -> Result<(), MirrorError> {
        let (changes, place) = self.revocations.holds_after(self.place).await?;
        for (caller, held) in &changes {
            self.holds.set(caller, *held);
        }
        self.place = place;
        Ok(())
    }
}
