//! The sessions of browsers that live.

use hubkeep_core::id::CallerName;

use super::{Error, Session, Sessions, store};

/// Greater than every id: UUIDs have no letter beyond f.
const BEFORE_ALL: &str = "g";

/// Which sessions are wanted.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Whose; `None` for everybody's.
    pub user: Option<CallerName>,
    /// Those after this one.
    pub after: Option<String>,
    /// At most so many.
    pub size: usize,
}

/// Some sessions.
#[derive(Clone, Debug)]
pub struct Page {
    /// The sessions, newest first.
    pub sessions: Vec<Session>,
    /// The last one looked at, if there may be more.
    pub more_after: Option<String>,
}

impl Sessions {
    /// Some sessions that live, newest first. Rows that were altered are left out, and the log names them.
    ///
    /// # Errors
    /// If the database or the key fails.
    pub async fn list(&self, listing: &Listing) -> Result<Page, Error> {
        let before = listing.after.as_deref().unwrap_or(BEFORE_ALL);
        let oldest = self.clock.now().minus(self.config.max_lifetime);
        let wanted = store::Wanted {
            user: listing.user.as_ref(),
            opened_after: oldest,
            before,
            limit: listing.size,
        };
        let rows = store::page(&self.database, &wanted).await?;
        let full = rows.len() == listing.size;
        let mut page = Page {
            sessions: Vec::new(),
            more_after: None,
        };
        for row in rows {
            let id = row.session_id.clone();
            page.more_after = full.then(|| id.clone());
            match self.open_row(row).await {
                Ok(found) => page.sessions.push(found.session),
                Err(Error::Altered(_)) => tracing::error!(id, "the row of this session was altered"),
                Err(Error::Seal(error)) if error.is_unreadable() => {
                    tracing::error!(%error, id, "the row of this session was altered");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }
}
