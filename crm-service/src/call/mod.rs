//! The life of one HubSpot call. [`stack`] reads top to bottom; each step is one file.
//!
//! A [`Call`] changes its type on the way down, and each type is made by one step only:
//!
//! `Call<Presented>` → redeem → `Call<Redeemed>` → authorize → `Call<Permit>` → minimize → `Call<Minimal>` →
//! rate limit → [`Admitted`] → dispatch.
//!
//! A stack that leaves one of these steps out, or swaps two, does not compile; [`stack`] shows it.

mod authorize;
mod detach;
mod dispatch;
mod error;
mod minimize;
mod object_ref;
mod rate_limit;
mod record_denial;
mod redeem;
mod reply;
mod retry;
pub mod stack;
mod step;
mod unread;
mod usage;

use std::sync::{Arc, OnceLock};

pub use authorize::{Authorize, Permit};
pub use detach::Detach;
pub use dispatch::Dispatch;
pub use error::{Cause, Error};
use hubkeep_core::{
    grpc::Context,
    handle_token::{HandleToken, MalformedHandle},
    id::{CallId, ClientSlug},
};
pub use minimize::{Minimal, Minimize};
pub use object_ref::ObjectRefs;
pub use rate_limit::{Admitted, RateLimit};
pub use record_denial::RecordDenial;
pub use redeem::{Redeem, Redeemed};
pub use reply::Reply;
pub use retry::Retry;
pub use step::{End, Layers, Next, Step};
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
    /// The portal that the request names.
    pub client_slug: ClientSlug,
    /// Who asks, and until when.
    pub context: Arc<Context>,
    /// Ties together all entries of the call.
    pub call_id: CallId,
    /// By what authority.
    pub authority: Authority,
    /// Which attempt this is, from 1.
    attempt: u32,
    /// Fires when nobody waits for the reply any more.
    caller_gone: CancellationToken,
    /// The grant, as soon as there is one: for the record of a refusal further down.
    proven: Arc<OnceLock<Arc<Grant>>>,
}

impl Call<Presented> {
    /// A call as it came in.
    pub fn new(
        ask: Ask,
        client_slug: ClientSlug,
        context: Arc<Context>,
        call_id: CallId,
        handle: Presented,
    ) -> Self {
        Self {
            ask,
            client_slug,
            context,
            call_id,
            authority: handle,
            attempt: 1,
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
            client_slug: self.client_slug.clone(),
            context: self.context.clone(),
            call_id: self.call_id,
            authority,
            attempt: self.attempt,
            caller_gone: self.caller_gone.clone(),
            proven: self.proven.clone(),
        }
    }

    /// The same call, by another authority.
    fn by<Other>(self, authority: Other) -> Call<Other> {
        let Self {
            ask,
            client_slug,
            context,
            call_id,
            attempt,
            caller_gone,
            proven,
            ..
        } = self;
        Call {
            ask,
            client_slug,
            context,
            call_id,
            authority,
            attempt,
            caller_gone,
            proven,
        }
    }
}

/// The way down: what a call enters at the top.
pub type CallStack = Next<Call<Presented>>;
