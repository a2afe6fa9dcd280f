//! Ends what a client was given.

use hubkeep_audit_log::Cause;
use hubkeep_core::{
    handle_token::{HandleToken, OpaqueSecret, SecretKind},
    id::CallerName,
};

use super::super::{
    Ended, Error, Sessions,
    present::on_record,
    session::CLIENT,
    store::{self, consents},
};
use crate::record::Act;

/// A token of a client.
#[derive(Debug)]
pub enum ClientToken {
    /// An access token.
    Access(HandleToken),
    /// A refresh token.
    Refresh(OpaqueSecret),
}

impl Sessions {
    /// Ends everything that came of the same code as a token. A token that is none is as good as ended.
    ///
    /// # Errors
    /// If it is another client's.
    pub async fn revoke_token(
        &self,
        act: &Act,
        token: &ClientToken,
        client_id: &str,
    ) -> Result<Ended, Error> {
        on_record(act, self.revoked(act, token, client_id).await)
    }

    async fn revoked(&self, act: &Act, token: &ClientToken, client_id: &str) -> Result<Ended, Error> {
        let session_id = match token {
            ClientToken::Refresh(secret) => {
                let kept = self.kept(SecretKind::Refresh, secret).await?;
                kept.map(|kept| kept.session_id)
            }
            ClientToken::Access(token) => {
                let handle = self.handles.session_of_user(token).await?;
                handle.map(|handle| handle.session_id.to_string())
            }
        };
        let Some(session_id) = session_id else {
            return Ok(Ended::default());
        };
        let session = self.found(&session_id).await?.session;
        act.user(&session.user.name);
        if session
            .given
            .as_ref()
            .is_none_or(|given| given.client_id != client_id)
        {
            return Err(Error::Client(Cause::SessionOfAnother));
        }
        self.end_all(act, vec![(session_id, CLIENT.to_owned())]).await
    }

    /// Forgets that a user has consented to a client, and ends every token of it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn revoke_authorization(
        &self,
        act: &Act,
        user: &CallerName,
        client_id: &str,
    ) -> Result<Ended, Error> {
        act.user(user);
        let ids = store::living_of(&self.database, user, Some(client_id)).await?;
        let ended = self.end_all(act, ids).await?;
        consents::remove(&self.database, user, client_id).await?;
        Ok(ended)
    }
}
