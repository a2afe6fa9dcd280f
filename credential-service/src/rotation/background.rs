//! Does what is due, again and again, until the service stops: questions to HubSpot, and deliveries to consumers.

use std::{future::Future, hash::Hash, time::Duration};

use hubkeep_core::id::{CallerName, PortalId};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    Error, Rotations,
    lanes::Lanes,
    rotation::{Rotation, Task},
};

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

/// Something that is done in lanes.
trait Duty: Send + 'static {
    /// What only one at a time is done of.
    type Lane: Eq + Hash + Send;
    /// What is to be done.
    type One: Send + 'static;

    /// How many at once.
    fn at_once(rotations: &Rotations) -> usize;
    /// What is due in the lanes that have waited longest: one of each, at most so many.
    fn due(rotations: &Rotations, limit: usize)
    -> impl Future<Output = Result<Vec<Self::One>, Error>> + Send;
    /// In which lane.
    fn lane(one: &Self::One) -> Self::Lane;
    /// Does it.
    fn work(rotations: Rotations, one: Self::One) -> impl Future<Output = ()> + Send + 'static;
}

/// Asks HubSpot about tokens: one rotation of a portal at a time, however slow its answers are.
struct Asking;

impl Duty for Asking {
    type Lane = PortalId;
    type One = Rotation;

    fn at_once(rotations: &Rotations) -> usize {
        rotations.config.probes_at_once
    }

    async fn due(rotations: &Rotations, limit: usize) -> Result<Vec<Rotation>, Error> {
        rotations.due_probes(limit).await
    }

    fn lane(one: &Rotation) -> PortalId {
        one.portal_id
    }

    async fn work(rotations: Rotations, one: Rotation) {
        rotations.probe(one).await;
    }
}

/// Tells consumers: one thing at a time each, however slow it takes it.
struct Telling;

impl Duty for Telling {
    type Lane = CallerName;
    type One = Task;

    fn at_once(rotations: &Rotations) -> usize {
        rotations.config.deliveries_at_once
    }

    async fn due(rotations: &Rotations, limit: usize) -> Result<Vec<Task>, Error> {
        rotations.due_deliveries(limit).await
    }

    fn lane(one: &Task) -> CallerName {
        one.consumer.clone()
    }

    async fn work(rotations: Rotations, one: Task) {
        rotations.tell(one).await;
    }
}

impl Rotations {
    /// Starts to follow up rotations. Any number of replicas may do so at once.
    pub fn start(&self) -> Background {
        let (stop, work) = (CancellationToken::new(), TaskTracker::new());
        work.spawn(self.clone().follow_up(Asking, stop.clone()));
        work.spawn(self.clone().follow_up(Telling, stop.clone()));
        work.spawn(self.clone().sweep_again_and_again(stop.clone()));
        work.close();
        Background {
            _stop: stop.clone().drop_guard(),
            stop,
            work,
            rotations: self.clone(),
        }
    }

    /// Begins with whatever is due where there is room, and waits where there is none, until it is stopped.
    async fn follow_up<D: Duty>(self, _duty: D, stop: CancellationToken) {
        let at_once = D::at_once(&self);
        let mut lanes = Lanes::new(at_once);
        let mut news = self.wake.subscribe();
        while !stop.is_cancelled() {
            news.borrow_and_update();
            if lanes.have_room() {
                match D::due(&self, at_once).await {
                    Ok(due) => {
                        for one in due {
                            lanes.begin(D::lane(&one), D::work(self.clone(), one));
                        }
                    }
                    Err(error) => trouble(&error),
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = lanes.one_ended() => {}
                _ = news.changed() => {}
                () = self.clock.sleep(self.config.look_every) => {}
            }
        }
        lanes.all_ended().await;
    }

    /// Takes out of the vault what is not needed any more, a round after the other.
    async fn sweep_again_and_again(self, stop: CancellationToken) {
        let mut news = self.wake.subscribe();
        while !stop.is_cancelled() {
            news.borrow_and_update();
            match self.sweep_round().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => trouble(&error),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = news.changed() => {}
                () = self.clock.sleep(self.config.look_every) => {}
            }
        }
    }

    /// Whether there was anything to do.
    async fn sweep_round(&self) -> Result<bool, Error> {
        let due = self.due_sweeps().await?;
        for one in &due {
            self.sweep(one).await?;
        }
        Ok(!due.is_empty())
    }
}

fn trouble(error: &Error) {
    tracing::warn!(%error, "rotations cannot be followed up");
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
