//! Says what is known of a portal's client; and where that takes tags away, ends the handles that were granted by them.

use hubkeep_core::id::ClientSlug;

use super::{Error, Fleet};
use crate::{
    portals::{Details, Portal},
    record::Act,
};

impl Fleet {
    /// Replaces what is known of a portal's client.
    ///
    /// # Errors
    /// If there is no such portal, it was erased, or somebody else writes it at the same moment; or if handles could not be
    /// ended: they give no token any more then, but may be served from memory for a minute.
    pub async fn describe(
        &self,
        act: &Act,
        client_slug: &ClientSlug,
        details: &Details,
    ) -> Result<Portal, Error> {
        let had = self.portals.tags(client_slug).await?;
        let portal = self.portals.describe(act, client_slug, details).await?;
        self.handles
            .revoke_unselected(&portal, &had, &details.tags)
            .await?;
        Ok(portal)
    }
}
