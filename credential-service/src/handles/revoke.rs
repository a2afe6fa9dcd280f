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
use crate::{record::Act, revocations::Scope};

/// Which handle.
#[derive(Debug)]
pub enum Target {
    /// This one.
    Token(HandleToken),
    /// The one with this public id: the caller's own, or anybody's if the caller is an operator.
    Id(HandleId),
}

impl Handles {
    /// Ends a handle, and says where its revocation stands on the feed. Ending it again changes nothing and says the
    /// same.
    ///
    /// # Errors
    /// If there is no such handle, or it is not the caller's to end.
    pub async fn revoke(&self, act: &Act, target: Target) -> Result<u64, Error> {
        let found = on_record(act, self.target(act, target).await)?;
        let handle = &found.handle;
        act.concerns(ProvenPortal::by_redeemed_handle(
            handle.portal_id,
            handle.client_slug.clone(),
        ));
        act.handle(handle.handle_id);
        act.purpose(&handle.purpose);
        match found.revocation_seq {
            Some(seq) => Ok(seq),
            None => self.end(handle.handle_id).await,
        }
    }

    /// Deletes every handle of a portal, as part of the transaction that erases it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_of(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
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
        let seq = self
            .revocations
            .append(&mut transaction, Scope::Handle(handle_id))
            .await?;
        if !store::revoke(&mut transaction, handle_id, seq).await? {
            // Somebody was quicker. Theirs stands, and this place on the feed is given back.
            transaction.rollback().await?;
            let found = self.by_id(handle_id).await?;
            return found
                .revocation_seq
                .ok_or_else(|| Error::Altered(handle_id.to_string()));
        }
        transaction.commit().await?;
        self.revocations.announce(seq);
        Ok(seq)
    }
}
