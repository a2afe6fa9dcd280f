//! Who may read this service's audit log by a handle: whoever holds one that allows READ_AUDIT, for its own portal.

use futures::future::BoxFuture;
use hubkeep_audit_log::{ReadAuthority, ReadGrant};
use hubkeep_core::{
    clock::SharedClock, error::ServiceError, grpc::Context, handle_token::HandleToken, id::CallId,
    random::SharedRandom,
};

use crate::{
    call::{Cause, Error},
    credentials::Credentials,
    crm::Operation,
};

/// Asks credential-service what a handle opens.
#[derive(Debug)]
pub struct HandleAuthority {
    credentials: Credentials,
    clock: SharedClock,
    random: SharedRandom,
}

impl HandleAuthority {
    /// Handles are redeemed here.
    pub const fn new(credentials: Credentials, clock: SharedClock, random: SharedRandom) -> Self {
        Self {
            credentials,
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
}
