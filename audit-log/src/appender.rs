//! Gives a draft its id, time and log, queues it for the writer, and waits until it is durable.

use std::{future::Future, sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    id::EntryId,
    random::SharedRandom,
};
use tokio::sync::Semaphore;

use crate::{
    Draft, Entry, Error, Failure, Identity, Intent, Outcome, Phase, Position,
    gate::Gate,
    payloads::{Sealed, Sealer},
    pending::{Effect, Keys, Pending, Placed, Row, Waiter},
    sync::{mpsc, oneshot},
};

/// How many drafts may wait for the writer; more wait outside, and give up at their deadline.
const QUEUE: usize = 4_096;

/// The answer to an outcome that is queued.
pub(crate) type Queued = oneshot::Receiver<Result<Placed, Failure>>;

/// The way into a log.
#[derive(Debug)]
pub(crate) struct Appender {
    identity: Identity,
    clock: SharedClock,
    random: SharedRandom,
    deadline: Duration,
    gate: Gate,
    sealer: Sealer,
    places: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Pending>,
}

impl Appender {
    pub(crate) fn new(
        identity: Identity,
        clock: SharedClock,
        random: SharedRandom,
        deadline: Duration,
        (gate, sealer): (Gate, Sealer),
    ) -> (Self, mpsc::UnboundedReceiver<Pending>) {
        let (queue, waiting) = mpsc::unbounded_channel();
        let appender = Self {
            identity,
            clock,
            random,
            deadline,
            gate,
            sealer,
            places: Arc::new(Semaphore::new(QUEUE)),
            queue,
        };
        (appender, waiting)
    }

    pub(crate) const fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Writes an intent. See [`AuditLog::intent`](crate::AuditLog::intent).
    pub(crate) async fn intent(self: &Arc<Self>, mut draft: Draft) -> Result<Intent, Error> {
        let until = self.until();
        let keys = Keys::of(self.identity.log_of(draft.owner()), draft.entry());
        self.gate.intent(&keys.log).map_err(Error::Unavailable)?;
        let sealed = self.sealed(until, &mut draft).await?;
        let (row, entry_id) = self.row_beside(
            sealed,
            &keys,
            draft.entry_mut(),
            Phase::Intent,
            Outcome::default(),
        )?;
        let intent = Box::new(Intent::waiting(Arc::clone(self), draft, keys, entry_id));
        let (answer, answered) = oneshot::channel();
        let pending = Pending {
            row,
            effect: Effect::Opens,
            waiter: Waiter::Sender(intent, answer),
            place: None,
        };
        let durable = self.in_time(until, self.queued(pending, answered)).await;
        Ok(durable.map_err(Error::Unavailable)?.held())
    }

    /// Writes an entry that is complete in itself.
    pub(crate) async fn record(
        &self,
        draft: &Draft,
        phase: Phase,
        outcome: Outcome,
    ) -> Result<Position, Error> {
        self.gate.entry().map_err(Error::Unavailable)?;
        let keys = Keys::of(self.identity.log_of(draft.owner()), draft.entry());
        let (row, _) = self.row(&keys, &mut draft.entry().clone(), phase, outcome)?;
        let (answer, answered) = oneshot::channel();
        let pending = Pending {
            row,
            effect: Effect::None,
            waiter: Waiter::Recorder(answer),
            place: None,
        };
        let durable = self.in_time(self.until(), self.queued(pending, answered)).await;
        Ok(durable.map_err(Error::Unavailable)?.position)
    }

    /// Queues the outcome of the intent at `position`, whose entry and keys these are, without waiting for anything.
    pub(crate) fn queue_outcome(
        &self,
        keys: &Arc<Keys>,
        entry: &mut Entry,
        position: Position,
        outcome: Outcome,
    ) -> Result<Queued, Error> {
        let (row, _) = self.row(keys, entry, Phase::Outcome, outcome)?;
        self.queue_row(row, position)
    }

    /// The same, where the row of the outcome is made already.
    pub(crate) fn queue_row(&self, row: Row, position: Position) -> Result<Queued, Error> {
        let (answer, answered) = oneshot::channel();
        let pending = Pending::outcome(row, position, Waiter::Recorder(answer));
        let stopped = |_| Error::OutcomeNotRecorded(Failure::Stopped);
        self.queue.send(pending).map_err(stopped)?;
        Ok(answered)
    }

    /// Waits until a queued outcome is durable.
    pub(crate) async fn outcome_durable(&self, queued: Queued) -> Result<Placed, Error> {
        let durable = self.in_time(self.until(), answer_of(queued)).await;
        durable.map_err(Error::OutcomeNotRecorded)
    }

    /// Seals what the draft brings along, before anybody waits for the writer. The draft has it no more.
    async fn sealed(&self, until: Tick, draft: &mut Draft) -> Result<Option<Sealed>, Error> {
        let Some(payload) = draft.take_payload() else {
            return Ok(None);
        };
        let entry_id = EntryId::make(&*self.clock, &*self.random)?;
        // On the heap: what a key service needs is large, and seldom asked for.
        let sealing = Box::pin(self.sealer.seal(&payload, entry_id, draft));
        match self.clock.timeout_at(until, sealing).await {
            Some(sealed) => sealed,
            None => Err(Error::Unavailable(Failure::Deadline(self.deadline))),
        }
    }

    /// The row of an entry, which is given an id and a time of its own: from here on its bytes do not change.
    pub(crate) fn row(
        &self,
        keys: &Arc<Keys>,
        entry: &mut Entry,
        phase: Phase,
        outcome: Outcome,
    ) -> Result<(Row, EntryId), Error> {
        self.row_beside(None, keys, entry, phase, outcome)
    }

    /// The same, with a payload: the entry has the id that this was sealed for, and commits to it.
    fn row_beside(
        &self,
        sealed: Option<Sealed>,
        keys: &Arc<Keys>,
        entry: &mut Entry,
        phase: Phase,
        outcome: Outcome,
    ) -> Result<(Row, EntryId), Error> {
        let entry_id = match &sealed {
            Some(sealed) => sealed.entry_id,
            None => EntryId::make(&*self.clock, &*self.random)?,
        };
        let now = self.clock.now();
        entry.entry_id = entry_id.to_string();
        entry.instance.clone_from(&self.identity.instance);
        entry.entry_time = Some(now.into());
        entry.phase = phase.into();
        // An outcome is made of its intent's entry, and has no payload of its own.
        entry.payload_sha256 = sealed.as_ref().map(Sealed::sha256).unwrap_or_default();
        outcome.write_to(entry);
        let mut row = Row::new(Arc::clone(keys), entry);
        row.made_time = now.as_micros();
        row.payload = sealed.map(|sealed| sealed.bytes);
        Ok((row, entry_id))
    }

    fn until(&self) -> Tick {
        self.clock.tick().plus(self.deadline)
    }

    /// Takes a place in the queue, and waits for the writer's answer.
    async fn queued<T>(
        &self,
        mut pending: Pending,
        answered: oneshot::Receiver<Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        pending.place = Some(place.map_err(|_| Failure::Stopped)?);
        self.queue.send(pending).map_err(|_| Failure::Stopped)?;
        answer_of(answered).await
    }

    async fn in_time<T>(
        &self,
        until: Tick,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match self.clock.timeout_at(until, work).await {
            Some(done) => done,
            None => Err(Failure::Deadline(self.deadline)),
        }
    }
}

/// The writer's answer; a writer that is gone answers nothing.
async fn answer_of<T>(answered: oneshot::Receiver<Result<T, Failure>>) -> Result<T, Failure> {
    answered.await.unwrap_or(Err(Failure::Stopped))
}
