//! Sends a call again that failed in passing, as long as the deadline allows: a read whatever became of it, a write only where
//! it is certain that HubSpot has not carried it out. What may have been is never sent a second time. Of a batch those inputs are
//! sent again that HubSpot has passed over for a limit, and no other.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use hubkeep_core::{clock::SharedClock, error::ServiceError as _};
use tokio_util::sync::CancellationToken;

use super::{Call, Counted, Error, Next, Reply, Step};
use crate::credentials;

/// Attempts after the first.
const RETRIES: usize = 2;
/// Before the first retry; each further wait is twice as long, and none is the same for everybody.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The step. Stands above the rate limit, so that every attempt pays.
#[derive(Debug)]
pub struct Retry {
    clock: SharedClock,
    stopping: CancellationToken,
}

impl Retry {
    /// Waits by this clock, and not any more when the service is `stopping`.
    pub const fn new(clock: SharedClock, stopping: CancellationToken) -> Self {
        Self { clock, stopping }
    }
}

impl Step<Call<Counted>> for Retry {
    type Out = Call<Counted>;

    async fn take(&self, mut call: Call<Counted>, next: &Next<Call<Counted>>) -> Result<Reply, Error> {
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_jitter()
            .with_max_times(RETRIES)
            .build();
        let is_read = call.ask.is_read();
        let (ask, mut before, mut part) = (call.ask.clone(), None, None::<Part>);
        loop {
            let error = match next.run(call.clone()).await {
                Ok(reply) => {
                    let reply = Reply {
                        attempts: call.attempt,
                        ..reply
                    };
                    let whole = match part.take() {
                        Some(part) => part.with(reply)?,
                        None => reply,
                    };
                    // What is read for several is not taken apart: whoever got nothing of it reads for itself.
                    let passing = whole.answer.passing().filter(|_| call.company.is_none());
                    let Some((places, wait)) = passing else {
                        return Ok(whole);
                    };
                    let (Some(rest), Some(pause)) = (ask.only(&places), waits.next()) else {
                        return Ok(whole);
                    };
                    if !self.may_go_on(&call, pause.max(wait)).await {
                        return Ok(whole);
                    }
                    call.ask = rest;
                    call.attempt += 1;
                    part = Some(Part { whole, places });
                    continue;
                }
                // What came of the others stands, whatever became of the rest.
                Err(error) if part.is_some() && !is_passing(&error, is_read) => {
                    return part.map(|part| part.without(&error)).ok_or(error);
                }
                Err(error) if is_passing(&error, is_read) => error,
                // What the attempts before met says more than that there could not be another.
                Err(
                    late @ (Error::TooLate
                    | Error::Stopping
                    | Error::Quota(_)
                    | Error::Handle(
                        credentials::Error::Superseded
                        | credentials::Error::Outdated
                        | credentials::Error::TokenRefused { .. },
                    )),
                ) => {
                    // An attempt that was not sent has met nothing.
                    return Err(before.filter(|before| !was_not_sent(before)).unwrap_or(late));
                }
                Err(error) => return Err(error),
            };
            if part.is_some() {
                let wait = waits.next().map(|wait| wait.max(asked_wait(&error)));
                match wait {
                    Some(wait) if self.may_go_on(&call, wait).await => call.attempt += 1,
                    _ => return part.map(|part| part.without(&error)).ok_or(error),
                }
                continue;
            }
            let Some(wait) = waits.next() else {
                return Err(error);
            };
            let again_at = self.clock.tick().plus(wait.max(asked_wait(&error)));
            if again_at >= call.context.deadline {
                return Err(error);
            }
            tokio::select! {
                () = self.clock.sleep_until(again_at) => {}
                () = self.stopping.cancelled() => return Err(error),
                () = call.caller_gone.cancelled() => return Err(error),
                // There is no attempt after this, and that the last one failed is not what the caller must know.
                () = call.right().cancelled() => {
                    return Err(credentials::Error::Invalid.into());
                }
            }
            call.attempt += 1;
            before = Some(error);
        }
    }
}

impl Retry {
    /// Waits so long, if the deadline allows it and nothing happens that forbids another attempt.
    async fn may_go_on(&self, call: &Call<Counted>, wait: Duration) -> bool {
        let again_at = self.clock.tick().plus(wait);
        if again_at >= call.context.deadline {
            return false;
        }
        tokio::select! {
            () = self.clock.sleep_until(again_at) => true,
            () = self.stopping.cancelled() => false,
            () = call.caller_gone.cancelled() => false,
            () = call.right().cancelled() => false,
        }
    }
}

/// A batch of which HubSpot has passed over some inputs, which are sent again.
struct Part {
    /// What came of all so far.
    whole: Reply,
    /// Where those stand that are sent again.
    places: Vec<usize>,
}

impl Part {
    fn with(self, rest: Reply) -> Result<Reply, Error> {
        let answer = self.whole.answer.with(&self.places, rest.answer);
        let answer = answer.ok_or(Error::WrongAnswer)?;
        let receipts = [self.whole.receipts, rest.receipts].concat();
        Ok(Reply {
            answer,
            receipts,
            ..rest
        })
    }

    /// Without an answer to the rest. What was certainly not carried out stays passed over; else nobody knows.
    fn without(self, error: &Error) -> Reply {
        let mut whole = self.whole;
        whole.receipts.extend(error.receipt().cloned());
        match error.leaves_open() {
            true => Reply {
                answer: whole.answer.with_unknown(&self.places),
                ..whole
            },
            false => whole,
        }
    }
}

fn was_not_sent(error: &Error) -> bool {
    matches!(
        error,
        Error::HubSpot {
            error: hubkeep_hubspot::Error::NotSent(_),
            ..
        }
    )
}

fn is_passing(error: &Error, is_read: bool) -> bool {
    let Error::HubSpot { error, .. } = error else {
        return false;
    };
    match is_read {
        true => error.is_passing(),
        false => error.is_passing_for_a_write(),
    }
}

/// How long HubSpot wants to be left alone, where it is its limit or its lock that passes.
fn asked_wait(error: &Error) -> Duration {
    match error {
        Error::HubSpot {
            error: hubkeep_hubspot::Error::Refused(..),
            ..
        } => error.retry_after().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}
