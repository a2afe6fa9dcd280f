//! The life of one HubSpot call. [`stack`] reads top to bottom; each step is one file.
//!
//! A [`Call`] changes its type on the way down, and each type is made by one step only:
//!
//! `Call<Presented>` → redeem → `Call<Redeemed>` → authorize → `Call<Permit>` → minimize → `Call<Minimal>` → confine →
//! `Call<Confined>` → prove → `Call<Proven>` → spend → `Call<Counted>` → rate limit → [`Admitted`] → dispatch.
//!
//! A stack that leaves one of these steps out, or swaps two, does not compile; [`stack`] shows it.

mod aside;
mod authorize;
mod cause;
mod confine;
mod detach;
mod dispatch;
mod error;
mod minimize;
mod object_ref;
mod proofs;
mod prove;
mod rate_limit;
mod record_denial;
mod redeem;
mod reply;
mod retry;
mod spend;
pub mod stack;
mod step;
mod suppress;
mod unread;
mod usage;

use std::sync::{Arc, OnceLock, atomic::AtomicU32};

pub use authorize::{Authorize, Permit};
pub use cause::{Cause, Meant};
pub use confine::{Confine, Confined};
pub use detach::Detach;
pub use dispatch::Dispatch;
pub use error::{Error, row_error};
use hubkeep_core::{
    grpc::Context,
    handle_token::{HandleToken, MalformedHandle},
    id::CallId,
};
pub use minimize::{Minimal, Minimize};
pub use object_ref::ObjectRefs;
pub use prove::{Prove, Proven};
pub use rate_limit::{Admitted, RateLimit};
pub use record_denial::RecordDenial;
pub use redeem::{Redeem, Redeemed};
pub use reply::Reply;
pub use retry::Retry;
pub use spend::{Counted, Spend};
pub use step::{End, Layers, Next, Step};
pub use suppress::Suppress;
use tokio_util::sync::CancellationToken;
pub use unread::Unread;
pub use usage::Usage;

use crate::{credentials::Grant, crm::Ask};

/// A handle as it was sent, whole or not.
pub type Presented = Result<HandleToken, MalformedHandle>;

/// One call: what is asked, of which portal, by whom, and by what authority as far as it is known yet.
#[derive(Clone, Debug)]
pub struct Call<Authority> {
    /// What is asked.
    pub ask: Ask,
    /// The portal that the request means.
    pub meant: Meant,
    /// Who asks, and until when.
    pub context: Arc<Context>,
    /// Ties together all entries of the call.
    pub call_id: CallId,
    /// By what authority.
    pub authority: Authority,
    /// Which attempt this is, from 1.
    attempt: u32,
    /// How many attempts steps have made for themselves, for this call, however often it was redeemed.
    made_aside: Arc<AtomicU32>,
    /// Whether it is asked by a step on the way, for the call that is on it, and not by the caller.
    aside: bool,
    /// Fires when nobody waits for the reply any more.
    caller_gone: CancellationToken,
    /// The grant, as soon as there is one: for the record of a refusal further down.
    proven: Arc<OnceLock<Arc<Grant>>>,
}

impl Call<Presented> {
    /// A call as it came in.
    pub fn new(ask: Ask, meant: Meant, context: Arc<Context>, call_id: CallId, handle: Presented) -> Self {
        Self {
            ask,
            meant,
            context,
            call_id,
            authority: handle,
            attempt: 1,
            made_aside: Arc::default(),
            aside: false,
            caller_gone: CancellationToken::new(),
            proven: Arc::default(),
        }
    }
}

impl<Authority> Call<Authority> {
    /// A copy of the call, by another authority.
    fn with<Other>(&self, authority: Other) -> Call<Other> {
        Call {
            ask: self.ask.clone(),
            meant: self.meant.clone(),
            context: self.context.clone(),
            call_id: self.call_id,
            authority,
            attempt: self.attempt,
            made_aside: self.made_aside.clone(),
            aside: self.aside,
            caller_gone: self.caller_gone.clone(),
            proven: self.proven.clone(),
        }
    }

    /// The same call, by another authority.
    fn by<Other>(self, authority: Other) -> Call<Other> {
        let Self {
            ask,
            meant,
            context,
            call_id,
            attempt,
            made_aside,
            aside,
            caller_gone,
            proven,
            ..
        } = self;
        Call {
            ask,
            meant,
            context,
            call_id,
            authority,
            attempt,
            made_aside,
            aside,
            caller_gone,
            proven,
        }
    }
}

/// The way down: what a call enters at the top.
pub type CallStack = Next<Call<Presented>>;
