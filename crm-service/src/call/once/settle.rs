//! Finds out what became of a write whose outcome is not known, by reading it back: in the call of whoever asks for it again,
//! and afterwards by the handle that made it, for as long as that lives. Whoever asks again is told at once what is known; it
//! waits only where its deadline is long enough for an answer to come for certain.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use hubkeep_audit_log::Operation as Recorded;
use hubkeep_core::{
    clock::{Tick, Timestamp},
    dying::watched,
    error::{ErrorKind, ErrorReason, ServiceError as _},
    id::CallId,
};
use tokio_util::sync::CancellationToken;

use super::{Held, Once};
use crate::{
    call::{Call, Error, Next, Reply},
    credentials::{self, Grant},
    crm::{Answer, Ask},
    writes::{self, Kept, Look, Row, State, Unique, Verdict, in_the_way, read_back},
};

/// Before the second look in a call; each further one comes later, for HubSpot may still be at it.
const PAUSE: Duration = Duration::from_millis(500);
/// Before the first look afterwards.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// Between two looks in a call at most. Afterwards it is as configured: a HubSpot that is down for long is asked seldom, and the
/// looks that were reserved last for most of a day.
const LONGEST: Duration = Duration::from_secs(30);
/// How long it is looked for afterwards: as long as a reservation lasts.
const FOLLOWED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// With less than this until the deadline no further look is begun.
const LEAST: Duration = Duration::from_millis(500);

/// Asks for the sake of a call, below it.
struct Aside<'a> {
    call: &'a mut Call<Held>,
    next: &'a Next<Call<Held>>,
}

