//! Makes a write once, however often it is asked for under its request id, and keeps account of those whose outcome is not
//! known.

mod erased;
mod following;
mod keeping;
mod noting;
mod reserved;
mod rest;
mod settle;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use hubkeep_audit_log::{AuditLog, Draft, Operation as Recorded, Outcome, Receipt};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    dying::watched,
    random::SharedRandom,
};
use hubkeep_hubspot::Limits;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{following::Following, keeping::Keeping, noting::Note};
use super::{
    Call, CallStack, Cause, Error, Minimal, Next, ObjectRefs, Presented, Reply, Step, WeakNext,
    minimize::covered_only, record_denial::recorded_as,
};
use crate::{
    credentials::{Credentials, Grant},
    suppression::Suppression,
    writes::{Asker, Begun, Kept, Row, Writes},
};

/// How often it is looked whether a write that is under way by another call has ended; less often the longer it takes.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_millis(500);
/// Kept back from the deadline to refuse in time.
const TO_REFUSE: Duration = Duration::from_millis(50);

/// Proof that a write is this call's to make, if it may be asked for again. Only [`Once`] makes it. Reads need none.
#[derive(Clone, Debug)]
pub struct Held {
    minimal: Minimal,
}

impl Held {
    pub(super) fn grant(&self) -> &Arc<Grant> {
        self.minimal.grant()
    }
}

/// The step. Stands below [`Minimize`](super::Minimize), which cuts what was kept by the permit of whoever asks again; and
/// above everything that refuses or costs, so that a repeat is neither refused nor paid for.
#[derive(Clone, Debug)]
pub struct Once {
    writes: Writes,
    credentials: Credentials,
    suppression: Suppression,
    /// The whole way, of which this is a part: for what is looked for when a handle has ended.
    stack: Arc<OnceLock<WeakNext<Call<Presented>>>>,
    following: Following,
    keeping: Keeping,
    log: AuditLog,
    object_refs: ObjectRefs,
    under_way: TaskTracker,
    stopping: CancellationToken,
    clock: SharedClock,
    random: SharedRandom,
}

impl Once {
    /// The account is kept there; what is looked for afterwards is counted by this tracker, and ends with `stopping`.
    pub fn new(
        writes: Writes,
        (credentials, suppression): (Credentials, Suppression),
        (log, object_refs): (AuditLog, ObjectRefs),
        under_way: TaskTracker,
        stopping: CancellationToken,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        Self {
            writes,
            credentials,
            suppression,
            stack: Arc::default(),
            following: Following::default(),
            keeping: Keeping::default(),
            log,
            object_refs,
            under_way,
            stopping,
            clock,
            random,
        }
    }
}

impl Once {
    /// Says of which way it is a part. Once: a step stands in one place.
    pub fn is_part_of(&self, stack: &CallStack) {
        let _ = self.stack.set(stack.downgrade());
    }
}

impl Step<Call<Minimal>> for Once {
    type Out = Call<Held>;

    async fn take(&self, call: Call<Minimal>, next: &Next<Call<Held>>) -> Result<Reply, Error> {
        let minimal = call.authority.clone();
        let call = call.by(Held { minimal });
        if call.ask.is_read() {
            return next.run(call).await;
        }
        // Large: kept apart, so that what every read carries along stays small.
        match call.again {
            Some(_) => Box::pin(self.once(call, next)).await,
            None if call.only_kept => Err(Error::NothingKept),
            None => Box::pin(self.unnamed(call, next)).await,
        }
    }
}

impl Once {
    /// A write that nobody can ask for again: nothing is written down, unless its outcome is not known.
    async fn unnamed(&self, mut call: Call<Held>, next: &Next<Call<Held>>) -> Result<Reply, Error> {
        let begun = self.clock.now();
        let result = next.run(call.clone()).await;
        let open = match &result {
            Ok(reply) => reply.answer.leaves_open().then_some(NOT_OF_ALL),
            Err(error) => error.leaves_open().then_some(WHY),
        };
        if let Some(why) = open {
            self.keep_on(&mut call);
            match self.list(&call, begun, why).await {
                Ok(row) => self.follow(&call, row, next),
                Err(error) => {
                    tracing::error!(%error, call_id = %call.call_id, "a write of unknown outcome is not listed yet");
                    self.list_later(call, (begun, why), next.clone());
                }
            }
        }
        result
    }

