//! What consumers see of rotations: their own open tasks, as they come, and that one of them is done.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use futures::Stream;
use hubkeep_core::{
    id::{CallerName, DeliveryId, RotationId},
    secret::TokenFingerprint,
};
use tokio::sync::watch;

use super::{
    Error, Rotations,
    rotation::{Rotation, Task, TaskEnding},
    state::Standing,
    store::{rotations, tasks},
};
use crate::record::Act;

/// How long a new task of another replica may stay unseen by a watcher.
const LOOK: Duration = Duration::from_millis(500);

/// A task with the rotation it is of.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The rotation.
    pub rotation: Rotation,
    /// The consumer's task in it.
    pub task: Task,
}

impl Rotations {
    /// Writes that a consumer runs on the token in force.
    ///
    /// # Errors
    /// If it has no such task, the rotation was ended, or it runs on another token or an older store.
    pub async fn acknowledge(
        &self,
        act: &Act,
        rotation_id: RotationId,
        token: &TokenFingerprint,
        store_version: u64,
    ) -> Result<Task, Error> {
        let consumer = &act.context().caller.name;
        let task = tasks::of_consumer(&self.database, rotation_id, consumer).await?;
        // A stranger learns nothing of rotations, not even that there is one.
        let task = task.ok_or(Error::Unknown(rotation_id))?;
        let rotation = self.get(act, rotation_id).await?;
        if matches!(rotation.standing, Standing::Superseded | Standing::Closed) {
            let state = rotation.state();
            return Err(Error::State { rotation_id, state });
        }
        let expected = rotation.fingerprint_in_force();
        act.credential(rotation.credential_version, expected);
        if token != expected {
            let expected = expected.clone();
            return Err(Error::FingerprintMismatch {
                rotation_id,
                expected,
            });
        }
        let newest = self.portals.store_version().await?;
        if store_version < rotation.store_version || store_version > newest {
            let expected = rotation.store_version;
            return Err(Error::StoreVersionMismatch {
                rotation_id,
                expected,
            });
        }
        if task.acknowledged.is_some() {
            return Ok(task);
        }
        if let Some((ending, end)) = &task.ended {
            let consumer = consumer.clone();
            let why = match ending {
                TaskEnding::Superseded => end.reason.clone(),
                TaskEnding::Dropped => format!("{} dropped it: {}", end.by, end.reason),
            };
            return Err(Error::TaskEnded {
                rotation_id,
                consumer,
                why,
            });
        }
        let now = self.clock.now();
        if !tasks::acknowledge(&self.database, &task, now, store_version).await? {
            // Acknowledged at the same time, or given anew: what is stored now decides, the next time it is said.
            return Err(Error::Contended(rotation.client_slug));
        }
        Ok(Task {
            acknowledged: Some((now, store_version)),
            next_tell_time: None,
            ..task
        })
    }

    /// The open tasks of the caller, and then each new one.
    ///
    /// # Errors
    /// If the caller is no consumer.
    pub async fn watch(&self, act: &Act) -> Result<Watch, Error> {
        let consumer = act.context().caller.name.clone();
        act.subject(consumer.as_str());
        self.check_registered(&consumer).await?;
        Ok(Watch {
            rotations: self.clone(),
            news: self.wake.subscribe(),
            consumer,
            given: HashSet::new(),
            waiting: VecDeque::new(),
        })
    }
}

/// One watcher's view of its tasks.
#[derive(Debug)]
pub struct Watch {
    rotations: Rotations,
    news: watch::Receiver<u64>,
    consumer: CallerName,
    given: HashSet<DeliveryId>,
    waiting: VecDeque<Task>,
}

impl Watch {
    /// The next task. A database that does not answer is waited for.
    ///
    /// # Errors
    /// If the consumer was removed, or a row cannot be read.
    pub async fn next(&mut self) -> Result<Notice, Error> {
        loop {
            match self.try_next().await {
                Ok(Some(notice)) => return Ok(notice),
                Ok(None) => self.wait().await,
                Err(error @ Error::Storage(_)) => {
                    tracing::warn!(%error, consumer = %self.consumer, "a consumer's tasks cannot be read");
                    self.rotations.clock.sleep(LOOK).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The same as a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Notice, Error>> + Send {
        futures::stream::unfold(Some(self), |watch| async move {
            let mut watch = watch?;
            match watch.next().await {
                Ok(notice) => Some((Ok(notice), Some(watch))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    async fn try_next(&mut self) -> Result<Option<Notice>, Error> {
        let Rotations { database, clock, .. } = &self.rotations;
        if self.waiting.is_empty() {
            // Marked as seen before reading: what is announced meanwhile wakes the next wait.
            self.news.borrow_and_update();
            self.rotations.check_registered(&self.consumer).await?;
            let open = tasks::open_of(database, &self.consumer).await?;
            let before = std::mem::take(&mut self.given);
            for task in open {
                if before.contains(&task.delivery_id) {
                    self.given.insert(task.delivery_id);
                } else {
                    self.waiting.push_back(task);
                }
            }
        }
        while let Some(task) = self.waiting.front() {
            let found = rotations::by_id(database, task.rotation_id, clock.now()).await?;
            tasks::told(database, task, clock.now()).await?;
            let task = self.waiting.pop_front();
            if let (Some(rotation), Some(task)) = (found, task) {
                self.given.insert(task.delivery_id);
                return Ok(Some(Notice { rotation, task }));
            }
        }
        Ok(None)
    }

    async fn wait(&mut self) {
        let clock = &self.rotations.clock;
        tokio::select! {
            Ok(()) = self.news.changed() => {}
            () = clock.sleep(LOOK) => {}
        }
    }
}
