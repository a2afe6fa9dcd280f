//! Gives a code: the user of a session has consented that a client reads for them.

use std::time::Duration;

use hubkeep_core::{
    handle_token::{OpaqueSecret, SecretKind},
    id::SessionId,
};

use super::{
    super::{
        Error, Session, Sessions,
        store::{self, secrets},
    },
    Given,
};
use crate::record::Act;

/// How long a code lives.
const CODE_LIVES: Duration = Duration::from_secs(60);

/// What a user has consented to.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What the client is to be given.
    pub given: Given,
    /// How the client calls itself.
    pub client_name: String,
}

impl Sessions {
    /// A code for the client, good once. The consent is remembered.
    ///
    /// # Errors
    /// If the database or the key fails.
    pub async fn authorize(
        &self,
        act: &Act,
        asks: &Session,
        asked: Asked,
    ) -> Result<(OpaqueSecret, Duration), Error> {
        let now = self.clock.now();
        let consent = self
            .consent_row(&asks.user, &asked.given, &asked.client_name, now)
            .await?;
        let session = Session {
            session_id: SessionId::make(&*self.clock, &*self.random)?,
            open_time: now,
            expire_time: now.plus(self.config.max_lifetime),
            given: Some(asked.given),
            ..asks.clone()
        };
        act.subject(&session.session_id.to_string());
        let row = self.sealed_row(&session).await?;
        let ends = now.plus(CODE_LIVES);
        let (code, secret) = self
            .new_secret(SecretKind::Code, session.session_id, 0, ends)
            .await?;
        let mut transaction = self.revocations.begin(act).await?;
        store::sweep(&mut transaction, now).await?;
        store::consents::put(&mut transaction, &consent).await?;
        store::insert(&mut transaction, &row, 0).await?;
        secrets::insert(&mut transaction, &secret).await?;
        transaction.commit().await?;
        Ok((code, CODE_LIVES))
    }
}
