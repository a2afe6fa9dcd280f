//! One read that answers several calls. Each of them has an intent, an outcome and a deadline of its own.

use std::sync::OnceLock;

use futures::future::{join, join_all};
use hubkeep_audit_log::{CallResult, Cause, Draft, Intent, Outcome, Position};
use hubkeep_core::{
    clock::Tick,
    error::{ErrorReason, ServiceError as _},
    id::CallId,
};
use tokio_util::sync::CancellationToken;

use super::{Client, Ended, count, not_answered, read};
use crate::{
    error::Error,
    limits::Limits,
    record::{self, Recorded},
    request::Request,
    transport::{Lost, TO_RECORD},
};

/// What of an answer is one call's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All that there is.
    Whole,
    /// So many records.
    Records(u32),
    /// Nothing: HubSpot has refused this call's part.
    Refused(ErrorReason),
}

/// The calls that a request is made for, beside its own.
pub struct Party<'a, S, L> {
    /// What their entries say, and by when the answer to each must be there. None is later than the request's own.
    pub others: Vec<(Draft, Tick)>,
    /// Fires when nobody waits for the answer any more: what is under way is cut off then.
    pub unwanted: &'a CancellationToken,
    /// Says what of an answer is whose, by the place of the call: the request's own is the first.
    pub share: S,
    /// Is told of each of the others whose deadline has come before the answer, when the outcome that says so is durable, or cannot
    /// be made so in time. The request goes on for the rest.
    pub left: L,
}

/// An answer to several calls.
#[derive(Debug)]
pub struct Shared<T> {
    /// What HubSpot said.
    pub value: T,
    /// What the headers said of the portal's limits.
    pub limits: Limits,
    /// Where the outcomes stand in the log, in the order of the calls, the request's own first; `None` of one that is not
    /// durable yet, whose answer must be withheld, and of one that has left before.
    pub outcomes: Vec<Option<Position>>,
}

/// What all of the calls hear, when it is there.
struct Exchange<T> {
    ended: OnceLock<Ended<T>>,
    is_over: CancellationToken,
}

impl<T> Exchange<T> {
    fn ends(&self, ended: Ended<T>) {
        // Set once: there is one answer.
        let _ = self.ended.set(ended);
        self.is_over.cancel();
    }

    /// How it has ended for the call of this place.
    fn outcome(&self, place: usize, share: impl Fn(&T, usize) -> Share) -> Outcome {
        match self.ended.get() {
            Some(Ended {
                result: Ok((value, _)),
                outcome,
            }) => shared(outcome, share(value, place)),
            Some(ended) => ended.outcome.clone(),
            None => gave_up(),
        }
    }
}

impl Client {
    /// Makes one attempt for several calls: that of the request, and the others of a party. Nothing is sent unless the intent
    /// of each is durable, and when this returns, the outcome of each is, except where the answer says otherwise. Whose deadline
    /// comes first leaves, on record, and the rest go on. For reads only: a write is one call's.
    ///
    /// # Errors
    /// As [`Client::call`], and then it is that of all of them who have not left.
    pub async fn call_shared<T, S, L>(
        &self,
        request: Request<'_, T>,
        party: Party<'_, S, L>,
        sent: impl FnOnce(Tick),
    ) -> Result<Shared<T>, Error>
    where
        T: Send + Sync,
        S: Fn(&T, usize) -> Share + Sync,
        L: Fn(usize) + Sync,
    {
        let Party {
            others,
            unwanted,
            share,
            left,
        } = party;
        let (drafts, deadlines): (Vec<_>, Vec<_>) = others.into_iter().unzip();
        let (own, others) = record::intents(&self.log, request, drafts).await?;
        let began = self.clock.tick();
        sent(began);
        let exchange = Exchange {
            ended: OnceLock::new(),
            is_over: CancellationToken::new(),
        };
        let asking = async {
            exchange.ends(self.answer_for_all(&own, unwanted, began).await);
            own.settle(exchange.outcome(0, &share)).await
        };
        let others = others.into_iter().zip(deadlines).enumerate();
        let waiting = others.map(|(place, other)| {
            let (place, exchange, share, left) = (place.saturating_add(1), &exchange, &share, &left);
            async move {
                let (outcome, is_over) = self.waits(other, exchange, (place, share), began).await;
                if !is_over {
                    left(place);
                }
                outcome.filter(|_| is_over)
            }
        });
        let (own, others) = join(asking, join_all(waiting)).await;
        let ended = exchange.ended.into_inner();
        let (value, limits) = ended.ok_or_else(Error::gave_up)?.result?;
        let own = own.map_err(Error::OutcomeNotRecorded)?;
        Ok(Shared {
            value,
            limits,
            outcomes: [Some(own)].into_iter().chain(others).collect(),
        })
    }

    /// Sends, and reads the answer, as long as anybody waits for it.
    async fn answer_for_all<T>(
        &self,
        own: &Recorded<Request<'_, T>>,
        unwanted: &CancellationToken,
        began: Tick,
    ) -> Ended<T> {
        let (effect, call_id): (_, CallId) = (own.content().ask.effect(), own.call_id());
        let received = unwanted.run_until_cancelled(self.transport.send(own)).await;
        let received = received.unwrap_or_else(|| Err(Lost::new(Cause::Timeout, "nobody waits any more")));
        let mut ended = match received {
            Ok(received) => read(own, received, call_id),
            Err(lost) => not_answered(effect, lost, call_id),
        };
        ended.outcome.duration = Some(self.clock.tick().since(began));
        count(&ended.outcome);
        ended
    }

    /// Waits for the answer, or until one call's deadline. Gives where its outcome stands, and whether it has waited to the end.
    async fn waits<T>(
        &self,
        (intent, deadline): (Intent, Tick),
        exchange: &Exchange<T>,
        (place, share): (usize, impl Fn(&T, usize) -> Share),
        began: Tick,
    ) -> (Option<Position>, bool) {
        let until = deadline.minus(TO_RECORD);
        let over = self.clock.timeout_at(until, exchange.is_over.cancelled()).await;
        let outcome = match over {
            Some(()) => exchange.outcome(place, share),
            None => Outcome {
                duration: Some(self.clock.tick().since(began)),
                ..gave_up()
            },
        };
        (intent.settle(outcome).await.ok(), over.is_some())
    }
}

/// The outcome of a read that was given up at its deadline.
fn gave_up() -> Outcome {
    Outcome {
        result: CallResult::Unknown,
        cause: Cause::Timeout,
        reason: Some(Error::gave_up().reason()),
        ..Outcome::ok()
    }
}

fn shared(outcome: &Outcome, share: Share) -> Outcome {
    let outcome = outcome.clone();
    match share {
        Share::Whole => outcome,
        // Which these are, the call's own draft says.
        Share::Records(record_count) => Outcome {
            record_count,
            record_refs: Vec::new(),
            ..outcome
        },
        Share::Refused(reason) => Outcome {
            result: CallResult::Refused,
            reason: Some(reason),
            record_count: 0,
            record_refs: Vec::new(),
            ..outcome
        },
    }
}
