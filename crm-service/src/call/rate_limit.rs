//! Pays for the attempt out of the portal's budget, and learns from what HubSpot says of it. To pay may take time, so
//! that the grant is looked at once more when it is done.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hubkeep_core::{clock::Tick, error::ServiceError as _, grpc::Context};
use hubkeep_hubspot::{Error as HubSpotError, Lease, RefusalKind};
use tokio_util::sync::CancellationToken;

use super::{Call, Counted, Error, Next, Reply, Step, Usage};
use crate::{
    credentials::{self, Credentials, Grant, Word},
    crm::Operation,
    quota::{self, About, Bucket, Health, Kind, Payer, Quota, Slot},
};

/// With less than this until the deadline an attempt could not be recorded, sent and answered.
pub(super) const LEAST: Duration = Duration::from_millis(60);
/// Silence for less than this says nothing of HubSpot: it answers slowly at times.
const PATIENCE: Duration = Duration::from_secs(2);

/// Proof that the attempt is paid for, and that the grant holds still. Only [`RateLimit`] makes it.
#[derive(Debug)]
pub struct Admitted<T> {
    call: T,
    slot: Arc<Slot>,
    /// How long it may be sent.
    lease: Lease,
}

impl<T> Admitted<T> {
    /// What is admitted.
    pub(super) const fn call(&self) -> &T {
        &self.call
    }

    pub(super) fn into_parts(self) -> (T, Arc<Slot>, Lease) {
        (self.call, self.slot, self.lease)
    }
}

impl Admitted<Call<Counted>> {
    /// The same for these inputs of its batch only; `None` of what is no batch, or has no such inputs.
    pub(super) fn only(mut self, places: &[usize]) -> Option<Self> {
        self.call.ask = self.call.ask.only(places)?;
        Some(self)
    }
}

/// The step.
#[derive(Debug)]
pub struct RateLimit {
    quota: Quota,
    credentials: Credentials,
    usage: Usage,
    stopping: CancellationToken,
}

impl RateLimit {
    /// Budgets are kept here; grants are looked at again there; what no answer says is asked; and `stopping` ends
    /// every wait.
    pub const fn new(
        quota: Quota,
        credentials: Credentials,
        usage: Usage,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            quota,
            credentials,
            usage,
            stopping,
        }
    }
}

impl Step<Call<Counted>> for RateLimit {
    type Out = Admitted<Call<Counted>>;

    async fn take(&self, call: Call<Counted>, next: &Next<Admitted<Call<Counted>>>) -> Result<Reply, Error> {
        let grant = call.authority.grant().clone();
        // What would not be sent waits for no room.
        self.credentials.may_send(&grant)?;
        let quota = self.quota.of(grant.portal(), grant.time_zone());
        // When the handle has ended, nothing is sent by it: nobody need wait for room beyond that.
        let until = call.context.deadline.min(grant.ends());
        let bucket = match call.ask.operations() {
            [Operation::Search] => Bucket::Search,
            _ if call.ask.is_for_associations_api() => Bucket::Associations,
            _ => Bucket::Burst,
        };
        let about = call.about();
        let payer = payer(&grant, &call.context, &about);
        let asked = self.quota.now();
        let slot = tokio::select! {
            // What forbids the call is looked at first: room that is there at once must not outrun it.
            biased;
            () = call.caller_gone.cancelled() => return Err(Error::CallerGone),
            () = self.stopping.cancelled() => return Err(Error::Stopping),
            () = call.right().cancelled() => return Err(credentials::Error::Invalid.into()),
            paid = quota.pay(payer, bucket, until) => Arc::new(paid.inspect_err(count)?),
        };
        metrics::histogram!("hubkeep_quota_wait_seconds").record(self.quota.now().since(asked).as_secs_f64());
        if call.context.deadline.since(self.quota.now()) < LEAST {
            return Err(Error::TooLate);
        }
        // From here to its end a revocation waits for it.
        let grants = || {
            [&grant]
                .into_iter()
                .chain(call.others().map(|other| other.authority.grant()))
        };
        let _under_way: Vec<_> = grants().map(|grant| grant.begin()).collect();
        // The call may have waited for room, or between attempts: what allowed it may be gone.
        let mut holds = self.credentials.confirm(&grant)?;
        for other in grants().skip(1) {
            holds = holds.min(self.credentials.confirm(other)?);
        }
        let lease = Lease {
            send_by: Some(send_by(holds, &slot)),
            revoked: call.right().clone(),
        };
        let pass = self.credentials.enter(&grant)?;
        note_attempt(&call);
        let context = call.context.clone();
        let call = Admitted {
            call,
            slot: slot.clone(),
            lease,
        };
        let (began, deadline) = (self.quota.now(), call.call.context.deadline);
        let unwanted = call.call.unwanted();
        // The slot is held until what came back is taken up: of a call under way it is not known whether HubSpot has
        // counted it.
        match next.run(call).await {
            Ok(reply) => {
                pass.ended(Word::Accepts);
                slot.tell(Health::Answers);
                slot.learn(&reply.limits);
                drop(slot);
                if grant.counts_by_day() && quota.is_worth_a_question() {
                    self.usage.ask_aside(&quota, &grant, &context);
                }
                Ok(reply)
            }
            Err(error) => {
                let now = self.quota.now();
                // Who has given up early does not know what would have come.
                let early = deadline.since(now) < LEAST || unwanted.is_cancelled();
                let waited = Some(now.since(began)).filter(|waited| early && *waited < PATIENCE);
                slot.tell(health(&error, waited));
                let word = word(&error);
                pass.ended(word);
                if word == Word::Refuses {
                    self.credentials.forget_token_of(&grant);
                }
                Err(learned(&slot, bucket, error))
            }
        }
    }
}

