//! Which connections there are, which one serves, and the token behind it.

use std::time::Duration;

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    id::{CallerName, ClientSlug, ConnectionId, PortalId},
    secret::{PortalToken, TokenFingerprint},
};

use super::{Connection, Connections, Error, store};
use crate::{access_tokens::Live, record::Act};

/// Greater than every id: UUIDs have no letter beyond f.
const BEFORE_ALL: &str = "g";

/// Which connections are wanted.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Whose; `None` for everybody's.
    pub user: Option<CallerName>,
    /// Of this portal.
    pub portal_id: Option<PortalId>,
    /// Those that were ended too.
    pub with_ended: bool,
    /// Those after this one.
    pub after: Option<String>,
    /// At most so many.
    pub size: usize,
}

/// Some connections.
#[derive(Clone, Debug)]
pub struct Page {
    /// The connections, newest first.
    pub connections: Vec<Connection>,
    /// The last one looked at, if there may be more.
    pub more_after: Option<String>,
}

impl Connections {
    /// The connection with this id.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is none.
    pub async fn by_id(&self, connection_id: ConnectionId) -> Result<Connection, Error> {
        let row = store::by_id(&self.database, connection_id).await?;
        self.open(row.ok_or(Error::Unknown)?).await
    }

    /// The same, if it is this user's: others are told that there is none.
    ///
    /// # Errors
    /// [`Error::Unknown`] if it is not.
    pub async fn of_user(&self, connection_id: ConnectionId, user: &CallerName) -> Result<Connection, Error> {
        let connection = self.by_id(connection_id).await?;
        if connection.user == *user {
            return Ok(connection);
        }
        Err(Error::Unknown)
    }

    /// Some connections, newest first. Rows that were altered are left out, and the log names them.
    ///
    /// # Errors
    /// If the database or a key fails.
    pub async fn list(&self, listing: &Listing) -> Result<Page, Error> {
        let wanted = store::Wanted {
            user: listing.user.as_ref(),
            portal_id: listing.portal_id,
            with_ended: listing.with_ended,
            before: listing.after.as_deref().unwrap_or(BEFORE_ALL),
            limit: listing.size,
        };
        let rows = store::page(&self.database, &wanted).await?;
        let full = rows.len() == listing.size;
        let mut page = Page {
            connections: Vec::new(),
            more_after: None,
        };
        for row in rows {
            let id = row.connection_id.clone();
            page.more_after = full.then(|| id.clone());
            match self.open(row).await {
                Ok(connection) => page.connections.push(connection),
                Err(Error::Altered(_)) => tracing::error!(id, "the row of this connection was altered"),
                Err(Error::Seal(error)) if error.is_unreadable() => {
                    tracing::error!(%error, id, "the row of this connection was altered");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }

    /// The connections of a user that serve, as far as they are of a portal, where one is named.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn live_of(
        &self,
        user: &CallerName,
        client_slug: Option<&ClientSlug>,
    ) -> Result<Vec<Connection>, Error> {
        let mut found = Vec::new();
        for row in store::live_of(&self.database, user, None).await? {
            if client_slug.is_none_or(|slug| slug.as_str() == row.client_slug) {
                found.push(self.open(row).await?);
            }
        }
        Ok(found)
    }

    /// The one connection that serves: of the portal that is named, or the only one that there is. None is ever chosen.
    ///
    /// # Errors
    /// [`Error::Required`] if there is none, [`Error::Ambiguous`] if there are several.
    pub async fn only_of(
        &self,
        user: &CallerName,
        client_slug: Option<&ClientSlug>,
    ) -> Result<Connection, Error> {
        let mut found = self.live_of(user, client_slug).await?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(Error::Required(client_slug.cloned())),
            (Some(last), false) => {
                found.push(last);
                let mut slugs: Vec<_> = found.into_iter().map(|one| one.client_slug).collect();
                slugs.sort();
                Err(Error::Ambiguous(slugs))
            }
        }
    }

    /// What calls are made with for a connection now, and for how long. Something else than HubSpot is said to have `refused`,
    /// where there may be.
    ///
    /// # Errors
    /// If HubSpot gives no access token.
    pub async fn token_to_call_with(
        &self,
        act: &Act,
        connection: &Connection,
        refused: Option<&TokenFingerprint>,
    ) -> Result<(PortalToken, Duration), Error> {
        let draft = act.draft(Operation::AccessTokenRefresh);
        let place = connection.in_vault();
        let live = self
            .access_tokens
            .obtain(&draft, &place, refused, act.context().deadline);
        let Live { token, time_left } = live.await?;
        Ok((token, time_left))
    }
}
