//! Turns the handle into the grant behind it.

use std::sync::Arc;

use super::{Call, Error, Next, Presented, Reply, Step};
use crate::credentials::{self, Credentials, Grant};

/// Proof that the handle was redeemed. Only [`Redeem`] makes it.
#[derive(Clone, Debug)]
pub struct Redeemed {
    pub(super) grant: Arc<Grant>,
}

/// How often the credential may move on while one call waits to be sent.
const MOST: usize = 4;

/// How often one call may find that others have spent what it was redeemed for.
const MOST_SLICES: usize = 16;

/// The step.
#[derive(Debug)]
pub struct Redeem {
    credentials: Credentials,
}

impl Redeem {
    /// Handles are redeemed here.
    pub const fn new(credentials: Credentials) -> Self {
        Self { credentials }
    }
}

impl Step<Call<Presented>> for Redeem {
    type Out = Call<Redeemed>;

    async fn take(&self, call: Call<Presented>, next: &Next<Call<Redeemed>>) -> Result<Reply, Error> {
        if let Some(grant) = call.reserved.clone() {
            let _ = call.proven.set(grant.clone());
            return next.run(call.with(Redeemed { grant })).await;
        }
        let handle = match &call.authority {
            Ok(handle) => handle,
            Err(malformed) => return Err(credentials::Error::from(malformed.clone()).into()),
        };
        let (caller, deadline) = (&call.context.caller, call.context.deadline);
        let (mut moves, mut slices) = (MOST, MOST_SLICES);
        let redeemed = self
            .credentials
            .redeem(handle, caller, call.call_id, deadline)
            .await;
        let mut grant = redeemed?;
        loop {
            // The first one proves the portal, and so does each after it.
            let _ = call.proven.set(grant.clone());
            let redeemed = Redeemed { grant: grant.clone() };
            let again = match next.run(call.with(redeemed)).await {
                // Nothing was sent yet, and nothing more is by what was redeemed then: the handle is asked about anew.
                Err(Error::Handle(credentials::Error::Superseded | credentials::Error::Outdated))
                    if moves > 1 =>
                {
                    moves -= 1;
                    self.credentials
                        .redeem(handle, caller, call.call_id, deadline)
                        .await
                }
                // What was given of the handle's budget is spent: there may be more.
                Err(Error::Handle(credentials::Error::SliceSpent(half, needed))) if slices > 1 => {
                    slices -= 1;
                    let spent = (&grant, half, needed);
                    let more = self
                        .credentials
                        .redeem_for_more(handle, caller, call.call_id, deadline, spent)
                        .await;
                    more.map_err(|error| match error {
                        // The little that is left does not suffice for all that is asked for at once.
                        credentials::Error::SliceSpent(half, _) if needed > 1 => {
                            credentials::Error::BudgetExhausted(half)
                        }
                        error => error,
                    })
                }
                reply => return reply,
            };
            grant = again?;
        }
    }
}
