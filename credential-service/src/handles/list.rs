//! Living handles: a caller's own, or for an operator whosever are asked for.

use hubkeep_core::id::{CallerName, ClientSlug};

use super::{Error, Handle, Handles, store};
use crate::record::Act;

/// Greater than every id: UUIDs have no letter beyond f.
pub(super) const BEFORE_ALL: &str = "g";

/// Some living handles.
#[derive(Clone, Debug)]
pub struct Page {
    /// The handles, newest first.
    pub handles: Vec<Handle>,
    /// So many more rows were altered, and say nothing any more.
    pub altered: u32,
    /// The last one looked at, if there may be more.
    pub more_after: Option<String>,
}

/// Which handles are asked for.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this portal; `None` for every portal.
    pub client_slug: Option<ClientSlug>,
    /// Of this caller, whatever its certificate; `None` for every caller.
    pub caller: Option<CallerName>,
    /// Those after this one.
    pub after: Option<String>,
    /// At most so many.
    pub size: usize,
}

impl Handles {
    /// Some of the caller's own living handles of a portal, newest first.
    ///
    /// # Errors
    /// As [`Handles::list`].
    pub async fn list_own(
        &self,
        act: &Act,
        client_slug: ClientSlug,
        after: Option<String>,
        size: usize,
    ) -> Result<Page, Error> {
        let caller = &act.context().caller;
        let listing = Listing {
            client_slug: Some(client_slug),
            caller: Some(caller.name.clone()),
            after,
            size,
        };
        let mut page = self.list(act, &listing).await?;
        let mut own = Vec::new();
        for handle in page.handles {
            // Of the same name with another certificate is another caller.
            if self.is_of(&handle, caller).await? {
                own.push(handle);
            }
        }
        page.handles = own;
        Ok(page)
    }

    /// Some living handles, newest first. Whether whoever asks may see them is for who calls this to say.
    ///
    /// # Errors
    /// If the database or the key fails. Rows that were altered are left out, and counted.
    pub async fn list(&self, act: &Act, listing: &Listing) -> Result<Page, Error> {
        let mut page = Page {
            handles: Vec::new(),
            altered: 0,
            more_after: None,
        };
        let portal = match &listing.client_slug {
            Some(client_slug) => {
                act.claims(client_slug);
                // Who has no handles of a portal is not told whether there is one.
                let Some(portal) = self.portals.named(client_slug).await? else {
                    return Ok(page);
                };
                Some(portal)
            }
            None => None,
        };
        let wanted = store::Wanted {
            portal_id: portal.as_ref().map(|portal| portal.portal_id),
            caller: listing.caller.as_ref(),
            now: self.time.now().await?,
            before: listing.after.clone().unwrap_or_else(|| BEFORE_ALL.to_owned()),
            limit: listing.size,
        };
        let rows = store::page(&self.database, &wanted).await?;
        let full = rows.len() == listing.size;
        if let Some(portal) = portal.filter(|_| !rows.is_empty()) {
            act.concerns(portal.proven());
        }
        for row in rows {
            let row_id = row.handle_id.clone();
            page.more_after = full.then(|| row_id.clone());
            let handle = match self.open(row).await {
                Ok(found) => found.handle,
                Err(error) if is_rows_own(&error) => {
                    tracing::error!(
                        handle_id = row_id,
                        "the row of this handle was altered: it is in no list"
                    );
                    page.altered = page.altered.saturating_add(1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if self.lives(&handle).await? {
                page.handles.push(handle);
            }
        }
        Ok(page)
    }

    /// Whether a handle that was not ended itself, and whose time is not over, lives: not one of an older generation, or
    /// whose ancestors ended, or that is granted no more.
    pub(super) async fn lives(&self, handle: &Handle) -> Result<bool, Error> {
        let Some(portal) = self.portals.find(handle.portal_id).await? else {
            return Ok(false);
        };
        Ok(handle.portal_generation == portal.portal_generation
            && !self.has_ended_ancestors(handle).await?
            && self.lapsed(handle, &portal).await?.is_none())
    }

    /// Whether a caller had a handle of late.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn knows(&self, caller: &CallerName) -> Result<bool, Error> {
        store::has_any_of(&self.database, caller).await
    }
}

/// Whether a row says nothing, for what it is itself: it was altered, or is of before what is needed was kept.
pub(super) fn is_rows_own(error: &Error) -> bool {
    match error {
        Error::Altered(_) | Error::Invalid { .. } => true,
        Error::Seal(error) => error.is_unreadable(),
        _ => false,
    }
}
