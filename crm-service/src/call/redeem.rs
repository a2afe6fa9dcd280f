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
        let handle = match &call.authority {
            Ok(handle) => handle,
            Err(malformed) => return Err(credentials::Error::from(malformed.clone()).into()),
        };
        let context = &call.context;
        let mut left = MOST;
        loop {
            let grant = self
                .credentials
                .redeem(handle, &context.caller, call.call_id, context.deadline)
                .await?;
            // The first one proves the portal, and so does each after it.
            let _ = call.proven.set(grant.clone());
            left -= 1;
            match next.run(call.with(Redeemed { grant })).await {
                // Nothing was sent yet, and nothing more is by what was redeemed then: the handle is asked about anew.
                Err(Error::Handle(credentials::Error::Superseded | credentials::Error::Outdated))
                    if left > 0 => {}
                reply => return reply,
            }
        }
    }
}
