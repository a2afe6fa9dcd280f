//! Turns the handle into the grant behind it; and into another, where the token that it gave will not do any more.

use std::sync::{Arc, atomic::Ordering};

use super::{Call, Error, Next, Presented, Reply, Step, error::RefusedBy};
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

/// How often a call is sent again that HubSpot has not carried out because it refuses the token.
const MOST_RESENT: usize = 1;

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
        let (mut moves, mut slices, mut resent) = (MOST, MOST_SLICES, MOST_RESENT);
        let redeemed = self
            .credentials
            .redeem(handle, caller, call.call_id, deadline)
            .await;
        let mut grant = redeemed?;
        loop {
            // The first one proves the portal, and so does each after it.
            let _ = call.proven.set(grant.clone());
            let mut redeemed = call.with(Redeemed { grant: grant.clone() });
            // What was sent by another token is an attempt of its own.
            redeemed.attempt = call.made_aside.load(Ordering::Acquire).saturating_add(1);
            let again = match next.run(redeemed).await {
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
                Err(error) => {
                    let left = match error.refused_token() {
                        Some(RefusedBy::HubSpot) => &mut resent,
                        Some(RefusedBy::Us) => &mut moves,
                        None => return Err(error),
                    };
                    if *left == 0 {
                        return Err(error);
                    }
                    *left -= 1;
                    let instead = self
                        .credentials
                        .redeem_instead(handle, caller, call.call_id, deadline, &grant)
                        .await;
                    match instead {
                        // There is no other: it stands.
                        Ok(None) => return Err(error),
                        // Nobody can say whether there is another. Of a consent there will be.
                        Err(credentials::Error::Unavailable(_)) if grant.counts_by_day() => {
                            return Err(error);
                        }
                        Ok(Some(other)) => Ok(other),
                        Err(error) => Err(error),
                    }
                }
                reply => return reply,
            };
            grant = again?;
        }
    }
}
