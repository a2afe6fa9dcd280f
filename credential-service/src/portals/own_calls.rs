//! This service's own calls, as others are concerned: they are told to whoever may be lent their places, and counted together
//! with those of its other replicas.

use std::time::Duration;

use hubkeep_core::{
    clock::{Tick, Timestamp},
    database::Database,
    id::{CallId, PortalId},
};

use super::{Error, store};
use crate::revocations::Revocations;

/// Who is told.
#[derive(Clone, Debug)]
pub(super) struct OwnCalls {
    pub(super) database: Database,
    pub(super) revocations: Revocations,
    /// Tells this process from other replicas.
    pub(super) replica: CallId,
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

    /// Counts a call about an app that is made now, where all replicas together have a place for it. Otherwise it says how long there
    /// is none, and nothing is counted.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn count(
        &self,
        app: (PortalId, u64),
        now: Timestamp,
    ) -> Result<Option<Duration>, Error> {
        match self.database.is_shared() {
            true => Ok(store::own_call::count(&self.database, &self.replica.to_string(), app, now).await?),
            // There is no other process.
            false => Ok(None),
        }
    }
}
