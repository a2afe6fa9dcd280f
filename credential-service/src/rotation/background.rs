//! Does what is due, again and again, until the service stops: questions to HubSpot, and deliveries to consumers.

use std::{future::Future, time::Duration};

use futures::{StreamExt as _, stream};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{Error, Rotations, probe, tell};

/// How long what is under way may take when the service stops. What is cut is done again by whoever comes next.
const TO_END: Duration = Duration::from_secs(3);

/// The work in the background. Ends when it is dropped.
#[derive(Debug)]
pub struct Background {
    stop: CancellationToken,
    _stop: DropGuard,
    work: TaskTracker,
    rotations: Rotations,
}

impl Rotations {
    /// Starts to follow up rotations. Any number of replicas may do so at once.
    pub fn start(&self) -> Background {
        let (stop, work) = (CancellationToken::new(), TaskTracker::new());
        let probing = self
            .clone()
            .again_and_again(stop.clone(), |rotations| async move {
                let due = rotations.due_probes().await?;
                let found = !due.is_empty();
                let asked = stream::iter(due).for_each_concurrent(probe::AT_ONCE, |one| rotations.probe(one));
                asked.await;
                Ok(found)
            });
        let telling = self
            .clone()
            .again_and_again(stop.clone(), |rotations| async move {
                let due = rotations.due_deliveries().await?;
                let found = !due.is_empty();
                let told = stream::iter(due).for_each_concurrent(tell::AT_ONCE, |one| rotations.tell(one));
                told.await;
                Ok(found)
            });
        let sweeping = self
            .clone()
            .again_and_again(stop.clone(), |rotations| async move {
                let due = rotations.due_sweeps().await?;
                let found = !due.is_empty();
                for one in &due {
                    rotations.sweep(one).await?;
                }
                Ok(found)
            });
        work.spawn(probing);
        work.spawn(sweeping);
        work.spawn(telling);
        work.close();
        Background {
            _stop: stop.clone().drop_guard(),
            stop,
            work,
            rotations: self.clone(),
        }
    }

    /// Does a round of work, and waits where there was none.
    async fn again_and_again<F>(self, stop: CancellationToken, round: impl Fn(Self) -> F)
    where
        F: Future<Output = Result<bool, Error>>,
    {
        let mut news = self.wake.subscribe();
        while !stop.is_cancelled() {
            news.borrow_and_update();
            match round(self.clone()).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "rotations cannot be followed up"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = news.changed() => {}
                () = self.clock.sleep(self.config.look_every) => {}
            }
        }
    }
}

impl Background {
    /// Begins nothing more, and waits for what is under way, but not for long.
    pub async fn stop(self) {
        self.stop.cancel();
        let ended = self.rotations.clock.timeout(TO_END, self.work.wait()).await;
        if ended.is_none() {
            tracing::info!("work on rotations is left to others");
        }
    }
}