    /// Puts a write of unknown outcome that has no row on the list.
    async fn list(
        &self,
        call: &Call<Held>,
        begun: Timestamp,
        why: &'static str,
    ) -> Result<Row, crate::writes::Error> {
        let object_type = call.ask.object_type();
        let object_ref = self.object_ref(call).await;
        let asker = asker(call, (object_type.as_str(), ""), begun);
        self.writes.note_unknown(&asker, &object_ref, why).await
    }

    /// The same on a task of its own, until it is done: what was sent must not be forgotten.
    fn list_later(&self, call: Call<Held>, (begun, why): (Timestamp, &'static str), next: Next<Call<Held>>) {
        let (once, stopping) = (self.clone(), self.stopping.clone());
        let listing = async move {
            loop {
                once.clock.sleep(LAST_LOOK).await;
                if let Ok(row) = once.list(&call, begun, why).await {
                    return once.follow(&call, row, &next);
                }
            }
        };
        self.under_way
            .spawn(watched(stopping.run_until_cancelled_owned(listing)));
    }

    /// What entries have for the record that a write changes; empty where it is not one, or cannot be said.
    async fn object_ref(&self, call: &Call<Held>) -> String {
        let Some(id) = call.ask.record_id() else {
            return String::new();
        };
        let portal = call.authority.grant().portal().portal_id();
        let made = self.object_refs.of(portal, &call.ask.object_type(), id).await;
        // The entries have it too.
        made.unwrap_or_default()
    }

    async fn once(&self, mut call: Call<Held>, next: &Next<Call<Held>>) -> Result<Reply, Error> {
        let Some(again) = call.again.clone() else {
            return Err(Error::WrongAnswer);
        };
        let object_type = call.ask.object_type();
        let mut looks = ExponentialBuilder::new()
            .with_min_delay(FIRST_LOOK)
            .with_max_delay(LAST_LOOK)
            .without_max_times()
            .build();
        loop {
            let bounds = call.authority.grant().bounds().to_text();
            let asker = asker(&call, (object_type.as_str(), &bounds), self.clock.now());
            if call.only_kept && !self.writes.is_known(&asker, &again).await? {
                return Err(Error::NothingKept);
            }
            match self.writes.begin(&asker, &again).await? {
                Begun::Ours(row) | Begun::OursAgain(row, _) if call.only_kept => {
                    self.writes.free(&row).await?;
                    return Err(Error::NothingKept);
                }
                Begun::Ours(row) => return self.make(call, row, None, next).await,
                Begun::OursAgain(row, before) => return self.make(call, row, Some(before), next).await,
                Begun::Kept(row, kept) => return self.again(call, &row, *kept, next).await,
                Begun::UnderWay(row) => self.wait(&call, &row, looks.next().unwrap_or(LAST_LOOK)).await?,
                Begun::AnswerLost(row) | Begun::Unknown(row) => {
                    if let Some(reply) = self.settle(&mut call, &row, next).await? {
                        return Ok(reply);
                    }
                }
            }
        }
    }

    /// Makes the write, and writes down what came of it before anybody is told. If it was begun `before`, and was taken for not
    /// done, HubSpot may know better.
    async fn make(
        &self,
        mut call: Call<Held>,
        row: Row,
        before: Option<Timestamp>,
        next: &Next<Call<Held>>,
    ) -> Result<Reply, Error> {
        let grant = call.authority.grant().clone();
        let result = next.run(call.clone()).await;
        if let (Some(before), Err(error)) = (before, &result)
            && let Some(existing) = error.existing_record()
            && let Some(reply) = self.made_before(&call, &row, (existing, before), next).await
        {
            return Ok(reply);
        }
        let note = match &result {
            // HubSpot has passed over everything: nothing was done, and its id is free.
            Ok(reply) if reply.answer.is_all_passed_over() => Note::Free,
            Ok(reply) => {
                // No more than whoever asked may see.
                let answer = covered_only(&grant, reply.answer.clone());
                let bounds = grant.bounds().to_text();
                match Kept::of(&answer, reply.outcome, reply.attempts, bounds) {
                    Some(kept) => Note::Kept(Box::new(kept.with(reply.receipts.clone()))),
                    None => self.unknown(&call, NOT_OF_ALL).await,
                }
            }
            Err(error) if error.leaves_open() => self.unknown(&call, WHY).await,
            // Nothing was done: its id is free.
            Err(_) => Note::Free,
        };
        let is_unknown = matches!(note, Note::Unknown { .. });
        if is_unknown {
            self.keep_on(&mut call);
        }
        self.note(&row, note).await;
        if is_unknown {
            self.follow(&call, row.unknown(self.clock.now()), next);
        }
        result
    }

    async fn unknown(&self, call: &Call<Held>, why: &'static str) -> Note {
        let object_ref = self.object_ref(call).await;
        Note::Unknown { object_ref, why }
    }

    /// Gives what came of it the first time.
    async fn repeat(&self, call: &Call<Held>, row: &Row, kept: Kept) -> Result<Reply, Error> {
        let grant = call.authority.grant();
        // Whether a record is inside of other bounds was not looked at.
        let bounds = grant.bounds();
        if !bounds.are_none() && !self.writes.is_for(row, &kept, &bounds.to_text()).await? {
            let by = bounds.allow_all_records().err().ok_or(Error::WrongAnswer)?;
            return Err(Error::NotPermitted(Cause::record(&call.ask.object_type(), by)));
        }
        let reply = self.reply(grant, row, kept).await?;
        let (portal, object_type) = (grant.portal().portal_id(), call.ask.object_type());
        let answer = self.without_erased(portal, &object_type, reply.answer).await?;
        self.record(call, Recorded::WriteRepeat, &row.call_id).await?;
        Ok(Reply { answer, ..reply })
    }

    async fn reply(&self, grant: &Grant, row: &Row, kept: Kept) -> Result<Reply, Error> {
        Ok(Reply {
            portal: grant.portal().clone(),
            call_id: row.call_id.parse().map_err(|_| Error::WrongAnswer)?,
            receipts: self.receipts(grant, row, &kept).await,
            outcome: kept.outcome(),
            attempts: kept.attempts,
            limits: Limits::default(),
            outcomes: Vec::new(),
            kept: true,
            answer: kept.into_answer(),
        })
    }

    /// Those that were given then; of what was found out later, and of what an older version has kept, one for the entry that
    /// says so. A log that cannot be read keeps nobody from the answer.
    async fn receipts(&self, grant: &Grant, row: &Row, kept: &Kept) -> Vec<Receipt> {
        let given: Vec<Receipt> = kept.receipts().collect();
        if !given.is_empty() {
            return given;
        }
        match self.log.receipt_at(grant.portal(), kept.outcome()).await {
            Ok(receipt) => receipt.into_iter().collect(),
            Err(error) => {
                tracing::warn!(%error, call_id = %row.call_id, "a kept write has no receipt");
                Vec::new()
            }
        }
    }

    async fn record(
        &self,
        call: &Call<Held>,
        operation: Recorded,
        subject: &str,
    ) -> Result<hubkeep_audit_log::Position, Error> {
        let grant = call.authority.grant();
        let draft = Draft::portal(grant.portal(), operation, call.call_id)
            .context(&call.context)
            .handle(grant.handle_id())
            .purpose(grant.purpose())
            .object(call.ask.object_type().as_str(), None)
            .subject(subject);
        let recorded = self.log.admin(draft, Outcome::ok()).await;
        Ok(recorded.map_err(crate::writes::Error::from)?)
    }

    /// Waits a little for a call that makes the same write.
    async fn wait(&self, call: &Call<Held>, row: &Row, pause: Duration) -> Result<(), Error> {
        let until = self.clock.tick().plus(pause);
        if until >= call.context.deadline.minus(TO_REFUSE) {
            let call_id = row.call_id.clone();
            return Err(crate::writes::Error::UnderWay { call_id }.into());
        }
        tokio::select! {
            biased;
            () = call.caller_gone.cancelled() => Err(Error::CallerGone),
            () = self.stopping.cancelled() => Err(Error::Stopping),
            () = self.clock.sleep_until(until) => Ok(()),
        }
    }
}

/// Why a write is unknown whose process lives.
const WHY: &str = "HubSpot gave no answer";
/// The same where HubSpot answered, and left a part of it unsaid.
const NOT_OF_ALL: &str = "HubSpot does not say of all";

fn asker<'a>(call: &'a Call<Held>, (object_type, bounds): (&'a str, &'a str), begun: Timestamp) -> Asker<'a> {
    Asker {
        portal: call.authority.grant().portal(),
        caller: &call.context.caller.name,
        call_id: call.call_id,
        operation: recorded_as(&call.ask),
        object_type,
        bounds,
        begun,
        deadline: call.context.deadline,
    }
}
