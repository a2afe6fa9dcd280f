//! Opens a session for whoever an ID token is about.

use std::time::Duration;

use hubkeep_core::{
    handle_token::{OpaqueSecret, SecretKind},
    id::SessionId,
};

use super::{
    Error, Session, Sessions, SignIn,
    store::{self, secrets},
};
use crate::record::Act;

/// The secrets of a session. Shown this once.
#[derive(Debug)]
pub struct Tokens {
    /// Shows whose a request is.
    pub session: OpaqueSecret,
    /// Gets the next pair.
    pub refresh: OpaqueSecret,
    /// How long the first lives.
    pub lives_for: Duration,
}

/// A pair that is not stored yet.
#[derive(Debug)]
pub(super) struct NewPair {
    pub(super) tokens: Tokens,
    pub(super) rows: [secrets::Row; 2],
}

impl Sessions {
    /// Opens a session for whoever this ID token is about, to be used by the service that asks.
    ///
    /// # Errors
    /// If anything about the ID token does not hold, or the user, or its person, is contained.
    pub async fn open(&self, act: &Act, id_token: &str, nonce: &str) -> Result<(Session, Tokens), Error> {
        let verified = self.verifier.verify(id_token, nonce).await.inspect_err(|error| {
            tracing::info!(%error, "nobody was signed in");
            metrics::counter!("hubkeep_sign_ins_refused_total").increment(1);
        })?;
        let user = self.access.user(verified.account, verified.email).await?;
        act.user(&user.name);
        self.access.may_act(&user.name).await?;
        let open_time = self.clock.now();
        let session = Session {
            session_id: SessionId::make(&*self.clock, &*self.random)?,
            user,
            sign_in: SignIn {
                auth_time: verified.auth_time,
                acr: verified.acr,
                amr: verified.amr,
                issue_time: verified.issue_time,
            },
            opened_by: act.context().caller.name.clone(),
            open_time,
            expire_time: open_time.plus(self.config.max_lifetime),
            given: None,
        };
        act.subject(&session.session_id.to_string());
        let row = self.sealed_row(&session).await?;
        let pair = self.new_pair(&session, 1).await?;
        let mut transaction = self.revocations.begin(act).await?;
        store::sweep(&mut transaction, open_time).await?;
        store::insert(&mut transaction, &row, 1).await?;
        for row in &pair.rows {
            secrets::insert(&mut transaction, row).await?;
        }
        transaction.commit().await?;
        metrics::counter!("hubkeep_sessions_opened_total").increment(1);
        Ok((session, pair.tokens))
    }

    /// The pair of this number of a browser's session.
    pub(super) async fn new_pair(&self, session: &Session, sequence: u64) -> Result<NewPair, Error> {
        let now = self.clock.now();
        let id = session.session_id;
        let ends = now.plus(self.config.lifetime).min(session.expire_time);
        let (shown, first) = self.new_secret(SecretKind::Session, id, sequence, ends).await?;
        let (refresh, second) = self
            .new_secret(SecretKind::Refresh, id, sequence, session.expire_time)
            .await?;
        Ok(NewPair {
            tokens: Tokens {
                session: shown,
                refresh,
                lives_for: ends.since(now),
            },
            rows: [first, second],
        })
    }
}
