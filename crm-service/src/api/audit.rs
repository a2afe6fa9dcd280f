//! Who may read this service's audit log by a handle: whoever holds one that allows READ_AUDIT, for its own portal.

use futures::future::BoxFuture;
use hubkeep_audit_log::{ObjectRef, ReadAuthority, ReadGrant};
use hubkeep_core::{
    clock::SharedClock,
    error::ServiceError,
    grpc::Context,
    handle_token::HandleToken,
    id::{CallId, PortalId},
    random::SharedRandom,
};

use crate::{
    call::{Cause, Error, ObjectRefs},
    credentials::Credentials,
    crm::{Faults, ObjectType, Operation, RecordId},
};

/// Asks credential-service what a handle opens.
#[derive(Debug)]
pub struct HandleAuthority {
    credentials: Credentials,
    object_refs: ObjectRefs,
    clock: SharedClock,
    random: SharedRandom,
}

impl HandleAuthority {
    /// Handles are redeemed here, and records known by these references.
    pub const fn new(
        credentials: Credentials,
        object_refs: ObjectRefs,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        Self {
            credentials,
            object_refs,
            clock,
            random,
        }
    }

    async fn opened(
        &self,
        context: &Context,
        handle: &HandleToken,
        client_slug: &str,
    ) -> Result<ReadGrant, Error> {
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let grant = self
            .credentials
            .redeem(handle, &context.caller, call_id, context.deadline)
            .await?;
        let shortfall = if grant.portal().client_slug().as_str() != client_slug {
            Some(Cause::Portal {
                requested: client_slug.chars().take(64).collect(),
                expected: None,
            })
        } else if !grant.allows_operation(Operation::ReadAudit) {
            Some(Cause::Operation {
                operation: Operation::ReadAudit.name(),
                object_type: String::new(),
            })
        } else {
            None
        };
        match shortfall {
            Some(cause) => Err(Error::NotPermitted(cause)),
            None => Ok(ReadGrant {
                portal: grant.portal().clone(),
                until: grant.ends(),
            }),
        }
    }

    async fn reference(
        &self,
        portal: PortalId,
        object_type: &str,
        object_id: &str,
    ) -> Result<ObjectRef, Error> {
        let mut faults = Faults::default();
        let object_type = faults.keep("filter.object_type", ObjectType::read(object_type));
        let id = faults.keep("filter.object_id", RecordId::read(object_id));
        let (object_type, id) = faults.resolve(object_type.zip(id))?;
        let of = self.object_refs.of_many(portal, &object_type).await?;
        Ok(ObjectRef(of(id.as_str())))
    }
}

impl ReadAuthority for HandleAuthority {
    fn by_handle<'a>(
        &'a self,
        context: &'a Context,
        handle: HandleToken,
        client_slug: &'a str,
    ) -> BoxFuture<'a, Result<ReadGrant, Box<dyn ServiceError>>> {
        Box::pin(async move {
            let opened = self.opened(context, &handle, client_slug).await;
            opened.map_err(|error| Box::new(error) as Box<dyn ServiceError>)
        })
    }

    fn object_ref<'a>(
        &'a self,
        portal: PortalId,
        object_type: &'a str,
        object_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<ObjectRef>, Box<dyn ServiceError>>> {
        Box::pin(async move {
            let made = self.reference(portal, object_type, object_id).await;
            made.map(Some)
                .map_err(|error| Box::new(error) as Box<dyn ServiceError>)
        })
    }
}
