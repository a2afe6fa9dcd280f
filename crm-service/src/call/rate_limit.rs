//! Pays for the attempt out of the portal's budget, and learns from what HubSpot says of it. To pay may take time, so
//! that the grant is looked at once more when it is done.

use std::{sync::Arc, time::Duration};

use hubkeep_hubspot::{Error as HubSpotError, Lease, RefusalKind};
use tokio_util::sync::CancellationToken;

use super::{Call, Counted, Error, Next, Reply, Step, Usage};
use crate::{
    credentials::{self, Credentials},
    crm::Operation,
    quota::{Bucket, PortalQuota, Quota, Slot},
};

/// With less than this until the deadline an attempt could not be recorded, sent and answered.
const LEAST: Duration = Duration::from_millis(60);

/// Proof that the attempt is paid for, and that the grant holds still. Only [`RateLimit`] makes it.
#[derive(Debug)]
pub struct Admitted<T> {
    call: T,
    slot: Arc<Slot>,
    /// How long it may be sent.
    lease: Lease,
}

impl<T> Admitted<T> {
    pub(super) fn into_parts(self) -> (T, Arc<Slot>, Lease) {
        (self.call, self.slot, self.lease)
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
        let quota = self.quota.of(grant.portal(), grant.time_zone());
        // When the handle has ended, nothing is sent by it: nobody need wait for room beyond that.
        let until = call.context.deadline.min(grant.ends());
        let bucket = match call.ask.operations() {
            [Operation::Search] => Bucket::Search,
            _ => Bucket::Burst,
        };
        let slot = tokio::select! {
            // What forbids the call is looked at first: room that is there at once must not outrun it.
            biased;
            () = call.caller_gone.cancelled() => return Err(Error::CallerGone),
            () = self.stopping.cancelled() => return Err(Error::Stopping),
            () = grant.taken_away().cancelled() => return Err(credentials::Error::Invalid.into()),
            paid = quota.pay(bucket, until) => Arc::new(paid?),
        };
        if call.context.deadline.since(self.quota.now()) < LEAST {
            return Err(Error::TooLate);
        }
        // From here to its end a revocation waits for it.
        let _under_way = grant.begin();
        // The call may have waited for room, or between attempts: what allowed it may be gone.
        let lease = Lease {
            send_by: Some(self.credentials.confirm(&grant)?),
            revoked: grant.taken_away().clone(),
        };
        let context = call.context.clone();
        let call = Admitted {
            call,
            slot: slot.clone(),
            lease,
        };
        // The slot is held until what came back is taken up: of a call under way it is not known whether HubSpot has
        // counted it.
        match next.run(call).await {
            Ok(reply) => {
                slot.learn(&reply.limits);
                drop(slot);
                if grant.counts_by_day() && quota.is_worth_a_question() {
                    self.usage.ask_aside(&quota, &grant, &context);
                }
                Ok(reply)
            }
            Err(error) => Err(learned(&quota, &slot, error)),
        }
    }
}

fn learned(quota: &PortalQuota, slot: &Slot, error: Error) -> Error {
    match error {
        Error::HubSpot { error, object_type } => Error::HubSpot {
            error: learn(quota, slot, error),
            object_type,
        },
        other => other,
    }
}

/// Takes up what a refusal of HubSpot's says of the portal's limits. Gives the same error; if it is for a limit, it
/// says when there is room again.
pub(super) fn learn(quota: &PortalQuota, slot: &Slot, error: HubSpotError) -> HubSpotError {
    if let Some(limits) = error.limits() {
        slot.learn(limits);
    }
    let HubSpotError::Refused(refusal, _) = &error else {
        return error;
    };
    let RefusalKind::RateLimited { policy, retry_after } = &refusal.kind else {
        return error;
    };
    let pause = quota.refused(Bucket::of_policy(policy), *retry_after);
    error.limited_for(pause)
}
