//! Makes a user's access token a handle of one portal: of the one that its resource names, or the only one that the user has
//! connected. None is ever chosen, and what was bound stays so.

use hubkeep_core::{
    clock::Timestamp,
    grpc::Caller,
    handle_token::HandleToken,
    id::{HandleId, PurposeCode},
};

use super::{OfUser, UserHandle};
use crate::{
    access::{Permitted, Scope},
    connections::Connection,
    handles::{Error, Handle, Handles, issue::under, store, store::users},
    portals::{self, Portal},
    record::Act,
};

/// Why such handles are there.
const PURPOSE: &str = "mcp";

impl Handles {
    /// Whether an access token is a handle of a portal already.
    pub(super) async fn is_bound(&self, handle_id: HandleId) -> Result<bool, Error> {
        Ok(store::by_id(&self.database, handle_id).await?.is_some())
    }

    /// Makes it one.
    pub(super) async fn bind(&self, act: &Act, token: &HandleToken, one: &UserHandle) -> Result<(), Error> {
        let slug = one.resource.client_slug();
        let connection = self.connections.only_of(&one.user.name, slug).await?;
        let portal = self.portals.find(connection.portal_id).await?;
        let portal = portal.ok_or_else(|| portals::Error::Unknown(connection.client_slug.clone()))?;
        act.concerns(portal.proven());
        portal.served()?;
        let tags = self.portals.tags_of(&portal).await?;
        let permitted = self
            .access
            .permit_reading(&one.user.name, &portal.client_slug, &tags)
            .await?;
        let handle = self.handle_of(one, &connection, portal, permitted).await?;
        let row = self.sealed_row(token, &handle).await?;
        let mut transaction = self.database.begin().await?;
        transaction
            .lock(&format!("user-handle/{}", one.handle_id))
            .await?;
        // Another replica may have bound it, or its session may have ended, since it was read.
        let bound = store::is_there(&mut transaction, one.handle_id).await?;
        let lives = users::lives(&mut transaction, one.handle_id).await?;
        if bound || !lives {
            return Ok(transaction.rollback().await?);
        }
        let (id, end) = (handle.handle_id, handle.expire_time);
        let joined = self
            .connections
            .bind(&mut transaction, connection.connection_id, id, end)
            .await?;
        if !joined {
            transaction.rollback().await?;
            return Err(crate::connections::Error::Required(slug.cloned()).into());
        }
        store::insert(&mut transaction, &row).await?;
        if handle.budget.is_limited() {
            store::budgets::insert(&mut transaction, id, handle.budget, end).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn handle_of(
        &self,
        one: &UserHandle,
        connection: &Connection,
        portal: Portal,
        (permitted, scope): (Permitted, Scope),
    ) -> Result<Handle, Error> {
        let now = self.time.now().await?;
        let purpose: PurposeCode = PURPOSE
            .parse()
            .map_err(|_| Error::Altered(one.handle_id.to_string()))?;
        Ok(Handle {
            handle_id: one.handle_id,
            ancestors: Vec::new(),
            portal_id: portal.portal_id,
            client_slug: portal.client_slug,
            portal_generation: portal.portal_generation,
            caller: Caller {
                name: one.user.name.clone(),
                thumbprint: None,
            },
            audience: self.config.audience.clone(),
            scope,
            budget: permitted.budget,
            budgeted: permitted
                .budget
                .is_limited()
                .then_some(one.handle_id)
                .into_iter()
                .collect(),
            purpose,
            // On whose behalf it is, for entries and for who is served first.
            end_user: one.user.name.as_str().parse().ok(),
            issue_time: one.issue_time,
            expire_time: ends(one, permitted.max_lifetime.map(|longest| now.plus(longest))),
            user: Some(OfUser {
                connection_id: connection.connection_id,
                resource: one.resource.clone(),
            }),
            under: under(permitted),
        })
    }
}

/// With the access token, or when the grant says.
fn ends(one: &UserHandle, granted: Option<Timestamp>) -> Timestamp {
    granted.map_or(one.expire_time, |granted| granted.min(one.expire_time))
}
