//! Sends a read again that failed in passing, as long as the deadline allows. Writes are never sent twice.

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
            .with_max_times(if call.ask.is_read() { RETRIES } else { 0 })
            .build();
        let mut before = None;
        loop {
            let error = match next.run(call.clone()).await {
                Ok(reply) => {
                    return Ok(Reply {
                        attempts: call.attempt,
                        ..reply
                    });
                }
                Err(error) if is_passing(&error) => error,
                // What the attempts before met says more than that there could not be another.
                Err(
                    late @ (Error::TooLate
                    | Error::Stopping
                    | Error::Quota(_)
                    | Error::Handle(credentials::Error::Superseded | credentials::Error::Outdated)),
                ) => {
                    return Err(before.unwrap_or(late));
                }
                Err(error) => return Err(error),
            };
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
                () = call.authority.grant().taken_away().cancelled() => {
                    return Err(credentials::Error::Invalid.into());
                }
            }
            call.attempt += 1;
            before = Some(error);
        }
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(error, Error::HubSpot { error, .. } if error.is_passing())
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
