//! Turns a handle into the token behind it, for the service that makes the call.

use std::time::Duration;

use hubkeep_core::{grpc::Caller, handle_token::HandleToken, id::CallId, secret::PortalToken};

use super::{Error, Handles, Living, claims};
use crate::{portals::PortalCredential, record::Act};

/// The longest that a redeemer may answer from memory.
const MAX_KEEP: Duration = Duration::from_secs(60);

/// A handle that was presented to a redeemer.
#[derive(Debug)]
pub struct Presented {
    /// The handle.
    pub token: HandleToken,
    /// Who presented it, as the redeemer knows them.
    pub by: Caller,
    /// The newest revocation that the redeemer has seen.
    pub seen_revocation_seq: u64,
    /// The call for which it is redeemed.
    pub call_id: CallId,
}

/// What a redeemer gets.
#[derive(Debug)]
pub struct Redeemed {
    /// The handle, and its portal.
    pub living: Living,
    /// The credential of the portal that serves it.
    pub credential: PortalCredential,
    /// The credential's token.
    pub token: PortalToken,
    /// How long it may be sent, if it ends by itself.
    pub token_time_left: Option<Duration>,
    /// How long it may be kept in memory.
    pub keep_for: Duration,
    /// The place in the feed of revocations as of which this is true.
    pub revocation_seq: u64,
}

impl Handles {
    /// Gives the token behind a living handle.
    ///
    /// # Errors
    /// If the handle is not valid for who presented it, this replica lags behind the redeemer, or the token cannot
    /// be opened.
    pub async fn redeem(&self, act: &Act, presented: Presented) -> Result<Redeemed, Error> {
        act.for_call(presented.call_id);
        // Read before the handle is: what the answer says of the feed must never be newer than what it says of the
        // handle.
        let revocation_seq = self.revocations.newest().await?;
        let seen = presented.seen_revocation_seq;
        if seen > revocation_seq {
            return Err(Error::Behind {
                seen,
                newest: revocation_seq,
            });
        }
        let living = self.living(act, &presented.token, &presented.by).await?;
        let credential = living
            .portal
            .narrowest(&claims::need(&living.handle.scope))?
            .clone();
        act.credential(credential.version, &credential.token_fingerprint);
        let token = self.portals.token_to_call_with(act, &living.portal, &credential);
        let (token, token_time_left) = token.await?;
        let keep_for = living
            .time_left
            .min(MAX_KEEP)
            .min(token_time_left.unwrap_or(MAX_KEEP));
        Ok(Redeemed {
            living,
            credential,
            token,
            token_time_left,
            keep_for,
            revocation_seq,
        })
    }
}