impl Look for Aside<'_> {
    type Error = Error;

    async fn ask(&mut self, ask: Ask) -> Result<Option<Answer>, Error> {
        match self.call.ask_aside(ask, self.next).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.reason() == ErrorReason::ObjectNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Once {
    /// What became of a write that this call asks for again; `None` if it was settled as not done, and may be made.
    pub(super) async fn settle(
        &self,
        call: &mut Call<Held>,
        row: &Row,
        next: &Next<Call<Held>>,
    ) -> Result<Option<Reply>, Error> {
        let (mut pauses, mut unique) = (pauses(PAUSE, LONGEST), Unique::default());
        loop {
            match self.look(call, row, &mut unique, next).await {
                Ok(Verdict::Done(answer)) => {
                    let kept = self.done(call, row, &answer).await?;
                    return self.reply(call.authority.grant(), row, kept).await.map(Some);
                }
                Ok(Verdict::NotDone) if self.is_quiet(row) && row.state == State::Unknown => {
                    self.not_done(call, row).await?;
                    return Ok(None);
                }
                // HubSpot may still be at it, and cannot be any more before the deadline: then it will be known.
                Ok(Verdict::NotDone) if self.is_quiet_within(row, call.context.deadline) => {}
                Ok(_) => return Err(self.still_open(call, row, next, false)),
                Err(error @ (Error::HubSpot { .. } | Error::NotPermitted(_))) => {
                    tracing::info!(%error, call_id = %row.call_id, "a write could not be read back");
                    let was_not_asked = matches!(error, Error::HubSpot { .. });
                    return Err(self.still_open(call, row, next, was_not_asked));
                }
                Err(error) => return Err(error),
            }
            let at = self.next_look(row, pauses.next().unwrap_or(LONGEST));
            tokio::select! {
                biased;
                () = call.caller_gone.cancelled() => return Err(Error::CallerGone),
                () = self.stopping.cancelled() => return Err(Error::Stopping),
                () = self.clock.sleep_until(at) => {}
            }
        }
    }

    /// Looks afterwards what became of a write, on a task of its own, until it is known or nothing more can be learned.
    pub(super) fn follow(&self, call: &Call<Held>, row: Row, next: &Next<Call<Held>>) {
        let (once, mut call, next) = (self.clone(), call.clone(), next.clone());
        // The call has ended; what is looked for afterwards keeps nothing from others by itself.
        call.keeps = None;
        let Some(followed) = self.following.take_up(&row.call_id) else {
            return;
        };
        let stopping = self.stopping.clone();
        let taken_away = call.authority.grant().taken_away().clone();
        let following = async move {
            let _followed = followed;
            tokio::select! {
                () = stopping.cancelled() => {}
                () = taken_away.cancelled() => {}
                () = once.follow_up(&call, &row, &next) => {}
            }
        };
        self.under_way.spawn(watched(following));
    }

    async fn follow_up(&self, made: &Call<Held>, row: &Row, next: &Next<Call<Held>>) {
        // While the handle lives: it may end at any time.
        let reservation = self.reserve(made, row).await;
        let mut reserved = None;
        let longest = self.writes.longest_between_looks();
        let (mut pauses, mut unique) = (pauses(AFTERWARDS.min(longest), longest), Unique::default());
        let until = self.clock.tick().plus(FOLLOWED_FOR);
        while self.clock.tick() < until {
            let at = self.next_look(row, pauses.next().unwrap_or(longest));
            self.clock.sleep_until(at).await;
            let quiet = self.is_quiet(row);
            let looked = async {
                if reserved.is_none() && self.clock.tick() >= made.authority.grant().ends() {
                    let reservation = reservation.ok_or(credentials::Error::Invalid)?;
                    reserved = Some(self.redeem(reservation).await?);
                }
                let mut question = self.question(made)?;
                self.look_and_note(&mut question, row, &mut unique, (next, reserved.as_ref()))
                    .await
            };
            match looked.await {
                Ok(true) => return,
                Ok(false) if quiet => return,
                Ok(false) => {}
                Err(error) if is_final(&error) => {
                    tracing::info!(%error, call_id = %row.call_id, "a write stays unknown: nobody may look for it any more");
                    return;
                }
                // HubSpot may be down, as it was when the write was made.
                Err(error) => {
                    tracing::info!(%error, call_id = %row.call_id, "a write could not be read back");
                }
            }
        }
    }

    /// A call of its own, which takes none of its caller's places and counts against nothing.
    pub(super) fn question(&self, made: &Call<Held>) -> Result<Call<Held>, Error> {
        let mut question = made.clone();
        question.context = Arc::new(made.context.afterwards(self.clock.tick().plus(PATIENCE)));
        question.call_id = CallId::make(&*self.clock, &*self.random)?;
        question.attempt = 1;
        question.made_aside = Arc::default();
        question.caller_gone = CancellationToken::new();
        Ok(question)
    }

    /// Gives whether it is known now.
    async fn look_and_note(
        &self,
        question: &mut Call<Held>,
        row: &Row,
        unique: &mut Unique,
        (next, reserved): (&Next<Call<Held>>, Option<&Arc<Grant>>),
    ) -> Result<bool, Error> {
        let looked = match reserved {
            Some(grant) => self.look_reserved(question, row, unique, grant).await,
            None => self.look(question, row, unique, next).await,
        };
        match looked? {
            Verdict::Done(answer) => {
                self.done(question, row, &answer).await?;
                Ok(true)
            }
            Verdict::NotDone if self.is_quiet(row) => {
                self.not_done(question, row).await?;
                Ok(true)
            }
            Verdict::NotDone | Verdict::Open => Ok(false),
        }
    }

    async fn look(
        &self,
        call: &mut Call<Held>,
        row: &Row,
        unique: &mut Unique,
        next: &Next<Call<Held>>,
    ) -> Result<Verdict, Error> {
        let ask = call.ask.clone();
        read_back(&ask, row.begin_time, unique, &mut Aside { call, next }).await
    }

    /// The reply of a creation that was begun before and taken for not done, if HubSpot refuses it now because of the very
    /// record that it has made.
    pub(super) async fn made_before(
        &self,
        made: &Call<Held>,
        row: &Row,
        (existing, before): (&str, Timestamp),
        next: &Next<Call<Held>>,
    ) -> Option<Reply> {
        let looked = async {
            let mut call = self.question(made)?;
            let look = &mut Aside {
                call: &mut call,
                next,
            };
            let Verdict::Done(answer) = in_the_way(&made.ask, existing, before, look).await? else {
                return Ok(None);
            };
            let kept = self.done(&call, row, &answer).await?;
            self.reply(made.authority.grant(), row, kept).await.map(Some)
        };
        let looked: Result<Option<Reply>, Error> = looked.await;
        looked.unwrap_or_else(|error| {
            tracing::info!(%error, call_id = %row.call_id, "the record in the way of a write could not be read");
            None
        })
    }

    async fn done(&self, call: &Call<Held>, row: &Row, answer: &Answer) -> Result<Kept, Error> {
        let grant = call.authority.grant();
        let answer = super::covered_only(grant, answer.clone());
        let subject = format!("{}: done", row.call_id);
        let outcome = self.record(call, Recorded::WriteSettle, &subject).await?;
        let kept = Kept::of(&answer, outcome, 1, grant.bounds().to_text()).ok_or(Error::WrongAnswer)?;
        // Somebody else may have been quicker, and found the same.
        self.writes.keep(row, &kept, "read").await?;
        self.keeping.is_known(&row.call_id);
        Ok(kept)
    }

    async fn not_done(&self, call: &Call<Held>, row: &Row) -> Result<(), Error> {
        let subject = format!("{}: not done", row.call_id);
        self.record(call, Recorded::WriteSettle, &subject).await?;
        self.writes.settle_not_done(row).await?;
        self.keeping.is_known(&row.call_id);
        Ok(())
    }

    /// Whether HubSpot cannot be at it any more.
    fn is_quiet(&self, row: &Row) -> bool {
        self.clock.now() >= self.writes.quiet_at(row)
    }

    /// Whether it will be so with time left before a deadline.
    fn is_quiet_within(&self, row: &Row, deadline: Tick) -> bool {
        let left = self.writes.quiet_at(row).since(self.clock.now());
        !left.is_zero() && self.clock.tick().plus(left).plus(LEAST) < deadline
    }

    /// What whoever asks again is told of a write that is still not known. If more can be learned, it is looked for meanwhile:
    /// where HubSpot could not be asked, and where it may still be at it.
    fn still_open(
        &self,
        call: &Call<Held>,
        row: &Row,
        next: &Next<Call<Held>>,
        was_not_asked: bool,
    ) -> Error {
        let call_id = row.call_id.clone();
        if row.state == State::Done {
            return writes::Error::AnswerLost { call_id }.into();
        }
        let looked_for = was_not_asked || !self.is_quiet(row);
        if looked_for {
            self.follow(call, row.clone(), next);
        }
        writes::Error::Unsettled { call_id, looked_for }.into()
    }

    /// When to look again: after this pause, or as soon as HubSpot cannot be at it any more.
    fn next_look(&self, row: &Row, pause: Duration) -> Tick {
        let (now, quiet): (Timestamp, Timestamp) = (self.clock.now(), self.writes.quiet_at(row));
        let pause = match quiet > now {
            true => pause.min(quiet.since(now)),
            false => pause,
        };
        self.clock.tick().plus(pause)
    }
}

/// Whether no later look will be another.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Handle(error) => error.kind() == ErrorKind::Unauthenticated,
        Error::NotPermitted(_) => true,
        _ => false,
    }
}

fn pauses(first: Duration, longest: Duration) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}
