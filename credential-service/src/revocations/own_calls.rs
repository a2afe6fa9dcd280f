//! This service's own calls to HubSpot. Whoever redeems handles may use the few places of a portal's limit that are kept for
//! them, and is told on the feed before they are needed.

use hubkeep_core::{clock::Tick, id::PortalId};

use super::{Error, Reach, Revocations, Scope};

impl Revocations {
    /// Says that HubSpot is about to be called for a portal, and waits until everybody who could be lent places has heard it, or
    /// trusts what it knows no more; or until `until`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn tell_of_own_calls(&self, portal: PortalId, until: Tick) -> Result<Reach, Error> {
        let mut transaction = self.database.begin().await?;
        let seq = self.append(&mut transaction, Scope::OwnCalls(portal)).await?;
        transaction.commit().await?;
        self.announce(seq);
        self.reach(seq, until).await
    }
}
