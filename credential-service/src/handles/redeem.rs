//! Turns a handle into the token behind it, for the service that makes the call.

use std::time::Duration;

use hubkeep_core::{
    grpc::Caller,
    handle_token::HandleToken,
    id::CallId,
    secret::{PortalToken, TokenFingerprint},
};

use super::{
    Error, Handles, Living, Resource,
    budgets::{Slice, Unspent, is_small},
    claims,
};
use crate::{connections::Connection, portals::PortalCredential, record::Act};

/// The longest that a redeemer may answer from memory.
const MAX_KEEP: Duration = Duration::from_secs(60);

/// Who presented a handle.
#[derive(Clone, Debug)]
pub enum Presenter {
    /// A caller, over gRPC.
    Caller(Caller),
    /// A client of somebody who has signed in, at this resource.
    Client(Resource),
}

/// A handle that was presented to a redeemer.
#[derive(Debug)]
pub struct Presented {
    /// The handle.
    pub token: HandleToken,
    /// Who presented it, as the redeemer knows them, or where.
    pub by: Presenter,
    /// The newest revocation that the redeemer has seen.
    pub seen_revocation_seq: u64,
    /// The call for which it is redeemed.
    pub call_id: CallId,
    /// What the redeemer has not spent yet of the handle's budget.
    pub unspent: Unspent,
    /// The token that the redeemer was given, and HubSpot refuses.
    pub refused: Option<TokenFingerprint>,
}

/// What serves a handle.
#[derive(Debug)]
pub enum Opened {
    /// A credential of the portal.
    Credential(Box<PortalCredential>),
    /// A connection of the user.
    Connection(Box<Connection>),
}

/// What a redeemer gets.
#[derive(Debug)]
pub struct Redeemed {
    /// The handle, and its portal.
    pub living: Living,
    /// What serves it.
    pub of: Opened,
    /// The version of its token.
    pub version: u64,
    /// Its token.
    pub token: PortalToken,
    /// How long it may be sent, if it ends by itself.
    pub token_time_left: Option<Duration>,
    /// How long it may be kept in memory.
    pub keep_for: Duration,
    /// What the redeemer may spend of the handle's budget beside what it has.
    pub slice: Slice,
    /// The place in the feed of revocations as of which this is true.
    pub revocation_seq: u64,
}

impl Handles {
    /// Gives the token behind a living handle.
    ///
    /// # Errors
    /// If the handle is not valid for who presented it, this replica lags behind the redeemer, or the token cannot
    /// be opened, or the handle's budget is used up.
    pub async fn redeem(&self, act: &Act, presented: Presented) -> Result<Redeemed, Error> {
        act.for_call(presented.call_id);
        // Read before the handle is: what the answer says of the feed must never be newer than what it says of the
        // handle.
        let revocation_seq = self.not_behind(presented.seen_revocation_seq).await?;
        let living = match &presented.by {
            Presenter::Caller(caller) => self.living_at(act, &presented.token, caller).await?,
            Presenter::Client(resource) => self.living_of_user(act, &presented.token, resource).await?,
        };
        let keep = if is_small(living.handle.budget) {
            Duration::ZERO
        } else {
            MAX_KEEP
        };
        let refused = presented.refused.as_ref();
        let mut redeemed = self
            .open_for(act, (living, refused), revocation_seq, keep)
            .await?;
        // Last: what is handed out for an answer that is none would be lost.
        redeemed.slice = self.hand_out(&redeemed.living.handle, presented.unspent).await?;
        Ok(redeemed)
    }

    /// The newest revocation here, if it is not older than what a redeemer has seen.
    pub(super) async fn not_behind(&self, seen: u64) -> Result<u64, Error> {
        let newest = self.revocations.newest().await?;
        if seen > newest {
            return Err(Error::Behind { seen, newest });
        }
        Ok(newest)
    }

    /// The token of the credential that serves a living handle; another than HubSpot is said to refuse, where there may be.
    pub(super) async fn open_for(
        &self,
        act: &Act,
        (living, refused): (Living, Option<&TokenFingerprint>),
        revocation_seq: u64,
        keep: Duration,
    ) -> Result<Redeemed, Error> {
        if let Some(of_user) = &living.handle.user {
            let connection = self.connections.by_id(of_user.connection_id).await?;
            return self
                .open_connection(act, (living, refused), connection, (revocation_seq, keep))
                .await;
        }
        let credential = living
            .portal
            .narrowest(&claims::need(&living.handle.scope))?
            .clone();
        act.credential(credential.version, &credential.token_fingerprint);
        let token = self
            .portals
            .token_to_call_with(act, &living.portal, &credential, refused);
        let (token, token_time_left) = token.await?;
        let keep_for = living
            .time_left
            .min(keep)
            .min(token_time_left.unwrap_or(MAX_KEEP));
        Ok(Redeemed {
            living,
            version: credential.version,
            of: Opened::Credential(Box::new(credential)),
            token,
            token_time_left,
            keep_for,
            slice: Slice::default(),
            revocation_seq,
        })
    }

    /// The token of the connection behind a living handle of somebody who has signed in.
    async fn open_connection(
        &self,
        act: &Act,
        (living, refused): (Living, Option<&TokenFingerprint>),
        connection: Connection,
        (revocation_seq, keep): (u64, Duration),
    ) -> Result<Redeemed, Error> {
        let called = self.connections.token_to_call_with(act, &connection, refused);
        let (token, time_left) = called.await?;
        act.credential(connection.version, &token.fingerprint());
        Ok(Redeemed {
            keep_for: living.time_left.min(keep).min(time_left),
            living,
            version: connection.version,
            of: Opened::Connection(Box::new(connection)),
            token,
            token_time_left: Some(time_left),
            slice: Slice::default(),
            revocation_seq,
        })
    }
}
