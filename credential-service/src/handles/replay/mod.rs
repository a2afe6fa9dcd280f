//! Handles that were issued, held against grants as they would be. Changes nothing.

mod rows;

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use hubkeep_core::{
    clock::Timestamp,
    id::{GrantId, PortalId},
};

use super::{Error, Handle, Handles, store};
use crate::access::{Asked, Past, Proposed, Replayed};

/// Rows read at once.
const PAGE: usize = 1_000;

impl Handles {
    /// Which of the handles issued within this time, 24 h at most, would not have been, had the grants been others. People
    /// and tags are those of now.
    ///
    /// # Errors
    /// If a grant would be gone that is not there, be for a person that there is not, or anything cannot be read.
    pub async fn replay(&self, proposed: Proposed, since: Duration) -> Result<Replayed, Error> {
        let mut replay = self.access.replay(proposed).await?;
        let from = self.time.now().await?.minus(since);
        let mut tags: HashMap<PortalId, Vec<String>> = HashMap::new();
        let mut pages = Pages::of_those_that_end_after(from);
        while let Some(handles) = pages.next(self).await? {
            let asked = handles.iter().filter(|handle| handle.ancestors.is_empty());
            for handle in asked.filter(|handle| handle.issue_time >= from) {
                let tags = match tags.entry(handle.portal_id) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => unknown.insert(self.tags_of(handle).await?),
                };
                replay.add(&past(handle, tags));
            }
        }
        Ok(replay.end())
    }

    /// How many handles that were issued under a grant have neither ended nor been revoked.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn living_under(&self, grant_id: &GrantId) -> Result<u32, Error> {
        let count = store::count_of_grant(&self.database, grant_id, self.time.now().await?).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// The tags of the portal that a handle is for, as of now.
    async fn tags_of(&self, handle: &Handle) -> Result<Vec<String>, Error> {
        Ok(self.portals.tags(&handle.client_slug).await?)
    }
}

/// Every handle that ends after a moment, some at a time. One whose row was altered hides no other.
struct Pages {
    ends_after: Timestamp,
    after: Option<String>,
}

impl Pages {
    const fn of_those_that_end_after(ends_after: Timestamp) -> Self {
        Self {
            ends_after,
            after: Some(String::new()),
        }
    }

    async fn next(&mut self, handles: &Handles) -> Result<Option<Vec<Handle>>, Error> {
        let Some(after) = self.after.take() else {
            return Ok(None);
        };
        let rows = rows::page(&handles.database, self.ends_after, &after, PAGE).await?;
        self.after = rows
            .last()
            .filter(|_| rows.len() == PAGE)
            .map(|row| row.handle_id.clone());
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            match handles.open(row).await {
                Ok(one) => found.push(one.handle),
                Err(error @ (Error::Altered(_) | Error::Seal(_))) => {
                    tracing::warn!(%error, "a handle cannot be looked at");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(found))
    }
}

fn past<'a>(handle: &'a Handle, tags: &'a [String]) -> Past<'a> {
    Past {
        asked: Asked {
            caller: &handle.caller.name,
            client_slug: &handle.client_slug,
            tags,
            scope: &handle.scope,
            lifetime: Some(handle.expire_time.since(handle.issue_time)),
            budget: handle.budget,
        },
        grant_id: Some(&handle.under.grant_id),
        issue_time: handle.issue_time,
    }
}
