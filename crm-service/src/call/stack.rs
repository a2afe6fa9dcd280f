//! The way of every call to HubSpot, top to bottom. There is no second way.
//!
//! What follows compiles:
//!
//! ```
//! use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//!
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Without redeem it does not:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without authorize:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without minimize:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without once, which keeps a write from being made twice:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without confine:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without prove, which a write needs:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without spend:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor without the rate limit:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .end(dispatch)
//! }
//! ```
//!
//! Nor with two of them swapped, for example minimize and authorize:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Minimize)
//!         .step(Authorize)
//!         .step(once)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Or prove and spend, so that a refused write would cost:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Minimize)
//!         .step(once)
//!         .step(Confine)
//!         .step(Spend)
//!         .step(prove)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Or confine and minimize, so that a reply would show what confine asked for:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(Confine)
//!         .step(Minimize)
//!         .step(once)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! Or once and minimize, so that a result that was kept would show more than the permit covers:
//!
//! ```compile_fail,E0277
//! # use hubkeep_crm_service::call::{Authorize, Call, CallStack, Confine, Dispatch, Layers, Minimize, Presented, Prove};
//! # use hubkeep_crm_service::call::{Once, RateLimit, Redeem, Spend};
//! fn stack(redeem: Redeem, once: Once, prove: Prove, rate_limit: RateLimit, dispatch: Dispatch) -> CallStack {
//!     Layers::<Call<Presented>, _>::top()
//!         .step(redeem)
//!         .step(Authorize)
//!         .step(once)
//!         .step(Minimize)
//!         .step(Confine)
//!         .step(prove)
//!         .step(Spend)
//!         .step(rate_limit)
//!         .end(dispatch)
//! }
//! ```
//!
//! And nobody else makes what a step gives, a permit for example:
//!
//! ```compile_fail,E0451
//! # use std::sync::Arc;
//! # use hubkeep_crm_service::{call::Permit, credentials::Grant};
//! fn forged(grant: Arc<Grant>) -> Permit {
//!     Permit { grant }
//! }
//! ```

use hubkeep_audit_log::AuditLog;
use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use hubkeep_hubspot::Client;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Authorize, Call, CallStack, Coalesce, CoalesceConfig, Confine, Detach, Dispatch, Layers, Minimize,
    ObjectRefs, Once, Presented, Prove, RateLimit, RecordDenial, Redeem, Retry, Spend, StillSuppress,
    Suppress, Usage,
};
use crate::{credentials::Credentials, quota::Quota, suppression::Suppression, writes::Writes};

/// What the steps work with.
pub struct Tools {
    /// Where every call and refusal is recorded.
    pub log: AuditLog,
    /// What turns handles into grants.
    pub credentials: Credentials,
    /// What each portal may still do now.
    pub quota: Quota,
    /// What asks HubSpot for the calls of today.
    pub usage: Usage,
    /// How long reads wait for others like them.
    pub coalesce: CoalesceConfig,
    /// Who was erased, and is not created again.
    pub suppression: Suppression,
    /// What was written, and what came of it.
    pub writes: Writes,
    /// The door to HubSpot.
    pub hubspot: Client,
    /// What stands in entries for the ids of records.
    pub object_refs: ObjectRefs,
    /// Counts the calls that are under way.
    pub under_way: TaskTracker,
    /// Fires when nothing new may be sent: the service stops.
    pub stopping: CancellationToken,
    /// The time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
}

/// Puts the steps together.
pub fn build(tools: Tools) -> CallStack {
    let Tools {
        log,
        credentials,
        quota,
        usage,
        coalesce,
        suppression,
        writes,
        hubspot,
        object_refs,
        under_way,
        stopping,
        clock,
        random,
    } = tools;
    let once = Once::new(
        writes,
        (credentials.clone(), suppression.clone()),
        (log.clone(), object_refs.clone()),
        under_way.clone(),
        stopping.clone(),
        clock.clone(),
        random.clone(),
    );
    let prove = Prove::new(under_way.clone(), stopping.clone(), clock.clone(), random);
    let stack = Layers::<Call<Presented>, _>::top()
        // A caller who hangs up must not cut a call in half.
        .step(Detach::new(under_way))
        // What is refused from here on is on the log too.
        .step(RecordDenial::new(log, object_refs.clone()))
        // From a handle to a grant.
        .step(Redeem::new(credentials.clone()))
        // From a grant to a permit for this very call.
        .step(Authorize)
        // No more of the record than the permit covers, down and up.
        .step(Minimize)
        // A write that was made is not made again; what is refused below lets go of it.
        .step(once.clone())
        // No other records than the permit covers: searched for, read, made or changed.
        .step(Confine)
        // No write by a token that HubSpot has not said to be this portal's.
        .step(prove)
        // No contact that was erased comes back.
        .step(Suppress::new(suppression.clone()))
        // One call of the handle's budget, and the records it may touch.
        .step(Spend)
        // Reads that are alike are one from here on.
        .step(Coalesce::new(coalesce, quota.clone(), clock.clone()))
        // What failed in passing, once more, if it is a read or was certainly not carried out; each attempt pays below.
        .step(Retry::new(clock.clone(), stopping.clone()))
        // This portal's budget; and the grant once more, for it may have been revoked while the call waited.
        .step(RateLimit::new(quota, credentials, usage, stopping))
        // And the list of those who were erased, for the same reason.
        .step(StillSuppress::new(suppression))
        .end(Dispatch::new(hubspot, object_refs));
    once.is_part_of(&stack);
    stack
}
