//! Makes access tokens for users' clients, and ends those of a session.

use std::time::Duration;

use hubkeep_core::{
    database::Transaction,
    handle_token::HandleToken,
    id::{HandleId, SessionId},
};

use super::{Resource, UserHandle, claims};
use crate::{
    access::User,
    handles::{Error, Handles, store, store::users},
    revocations::Scope,
};

/// The longest life, whatever is configured for other handles.
const LONGEST: Duration = Duration::from_secs(900);

/// What a client's next access token shall be.
#[derive(Clone, Debug)]
pub struct UserWish {
    /// Whose.
    pub user: User,
    /// The session that it comes of.
    pub session_id: SessionId,
    /// Which of its tokens it is.
    pub sequence: u64,
    /// The client.
    pub client_id: String,
    /// Where it may be presented.
    pub resource: Resource,
    /// What the client asked for.
    pub scopes: Vec<String>,
}

/// A new access token that is not stored yet. Its secret is shown this once.
#[derive(Debug)]
pub struct New {
    /// The access token.
    pub token: HandleToken,
    /// How long it lives.
    pub lives_for: Duration,
    row: users::Row,
}

impl Handles {
    /// A new access token of a user's client. No transaction may be open: it may make the key.
    ///
    /// # Errors
    /// If the key cannot be used or made.
    pub async fn new_of_user(&self, wish: UserWish) -> Result<New, Error> {
        let token = HandleToken::make(&*self.random)?;
        let secret_mac = self.mac(&token).await?;
        let issue_time = self.time.now().await?;
        let lives_for = LONGEST.min(self.config.max_lifetime);
        let handle = UserHandle {
            handle_id: HandleId::make(&*self.clock, &*self.random)?,
            user: wish.user,
            session_id: wish.session_id,
            sequence: wish.sequence,
            client_id: wish.client_id,
            resource: wish.resource,
            scopes: wish.scopes,
            issue_time,
            expire_time: issue_time.plus(lives_for),
        };
        let handle_id = handle.handle_id.to_string();
        let bytes = claims::encode(&handle, &secret_mac)?;
        let sealed = self.keyring.seal(&claims::place(&handle_id), &bytes).await?;
        let row = users::Row {
            handle_id,
            secret_mac: secret_mac.to_vec(),
            session_id: handle.session_id.to_string(),
            sequence: i64::try_from(handle.sequence).unwrap_or(i64::MAX),
            expire_time: handle.expire_time.as_micros(),
            used_time: 0,
            end_time: 0,
            claims: sealed,
        };
        Ok(New {
            token,
            lives_for,
            row,
        })
    }

    /// Stores a new access token, as part of a transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn put_of_user(&self, transaction: &mut Transaction, new: &New) -> Result<(), Error> {
        users::sweep(
            transaction,
            self.clock.now().minus(super::super::issue::KEPT_AFTER_END),
        )
        .await?;
        users::insert(transaction, &new.row).await?;
        metrics::counter!("hubkeep_user_handles_issued_total").increment(1);
        Ok(())
    }

    /// Whether the access token of this number was ever used, as a transaction sees it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_used_of_session(
        &self,
        transaction: &mut Transaction,
        session_id: SessionId,
        sequence: u64,
    ) -> Result<bool, Error> {
        users::is_used(transaction, session_id, sequence).await
    }

    /// Ends every access token of a session, or the one of a number, as part of a transaction. Gives the newest place on the
    /// feed, to be [announced](crate::revocations::Revocations::announce) after the commit; 0 if there was none.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn end_of_session(
        &self,
        transaction: &mut Transaction,
        session_id: SessionId,
        sequence: Option<u64>,
    ) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut newest = 0;
        for text in users::living_of(transaction, session_id, sequence, now).await? {
            let handle_id: HandleId = text.parse().map_err(|_| Error::Altered(text.clone()))?;
            // Bound at the same time, it is there by now, to be ended, or finds that it has been.
            transaction.lock(&format!("user-handle/{handle_id}")).await?;
            newest = self
                .revocations
                .append(transaction, Scope::Handle(handle_id))
                .await?;
            users::end(transaction, handle_id, now).await?;
            store::revoke(transaction, handle_id, newest).await?;
        }
        Ok(newest)
    }
}
