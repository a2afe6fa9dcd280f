//! Lets a handle that allows READ_AUDIT open the audit log of its portal.

use futures::future::{BoxFuture, FutureExt as _};
use hubkeep_audit_log::{ProvenPortal, ReadAuthority, ReadGrant};
use hubkeep_core::{error::ServiceError, grpc::Context, handle_token::HandleToken, id::ClientSlug};

use super::{Error, Handles, Living};
use crate::access::Operation;

impl Handles {
    async fn may_read(
        &self,
        context: &Context,
        token: &HandleToken,
        client_slug: &str,
    ) -> Result<ReadGrant, Error> {
        let Living {
            handle, time_left, ..
        } = self.judge(token, &context.caller).await?;
        let handle_id = handle.handle_id;
        if handle.client_slug.as_str() != client_slug {
            return Err(match client_slug.parse::<ClientSlug>() {
                Ok(requested) => Error::PortalMismatch { handle_id, requested },
                Err(_) => Error::AuditNotAllowed(handle_id),
            });
        }
        if !handle.scope.allows(Operation::ReadAudit) {
            return Err(Error::AuditNotAllowed(handle_id));
        }
        let portal = ProvenPortal::by_redeemed_handle(handle.portal_id, handle.client_slug);
        Ok(ReadGrant {
            portal,
            until: self.clock.tick().plus(time_left),
        })
    }
}

impl ReadAuthority for Handles {
    fn by_handle<'a>(
        &'a self,
        context: &'a Context,
        handle: HandleToken,
        client_slug: &'a str,
    ) -> BoxFuture<'a, Result<ReadGrant, Box<dyn ServiceError>>> {
        async move {
            let granted = self.may_read(context, &handle, client_slug).await;
            granted.map_err(|error| Box::new(error) as Box<dyn ServiceError>)
        }
        .boxed()
    }
}
