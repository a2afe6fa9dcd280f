//! Who may read what: whoever has the role "auditor" everything, anyone else what a handle opens.

use futures::{
    FutureExt as _,
    future::{self, BoxFuture},
};
use hubkeep_core::{
    clock::Tick, error::ServiceError, grpc::Context, handle_token::HandleToken, id::PortalId,
};

use crate::{ObjectRef, ProvenPortal};

/// What a handle lets its caller read, and until when.
#[derive(Clone, Debug)]
pub struct ReadGrant {
    /// The portal whose log may be read.
    pub portal: ProvenPortal,
    /// When the handle's time is over.
    pub until: Tick,
}

/// Decides what a handle opens. Each service asks credential-service, or itself.
pub trait ReadAuthority: Send + Sync + 'static {
    /// The grant of a handle that allows READ_AUDIT on the portal of this slug, for the caller in the context.
    ///
    /// # Errors
    /// HANDLE_INVALID, PORTAL_MISMATCH, OPERATION_NOT_ALLOWED, or what kept the authority from knowing.
    fn by_handle<'a>(
        &'a self,
        context: &'a Context,
        handle: HandleToken,
        client_slug: &'a str,
    ) -> BoxFuture<'a, Result<ReadGrant, Box<dyn ServiceError>>>;

    /// What entries of this portal call a record; `None` where a service keeps no entries about records.
    ///
    /// # Errors
    /// If type or id are none, or the portal's key cannot be used.
    fn object_ref<'a>(
        &'a self,
        portal: PortalId,
        object_type: &'a str,
        object_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<ObjectRef>, Box<dyn ServiceError>>> {
        let _ = (portal, object_type, object_id);
        future::ready(Ok(None)).boxed()
    }
}
