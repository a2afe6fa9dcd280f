//! Says that calls of this service's own come, to whoever may be lent their places.

use hubkeep_core::{clock::Tick, database::Database, id::PortalId};

use super::{Error, store};
use crate::revocations::Revocations;

/// Who is told.
#[derive(Clone, Debug)]
pub(super) struct OwnCalls {
    pub(super) database: Database,
    pub(super) revocations: Revocations,
}

impl OwnCalls {
    /// Waits until everybody has heard it, or until `until`: `false` then. `None`, and nobody is told, of a portal that is only
    /// about to be onboarded: nobody has a handle of it, so that nothing of it is lent.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn tell(&self, portal: PortalId, until: Tick) -> Result<Option<bool>, Error> {
        if !store::is_there(&self.database, portal).await? {
            return Ok(None);
        }
        let reach = self.revocations.tell_of_own_calls(portal, until).await?;
        Ok(Some(reach.waiting == 0))
    }
}
