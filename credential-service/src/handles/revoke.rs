//! Ends handles before their time.

use std::collections::BTreeSet;

use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    database::Transaction,
    grpc::FLEET,
    handle_token::HandleToken,
    id::{ConnectionId, HandleId, PortalId},
};

use super::{
    Error, Handles,
    judge::{Found, on_record},
    store,
};
use crate::{portals::Portal, record::Act, revocations::Scope};

/// Which handle.
#[derive(Debug)]
pub enum Target {
    /// This one.
    Token(HandleToken),
    /// The one with this public id: the caller's own, or anybody's if the caller has the role FLEET.
    Id(HandleId),
}

/// How much of a family ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The handle, and what was narrowed from it.
    Children,
    /// The handle from which it was narrowed in the beginning, and everything that was narrowed from that.
    Family,
}

impl Handles {
    /// Ends a handle with what was narrowed from it, and says where its revocation stands on the feed. Ending it again
    /// changes nothing and says the same.
    ///
    /// Of a handle whose row is gone, since it ended long ago, whoever looks after the fleet ends what was reserved by it:
    /// reservations may outlive it.
    ///
    /// # Errors
    /// If there is no such handle, nor anything reserved by it, or it is not the caller's to end.
    pub async fn revoke(&self, act: &Act, target: Target, reach: Reach) -> Result<u64, Error> {
        let anybodys = act.context().has_role(FLEET);
        self.revoke_by(act, target, reach, anybodys).await
    }

    async fn revoke_by(&self, act: &Act, target: Target, reach: Reach, anybodys: bool) -> Result<u64, Error> {
        let id = match target {
            Target::Id(handle_id) => Some(handle_id),
            Target::Token(_) => None,
        };
        let found = self.target(act, target, anybodys).await;
        if let Some(handle_id) = id.filter(|_| anybodys)
            && is_gone(&found)
        {
            return self.end_gone(act, handle_id, reach).await;
        }
        let found = on_record(act, found)?;
        let handle = &found.handle;
        act.concerns(ProvenPortal::by_redeemed_handle(
            handle.portal_id,
            handle.client_slug.clone(),
        ));
        act.handle(handle.handle_id);
        act.purpose(&handle.purpose);
        match (reach, found.revocation_seq) {
            (Reach::Family, _) if handle.root() != handle.handle_id => {
                self.end(handle.portal_id, handle.root()).await
            }
            (_, Some(seq)) => Ok(seq),
            (_, None) => self.end(handle.portal_id, handle.handle_id).await,
        }
    }

    /// Ends the whole family of a handle, whosever it is: for operators who contain it.
    ///
    /// # Errors
    /// If there is no such handle, or the database fails.
    pub async fn revoke_family(&self, act: &Act, handle_id: HandleId) -> Result<u64, Error> {
        self.revoke_by(act, Target::Id(handle_id), Reach::Family, true)
            .await
    }

    /// Ends the living handles that were given for a connection; it serves new ones.
    ///
    /// # Errors
    /// If there is no such connection, or the database fails.
    pub async fn revoke_of_connection(&self, act: &Act, connection_id: ConnectionId) -> Result<u64, Error> {
        let connection = self.connections.by_id(connection_id).await?;
        let (portal_id, slug) = (connection.portal_id, connection.client_slug);
        act.concerns(ProvenPortal::by_vault_row(portal_id, slug));
        act.user(&connection.user);
        let mut transaction = self.revocations.begin(act).await?;
        let mut last = self.revocations.newest_in(&mut transaction).await?;
        for handle_id in self
            .connections
            .handles_of(&mut transaction, connection_id)
            .await?
        {
            let ended = self.end_in(&mut transaction, portal_id, handle_id).await?;
            last = ended.unwrap_or(last);
        }
        transaction.commit().await?;
        self.revocations.announce(last);
        Ok(last)
    }

