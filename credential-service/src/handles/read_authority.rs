//! Lets a handle open what is kept of its portal: the audit log, if it allows READ_AUDIT, or what reports are made from, if
//! it allows REPORT.

use futures::future::{BoxFuture, FutureExt as _};
use hubkeep_audit_log::{ProvenPortal, ReadAuthority, ReadGrant};
use hubkeep_core::{
    error::ServiceError,
    grpc::{Caller, Context},
    handle_token::HandleToken,
    id::ClientSlug,
};

use super::{Error, Handles, Living};
use crate::access::Operation;

/// What a handle may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The audit log.
    Audit,
    /// What reports are made from.
    Report,
}

impl Reading {
    const fn operation(self) -> Operation {
        match self {
            Self::Audit => Operation::ReadAudit,
            Self::Report => Operation::Report,
        }
    }

    /// The operation's word on the wire.
    const fn name(self) -> &'static str {
        match self {
            Self::Audit => "READ_AUDIT",
            Self::Report => "REPORT",
        }
    }
}

impl Handles {
    /// The portal of a handle, if it lives, is this presenter's, is for the portal that is named, and allows to read this.
    ///
    /// # Errors
    /// With the first of these that does not hold, or if nobody can say so now.
    pub async fn open_to(
        &self,
        presenter: &Caller,
        token: &HandleToken,
        client_slug: &str,
        reading: Reading,
    ) -> Result<ReadGrant, Error> {
        let Living {
            handle, time_left, ..
        } = self.judge(token, presenter).await?;
        let handle_id = handle.handle_id;
        if handle.client_slug.as_str() != client_slug {
            return Err(match client_slug.parse::<ClientSlug>() {
                Ok(requested) => Error::PortalMismatch { handle_id, requested },
                Err(_) => Error::ReadNotAllowed(handle_id, reading.name()),
            });
        }
        if !handle.scope.allows(reading.operation()) {
            return Err(Error::ReadNotAllowed(handle_id, reading.name()));
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
            let granted = self.open_to(&context.caller, &handle, client_slug, Reading::Audit);
            let granted = granted.await;
            granted.map_err(|error| Box::new(error) as Box<dyn ServiceError>)
        }
        .boxed()
    }
}
