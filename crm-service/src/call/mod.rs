//! The life of one HubSpot call. [`stack`] reads top to bottom; each step is one file.
//!
//! A [`Call`] changes its type on the way down, and each type is made by one step only:
//!
//! `Call<Presented>` → redeem → `Call<Redeemed>` → authorize → `Call<Permit>` → minimize → `Call<Minimal>` → once →
//! `Call<Held>` → confine → `Call<Confined>` → prove → `Call<Proven>` → spend → `Call<Counted>` → coalesce, retry → rate limit →
//! [`Admitted`] → dispatch.
//!
//! A stack that leaves one of these steps out, or swaps two, does not compile; [`stack`] shows it.

mod about;
mod aside;
mod authorize;
mod cause;
mod coalesce;
mod confine;
mod detach;
mod dispatch;
mod error;
mod minimize;
mod object_ref;
mod once;
mod payload;
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
pub use coalesce::{Coalesce, Config as CoalesceConfig};
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
pub use once::{Held, Once};
pub use prove::{Prove, Proven};
pub use rate_limit::{Admitted, RateLimit};
pub use record_denial::RecordDenial;
pub use redeem::{Redeem, Redeemed};
pub use reply::Reply;
pub use retry::Retry;
pub use spend::{Counted, Spend};
pub use step::{Answering, End, Layers, Next, Step, WeakNext};
pub use suppress::{StillSuppress, Suppress};
use tokio_util::sync::CancellationToken;
pub use unread::Unread;
pub use usage::Usage;

use self::{coalesce::Company, spend::Paid};
use crate::{credentials::Grant, crm::Ask, pairs::Turn, writes::Repeatable};

/// A handle as it was sent, whole or not.
pub type Presented = Result<HandleToken, MalformedHandle>;

/// A turn that lasts as long as a call, also where its caller has hung up.
pub type Keeps = Arc<Turn>;

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
    /// The handle as it was sent, for work that outlasts it.
    handle: Option<HandleToken>,
    /// What a reservation gave, where there is no handle.
    reserved: Option<Arc<Grant>>,
    /// What makes it a write that may be asked for again.
    again: Option<Arc<Repeatable>>,
    /// Whether only what is kept is wanted, and nothing is to be sent.
    only_kept: bool,
    /// Which attempt this is, from 1.
    attempt: u32,
    /// How many attempts steps have made for themselves, for this call, however often it was redeemed.
    made_aside: Arc<AtomicU32>,
    /// What of the handle's budget it has paid already.
    paid: Paid,
    /// Whether it is asked by a step on the way, for the call that is on it, and not by the caller.
    aside: bool,
    /// Fires when nobody waits for the reply any more.
    caller_gone: CancellationToken,
    /// The grant, as soon as there is one: for the record of a refusal further down.
    proven: Arc<OnceLock<Arc<Grant>>>,
    /// The calls that it is made for, where it is made for several.
    company: Option<Arc<Company>>,
    /// The turn that must last until it has ended.
    keeps: Option<Keeps>,
}

impl Call<Presented> {
    /// A call as it came in.
    pub fn new(ask: Ask, meant: Meant, context: Arc<Context>, call_id: CallId, handle: Presented) -> Self {
        Self {
            ask,
            meant,
            context,
            call_id,
            handle: handle.as_ref().ok().cloned(),
            authority: handle,
            reserved: None,
            again: None,
            only_kept: false,
            attempt: 1,
            made_aside: Arc::default(),
            paid: Paid::default(),
            aside: false,
            caller_gone: CancellationToken::new(),
            proven: Arc::default(),
            company: None,
            keeps: None,
        }
    }

    /// The same, which keeps something until it has ended.
    #[must_use]
    pub fn keeping(mut self, keeps: Option<Keeps>) -> Self {
        self.keeps = keeps;
        self
    }

    /// A call that was reserved, by the grant that the reservation gave.
    fn reserved(ask: Ask, meant: Meant, context: Arc<Context>, call_id: CallId, grant: Arc<Grant>) -> Self {
        let mut call = Self::new(ask, meant, context, call_id, Err(MalformedHandle));
        call.reserved = Some(grant);
        call
    }

    /// The same, as a write that may be asked for again.
    #[must_use]
    pub fn repeatable(mut self, again: Option<Arc<Repeatable>>) -> Self {
        self.again = again;
        self
    }

    /// The same, where only the result of an earlier request is wanted: without one it ends with [`Error::NothingKept`].
    #[must_use]
    pub fn only_kept(mut self) -> Self {
        self.only_kept = true;
        self
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
            handle: self.handle.clone(),
            reserved: self.reserved.clone(),
            again: self.again.clone(),
            only_kept: self.only_kept,
            attempt: self.attempt,
            made_aside: self.made_aside.clone(),
            paid: self.paid.clone(),
            aside: self.aside,
            caller_gone: self.caller_gone.clone(),
            proven: self.proven.clone(),
            company: self.company.clone(),
            keeps: self.keeps.clone(),
        }
    }

    /// The same call, by another authority.
    fn by<Other>(self, authority: Other) -> Call<Other> {
        let Self {
            ask,
            meant,
            context,
            call_id,
            handle,
            reserved,
            again,
            only_kept,
            attempt,
            made_aside,
            paid,
            aside,
            caller_gone,
            proven,
            company,
            keeps,
            ..
        } = self;
        Call {
            ask,
            meant,
            context,
            call_id,
            authority,
            handle,
            reserved,
            again,
            only_kept,
            attempt,
            made_aside,
            paid,
            aside,
            caller_gone,
            proven,
            company,
            keeps,
        }
    }
}

impl Call<Counted> {
    /// Fires when it may not be made any more: its handle was revoked, or one of those that it is made for.
    fn right(&self) -> &CancellationToken {
        match &self.company {
            Some(company) => &company.revoked,
            None => self.authority.grant().taken_away(),
        }
    }

    /// Fires when it is made for several, and none of them waits any more. Never for one alone: that is recorded to its end.
    fn unwanted(&self) -> CancellationToken {
        match &self.company {
            Some(company) => company.unwanted.clone(),
            None => CancellationToken::new(),
        }
    }

    /// The other calls that it is made for.
    fn others(&self) -> impl Iterator<Item = &Self> {
        self.company.iter().flat_map(|company| company.others())
    }
}

/// The way down: what a call enters at the top.
pub type CallStack = Next<Call<Presented>>;
