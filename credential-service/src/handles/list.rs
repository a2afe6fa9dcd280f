//! The caller's own living handles.

use hubkeep_core::{
    grpc::Caller,
    id::{ClientSlug, HandleId},
};

use super::{Error, Handle, Handles, store};
use crate::{portals::Portal, record::Act};

/// Greater than every id: UUIDs have no letter beyond f.
const BEFORE_ALL: &str = "g";

/// Some of a caller's handles.
#[derive(Clone, Debug)]
pub struct Page {
    /// The handles, newest first.
    pub handles: Vec<Handle>,
    /// The last one looked at, if there may be more.
    pub more_after: Option<HandleId>,
}

impl Handles {
    /// At most `size` living handles of this caller and portal, newest first, that come after `after`.
    ///
    /// # Errors
    /// If a row was altered.
    pub async fn list(
        &self,
        act: &Act,
        client_slug: &ClientSlug,
        after: Option<HandleId>,
        size: usize,
    ) -> Result<Page, Error> {
        act.claims(client_slug);
        let mut page = Page {
            handles: Vec::new(),
            more_after: None,
        };
        // Who has no handles of a portal is not told whether there is one.
        let Some(portal) = self.portals.named(client_slug).await? else {
            return Ok(page);
        };
        let caller = &act.context().caller;
        let before = after.map_or_else(|| BEFORE_ALL.to_owned(), |id| id.to_string());
        let now = self.time.now().await?;
        let rows = store::page(&self.database, portal.portal_id, &caller.name, now, &before, size).await?;
        let full = rows.len() == size;
        if !rows.is_empty() {
            act.concerns(portal.proven());
        }
        for row in rows {
            let handle = self.open(row).await?.handle;
            page.more_after = full.then_some(handle.handle_id);
            if self.lives(&handle, caller, &portal).await? {
                page.handles.push(handle);
            }
        }
        Ok(page)
    }

    /// Whether a handle that was not ended itself, and whose time is not over, is this caller's and lives. Of the same
    /// name with another certificate is another caller; of an older generation is dead.
    async fn lives(&self, handle: &Handle, caller: &Caller, portal: &Portal) -> Result<bool, Error> {
        let own = handle.caller == *caller || self.has_succeeded(&handle.caller, caller).await?;
        Ok(own
            && handle.portal_generation == portal.portal_generation
            && !self.has_ended_ancestors(handle).await?
            && self.lapsed(handle, portal).await?.is_none())
    }
}