/// One refusal more, by its reason.
fn count(refused: &quota::Error) {
    metrics::counter!("hubkeep_quota_refusals_total", "reason" => refused.reason().wire_name()).increment(1);
}

/// Who pays for a call.
pub(super) fn payer<'a>(grant: &'a Grant, context: &Context, about: &'a About) -> Payer<'a> {
    Payer {
        caller: grant.caller(),
        app: grant.app(),
        kind: match grant.counts_by_day() {
            true => Kind::Private,
            false => Kind::OAuth,
        },
        is_person: grant.is_for_a_person(),
        is_batch: context.is_batch,
        about,
    }
}

/// Nothing is sent when it is not known any more that the grant holds, or that the place is ours.
pub(super) fn send_by(holds: Tick, slot: &Slot) -> Tick {
    slot.send_by().map_or(holds, |ours| ours.min(holds))
}

/// Whatever comes after this attempt is another one, also where its handle is redeemed anew in between.
fn note_attempt(call: &Call<Counted>) {
    for each in [call].into_iter().chain(call.others()) {
        each.made_aside.fetch_max(call.attempt, Ordering::AcqRel);
    }
}

/// What a call that gave no reply has shown of its token.
fn word(error: &Error) -> Word {
    match error {
        Error::HubSpot { error, .. } => said_of_token(error),
        _ => Word::Nothing,
    }
}

/// The same of what came of one attempt. Who has too many calls, or is answered in HubSpot's place, need not have been known.
pub(super) fn said_of_token(error: &HubSpotError) -> Word {
    let HubSpotError::Refused(refusal, _) = error else {
        return Word::Nothing;
    };
    match refusal.kind {
        RefusalKind::TokenRefused if refusal.is_of_the_token() => Word::Refuses,
        RefusalKind::ScopeMissing(_)
        | RefusalKind::NotFound
        | RefusalKind::Conflict(_)
        | RefusalKind::Validation { .. }
        | RefusalKind::Locked(_) => Word::Accepts,
        _ => Word::Nothing,
    }
}

/// What a call that gave no reply has shown of HubSpot, which was waited for so long where it was given up early.
fn health(error: &Error, waited: Option<Duration>) -> Health {
    match error {
        Error::HubSpot { error, .. } => shown(error, waited),
        _ => Health::Unknown,
    }
}

/// The same of what came of one attempt.
pub(super) fn shown(error: &HubSpotError, waited: Option<Duration>) -> Health {
    match error {
        HubSpotError::Refused(refusal, _) => match refusal.kind {
            RefusalKind::ServerFailed => Health::Fails,
            RefusalKind::Migrating(wait) => Health::Moves(wait),
            _ => Health::Answers,
        },
        HubSpotError::OutcomeNotRecorded(_) => Health::Answers,
        HubSpotError::NoAnswer { .. }
        | HubSpotError::OutcomeUnknown {
            hubspot_failed: true, ..
        } => waited.map_or(Health::Fails, Health::Silent),
        _ => Health::Unknown,
    }
}

fn learned(slot: &Slot, bucket: Bucket, error: Error) -> Error {
    match error {
        Error::HubSpot { error, object_type } => Error::HubSpot {
            error: learn(slot, bucket, error),
            object_type,
        },
        other => other,
    }
}

/// Takes up what a refusal of HubSpot's says of the portal's limits. Gives the same error; if it is for a limit, it
/// says when there is room again.
pub(super) fn learn(slot: &Slot, bucket: Bucket, error: HubSpotError) -> HubSpotError {
    if let Some(limits) = error.limits() {
        slot.learn(limits);
    }
    let HubSpotError::Refused(refusal, _) = &error else {
        return error;
    };
    let RefusalKind::RateLimited { policy, retry_after } = &refusal.kind else {
        return error;
    };
    let pause = slot.refused(bucket.of_policy(policy), *retry_after);
    error.limited_for(pause)
}
