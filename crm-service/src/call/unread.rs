//! Refuses a request beside the stack, because its message cannot be read or it got no turn, as any other call is refused: the handle
//! is judged first, so that who has none learns nothing of the rules, and the refusal is on record.

use std::sync::{Arc, OnceLock};

use hubkeep_audit_log::{AuditLog, Operation as Recorded};
use hubkeep_core::{grpc::Context, id::CallId};

use super::{
    Error, ObjectRefs, Presented,
    record_denial::{RecordDenial, Refused, recorded_as},
};
use crate::{
    credentials::{self, Credentials},
    crm::{self, Ask, ObjectType},
};

/// What refuses requests beside the stack.
#[derive(Clone, Debug)]
pub struct Unread {
    denials: RecordDenial,
    credentials: Credentials,
}

impl Unread {
    /// Handles are redeemed here; refusals go to this log.
    pub const fn new(log: AuditLog, object_refs: ObjectRefs, credentials: Credentials) -> Self {
        Self {
            denials: RecordDenial::new(log, object_refs),
            credentials,
        }
    }

    /// The refusal: of the handle, or else of the message. When this returns, it is on record.
    pub async fn refuse(
        &self,
        operation: Recorded,
        context: &Arc<Context>,
        call_id: CallId,
        handle: Presented,
        fault: crm::Error,
    ) -> Error {
        let what = (operation, None);
        self.refuse_for(what, context, call_id, handle, fault.into())
            .await
    }

    /// The same of what was asked and could be read, for this reason.
    pub async fn refuse_ask(
        &self,
        ask: &Ask,
        context: &Arc<Context>,
        call_id: CallId,
        handle: Presented,
        reason: Error,
    ) -> Error {
        let what = (recorded_as(ask), Some(ask.object_type()));
        self.refuse_for(what, context, call_id, handle, reason).await
    }

    async fn refuse_for(
        &self,
        (operation, object_type): (Recorded, Option<ObjectType>),
        context: &Arc<Context>,
        call_id: CallId,
        handle: Presented,
        reason: Error,
    ) -> Error {
        let proven = OnceLock::new();
        let error = match self.redeem(context, call_id, handle).await {
            Ok(grant) => {
                // Empty until now: this cannot fail.
                let _ = proven.set(grant);
                reason
            }
            Err(error) => Error::from(error),
        };
        let refused = Refused::beside((operation, object_type), context.clone(), call_id, proven);
        self.denials.record(refused, &error).await;
        error
    }

    async fn redeem(
        &self,
        context: &Arc<Context>,
        call_id: CallId,
        handle: Presented,
    ) -> Result<Arc<credentials::Grant>, credentials::Error> {
        let handle = handle?;
        self.credentials
            .redeem(&handle, &context.caller, call_id, context.deadline)
            .await
    }
}
