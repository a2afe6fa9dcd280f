//! Pays for the attempt out of the portal's budget, and learns from what HubSpot says of it. To pay may take time, so
//! that the grant is looked at once more when it is done.

use std::time::Duration;

use hubkeep_hubspot::{Error as HubSpotError, Limits, RefusalKind};
use tokio_util::sync::CancellationToken;

use super::{Call, Error, Minimal, Next, Reply, Step};
use crate::{
    credentials::Credentials,
    crm::Operation,
    quota::{Bucket, Quota},
};

/// With less than this until the deadline an attempt could not be recorded, sent and answered.
const LEAST: Duration = Duration::from_millis(60);

/// Proof that the attempt is paid for, and that the grant holds still. Only [`RateLimit`] makes it.
#[derive(Debug)]
pub struct Admitted<T> {
    call: T,
}

impl<T> Admitted<T> {
    pub(super) fn into_call(self) -> T {
        self.call
    }
}

/// The step.
#[derive(Debug)]
pub struct RateLimit {
    quota: Quota,
    credentials: Credentials,
    stopping: CancellationToken,
}

impl RateLimit {
    /// Budgets are kept here; grants are looked at again there; and `stopping` ends every wait.
    pub const fn new(quota: Quota, credentials: Credentials, stopping: CancellationToken) -> Self {
        Self {
            quota,
            credentials,
            stopping,
        }
    }
}

impl Step<Call<Minimal>> for RateLimit {
    type Out = Admitted<Call<Minimal>>;

    async fn take(&self, call: Call<Minimal>, next: &Next<Admitted<Call<Minimal>>>) -> Result<Reply, Error> {
        let portal = call.authority.grant().portal().portal_id();
        let bucket = match call.ask.operation() {
            Operation::Search => Bucket::Search,
            _ => Bucket::Burst,
        };
        tokio::select! {
            paid = self.quota.pay(portal, bucket, call.context.deadline) => paid?,
            () = call.caller_gone.cancelled() => return Err(Error::CallerGone),
            () = self.stopping.cancelled() => return Err(Error::Stopping),
        }
        if call.context.deadline.since(self.quota.now()) < LEAST {
            return Err(Error::TooLate);
        }
        // The call may have waited for room, or between attempts: what allowed it may be gone.
        self.credentials.confirm(call.authority.grant())?;
        let result = next.run(Admitted { call }).await;
        match &result {
            Ok(reply) => self.quota.learn(portal, &reply.limits),
            Err(error) => {
                self.quota.learn(portal, &limits(error));
                if let Some(pause) = limited(error) {
                    self.quota.pause(portal, pause);
                }
            }
        }
        result
    }
}

fn limits(error: &Error) -> Limits {
    match error {
        Error::HubSpot { error, .. } => error.limits().copied().unwrap_or_default(),
        _ => Limits::default(),
    }
}

/// How long the portal's calls must rest, if HubSpot refused this one for the portal's limit.
fn limited(error: &Error) -> Option<Duration> {
    let Error::HubSpot {
        error: HubSpotError::Refused(refusal, _),
        ..
    } = error
    else {
        return None;
    };
    match &refusal.kind {
        RefusalKind::RateLimited { retry_after, .. } => *retry_after,
        _ => None,
    }
}
