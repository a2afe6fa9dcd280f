//! Ends handles before their time.

use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    database::Transaction,
    handle_token::HandleToken,
    id::{HandleId, PortalId},
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
    /// The one with this public id: the caller's own, or anybody's if the caller is an operator.
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
    /// # Errors
    /// If there is no such handle, or it is not the caller's to end.
    pub async fn revoke(&self, act: &Act, target: Target, reach: Reach) -> Result<u64, Error> {
        let found = on_record(act, self.target(act, target).await)?;
        let handle = &found.handle;
        act.concerns(ProvenPortal::by_redeemed_handle(
            handle.portal_id,
            handle.client_slug.clone(),
        ));
        act.handle(handle.handle_id);
        act.purpose(&handle.purpose);
        match (reach, found.revocation_seq) {
            (Reach::Family, _) if handle.root() != handle.handle_id => self.end(handle.root()).await,
            (_, Some(seq)) => Ok(seq),
            (_, None) => self.end(handle.handle_id).await,
        }
    }

    /// Ends the whole family of a handle, whosever it is: for operators who contain it.
    ///
    /// # Errors
    /// If there is no such handle, or the database fails.
    pub async fn revoke_family(&self, act: &Act, handle_id: HandleId) -> Result<u64, Error> {
        self.revoke(act, Target::Id(handle_id), Reach::Family).await
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
                last = self.end_in(&mut transaction, handle_id).await?.or(last);
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
        store::reservations::delete_of(transaction, portal_id).await?;
        store::delete_of(transaction, portal_id).await
    }

    async fn target(&self, act: &Act, target: Target) -> Result<Found, Error> {
        let caller = &act.context().caller;
        let handle_id = match target {
            // Whoever finds a leaked handle must be able to end it.
            Target::Token(token) if caller.name.is_operator() => return self.by_token(&token).await,
            Target::Token(token) => return self.present(&token, caller).await,
            Target::Id(handle_id) => handle_id,
        };
        let found = self.by_id(handle_id).await?;
        if found.handle.caller == *caller || caller.name.is_operator() {
            return Ok(found);
        }
        Err(Error::Invalid {
            cause: Cause::HandleOfAnotherCaller,
            handle_id: Some(handle_id),
            portal: None,
        })
    }

    /// The row and the feed change together, and the feed is told when both are there to stay.
    async fn end(&self, handle_id: HandleId) -> Result<u64, Error> {
        let mut transaction = self.database.begin().await?;
        let Some(seq) = self.end_in(&mut transaction, handle_id).await? else {
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
    async fn end_in(&self, transaction: &mut Transaction, handle_id: HandleId) -> Result<Option<u64>, Error> {
        let seq = self
            .revocations
            .append(transaction, Scope::Handle(handle_id))
            .await?;
        store::reservations::void(transaction, handle_id, seq).await?;
        Ok(store::revoke(transaction, handle_id, seq).await?.then_some(seq))
    }
}
