//! The newest durable position, as far as this process knows it, and who waits for newer ones.

use std::{sync::Arc, time::Duration};

use hubkeep_core::clock::SharedClock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Position, store::Reader};

/// How often the database is asked how far other replicas have come, while somebody waits for it.
const POLL: Duration = Duration::from_millis(100);

/// The newest durable position. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Durable {
    newest: Arc<watch::Sender<Position>>,
}

impl Durable {
    pub(crate) fn at(position: Position) -> Self {
        Self {
            newest: Arc::new(watch::Sender::new(position)),
        }
    }

    /// Everything up to here is durable. What is known already is not news.
    pub(crate) fn advance(&self, position: Position) {
        self.newest.send_if_modified(|newest| {
            let further = position > *newest;
            if further {
                *newest = position;
            }
            further
        });
    }
}

/// Readers that wait for what comes.
#[derive(Clone, Debug)]
pub(crate) struct Followers {
    newest: watch::Receiver<Position>,
    count: Arc<watch::Sender<usize>>,
}

impl Followers {
    pub(crate) fn of(durable: &Durable) -> Self {
        Self {
            newest: durable.newest.subscribe(),
            count: Arc::new(watch::Sender::new(0)),
        }
    }

    /// The newest position that is known here.
    pub(crate) fn newest(&self) -> Position {
        *self.newest.borrow()
    }

    /// One more reader that waits.
    pub(crate) fn join(&self) -> Follower {
        self.count.send_modify(|count| *count = count.saturating_add(1));
        Follower {
            newest: self.newest.clone(),
            count: Arc::clone(&self.count),
        }
    }

    /// As long as somebody waits, asks the database how far other replicas have come: once for all who wait.
    pub(crate) async fn follow(
        self,
        durable: Durable,
        reader: Reader,
        clock: SharedClock,
        end: CancellationToken,
    ) {
        let mut count = self.count.subscribe();
        let polled = async {
            // The sender is held by `self`: waiting cannot fail.
            while count.wait_for(|count| *count > 0).await.is_ok() {
                match reader.end().await {
                    Ok(newest) => durable.advance(newest),
                    Err(error) => tracing::debug!(%error, "the newest position is not known now"),
                }
                clock.sleep(POLL).await;
            }
        };
        end.run_until_cancelled(polled).await;
    }
}

/// A reader that waits for what comes, until it is dropped.
#[derive(Debug)]
pub(crate) struct Follower {
    newest: watch::Receiver<Position>,
    count: Arc<watch::Sender<usize>>,
}

impl Follower {
    /// The newest position that is known, and from now on no news.
    pub(crate) fn newest(&mut self) -> Position {
        *self.newest.borrow_and_update()
    }

    /// Ends when there is news. `false` when none will come any more.
    pub(crate) async fn news(&mut self) -> bool {
        self.newest.changed().await.is_ok()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }
}
