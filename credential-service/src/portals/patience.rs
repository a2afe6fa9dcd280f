//! One answer of HubSpot's that is only of the moment says nothing about a token: it is asked again, a few times, within the
//! deadline of whoever wants to know.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use hubkeep_audit_log::Cause;
use hubkeep_core::{
    clock::Tick,
    error::{ErrorReason, ServiceError as _},
    id::PortalId,
    secret::TokenFingerprint,
};
use hubkeep_hubspot::Error as Refused;

use super::{Error, budget::Budget};

/// How often a question is repeated.
const TIMES: usize = 3;
/// The first wait, where HubSpot names none. Each further one is twice as long: 1.75 s in all, for which also somebody waits
/// who onboards a single portal.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Which token is asked about, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// The token in whose budget it is.
    pub(super) payer: &'a TokenFingerprint,
    /// Whose it should be, if that is known.
    pub(super) portal: Option<PortalId>,
    pub(super) deadline: Tick,
}

impl Budget {
    /// Asks within the budget, and again while HubSpot is busy or away. Waits as long as HubSpot wants.
    ///
    /// # Errors
    /// What HubSpot said first, if it says so still; or at once, if it does not have to do with the moment.
    pub(super) async fn ask<T, F>(
        &self,
        question: Question<'_>,
        ask: impl Fn() -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Refused>> + Send,
    {
        let Question {
            payer,
            portal,
            deadline,
        } = question;
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_times(TIMES);
        let (mut waits, mut before) = (waits.build(), None);
        loop {
            if let Err(exhausted) = self.take(payer, portal, deadline).await {
                // What HubSpot said before tells more than that there was no room to ask it again.
                return Err(before.map_or(exhausted, Error::HubSpot));
            }
            let refused = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            let Some(wait) = waits.next().filter(|_| may_be_asked_again(&refused)) else {
                return Err(refused.into());
            };
            let wait = named_by_hubspot(&refused).map_or(wait, |asked| asked.max(wait));
            let again = self.clock().tick().plus(wait);
            if again >= deadline {
                return Err(refused.into());
            }
            before = Some(refused);
            self.clock().sleep_until(again).await;
        }
    }
}

/// How long HubSpot itself asks to be left alone: who is away asks nothing.
fn named_by_hubspot(refused: &Refused) -> Option<Duration> {
    let limited = refused.reason() == ErrorReason::HubspotRateLimited;
    refused.retry_after().filter(|_| limited)
}

/// Whether HubSpot may say otherwise soon. Who was silent for as long as a question may take is not asked again.
fn may_be_asked_again(refused: &Refused) -> bool {
    let silent = matches!(
        refused,
        Refused::NoAnswer {
            cause: Cause::Timeout,
            ..
        }
    );
    refused.is_passing() && !silent
}