    /// Ends the living handles of a portal that were issued under grants which selected it by tags that it has no more.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn revoke_unselected(
        &self,
        portal: &Portal,
        had: &[String],
        has: &[String],
    ) -> Result<(), Error> {
        let slug = &portal.client_slug;
        let grants = self.access.no_longer_selecting(slug, had, has).await?;
        let now = self.time.now().await?;
        let mut transaction = self.database.begin().await?;
        let mut last = None;
        for granted in &grants {
            let (portal_id, grant_id) = (portal.portal_id, &granted.grant.grant_id);
            for text in store::of_grant_and_portal(&mut transaction, portal_id, grant_id, now).await? {
                let handle_id = text.parse().map_err(|_| Error::Altered(text.clone()))?;
                last = self
                    .end_in(&mut transaction, portal_id, handle_id)
                    .await?
                    .or(last);
            }
        }
        transaction.commit().await?;
        if let Some(seq) = last {
            self.revocations.announce(seq);
        }
        Ok(())
    }

    /// Deletes every handle of a portal, as part of the transaction that erases it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_of(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
        self.connections.remove_of(transaction, portal_id).await?;
        store::reservations::delete_of(transaction, portal_id).await?;
        store::delete_of(transaction, portal_id).await
    }

    async fn target(&self, act: &Act, target: Target, anybodys: bool) -> Result<Found, Error> {
        let caller = &act.context().caller;
        let handle_id = match target {
            // Whoever finds a leaked handle must be able to end it.
            Target::Token(token) if anybodys => return self.by_token(&token).await,
            Target::Token(token) => return self.present(&token, caller).await,
            Target::Id(handle_id) => handle_id,
        };
        let found = self.by_id(handle_id).await?;
        if anybodys || self.is_of(&found.handle, caller).await? {
            return Ok(found);
        }
        Err(Error::Invalid {
            cause: Cause::HandleOfAnotherCaller,
            handle_id: Some(handle_id),
            portal: None,
        })
    }

    /// Voids what was reserved by a handle whose row is gone, and says so on the feed. Its family is known by what was reserved.
    async fn end_gone(&self, act: &Act, handle_id: HandleId, reach: Reach) -> Result<u64, Error> {
        act.handle(handle_id);
        let mut transaction = self.database.begin().await?;
        let reserved = store::reservations::unused_of(&mut transaction, handle_id).await?;
        let ended = reserved.iter().filter_map(|one| one.void_seq).max();
        if reserved.iter().all(|one| one.void_seq.is_some()) {
            transaction.rollback().await?;
            let unknown = || on_record(act, Err(unknown(handle_id)));
            return ended.map_or_else(unknown, |seq| Ok(u64::try_from(seq).unwrap_or(0)));
        }
        let mut ids = BTreeSet::from([handle_id]);
        if reach == Reach::Family {
            let lineages = reserved.iter().flat_map(|one| one.lineage.split('/'));
            ids.extend(lineages.filter_map(|id| id.parse::<HandleId>().ok()));
        }
        let mut last = 0;
        for id in ids {
            last = self
                .revocations
                .append(&mut transaction, Scope::Handle(id))
                .await?;
            let portals: BTreeSet<i64> = reserved.iter().map(|one| one.portal_id).collect();
            for portal in portals.into_iter().filter_map(PortalId::from_i64) {
                store::reservations::lock(&mut transaction, portal).await?;
            }
            store::reservations::void(&mut transaction, id, last).await?;
        }
        transaction.commit().await?;
        self.revocations.announce(last);
        act.subject("the handle is gone: what was reserved by it is void");
        tracing::info!(%handle_id, "the handle's row is gone: what was reserved by it is void");
        Ok(last)
    }

    /// The row and the feed change together, and the feed is told when both are there to stay.
    async fn end(&self, portal_id: PortalId, handle_id: HandleId) -> Result<u64, Error> {
        let mut transaction = self.database.begin().await?;
        let Some(seq) = self.end_in(&mut transaction, portal_id, handle_id).await? else {
            // Somebody was quicker. Theirs stands, and this place on the feed is given back.
            transaction.rollback().await?;
            let found = self.by_id(handle_id).await?;
            return found
                .revocation_seq
                .ok_or_else(|| Error::Altered(handle_id.to_string()));
        };
        transaction.commit().await?;
        self.revocations.announce(seq);
        Ok(seq)
    }

    /// Ends a handle as part of a transaction, and voids what was reserved by it. `None` if it had ended before: then the
    /// place on the feed that was taken need not be kept.
    async fn end_in(
        &self,
        transaction: &mut Transaction,
        portal_id: PortalId,
        handle_id: HandleId,
    ) -> Result<Option<u64>, Error> {
        let seq = self
            .revocations
            .append(transaction, Scope::Handle(handle_id))
            .await?;
        // What is being reserved by it is there by now, to be voided, or finds it ended.
        store::reservations::lock(transaction, portal_id).await?;
        store::reservations::void(transaction, handle_id, seq).await?;
        Ok(store::revoke(transaction, handle_id, seq).await?.then_some(seq))
    }
}

/// Whether there is no row of a handle.
const fn is_gone(found: &Result<Found, Error>) -> bool {
    matches!(
        found,
        Err(Error::Invalid {
            cause: Cause::HandleUnknown,
            ..
        })
    )
}

const fn unknown(handle_id: HandleId) -> Error {
    Error::Invalid {
        cause: Cause::HandleUnknown,
        handle_id: Some(handle_id),
        portal: None,
    }
}
