//! Ends sessions, and what clients were given.

use hubkeep_audit_log::Cause;
use hubkeep_core::{
    database::Transaction,
    id::{CallerName, SessionId},
};

use super::{Error, Sessions, present::on_record, session::BROWSER, store};
use crate::record::Act;

/// What is to end.
#[derive(Clone, Debug)]
pub enum Target {
    /// One session: of this user, where somebody asks in their own name.
    Session(SessionId, Option<CallerName>),
    /// Everything of a user.
    User(CallerName),
}

/// What has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions of browsers.
    pub sessions: u32,
    /// What clients were given.
    pub families: u32,
    /// The newest place on the feed, if handles ended; else 0.
    pub revocation_seq: u64,
}

impl Sessions {
    /// Ends a session, or everything of a user.
    ///
    /// # Errors
    /// If there is no such session of this user.
    pub async fn end(&self, act: &Act, target: &Target) -> Result<Ended, Error> {
        let ids = match target {
            Target::Session(id, user) => vec![on_record(act, self.one(*id, user.as_ref()).await)?],
            Target::User(user) => {
                act.user(user);
                store::living_of(&self.database, user, None).await?
            }
        };
        let ended = self.end_all(act, ids).await?;
        if let Target::User(user) = target {
            store::consents::remove_all(&self.database, user).await?;
        }
        Ok(ended)
    }

    async fn one(&self, id: SessionId, user: Option<&CallerName>) -> Result<(String, String), Error> {
        let unknown = Error::Session(Cause::SessionUnknown);
        let row = store::by_id(&self.database, &id.to_string())
            .await?
            .ok_or(unknown)?;
        if user.is_some_and(|user| user.as_str() != row.user_name) {
            return Err(Error::Session(Cause::SessionOfAnother));
        }
        Ok((row.session_id, row.kind))
    }

    /// Ends these sessions, with what kind they are.
    pub(super) async fn end_all(&self, act: &Act, ids: Vec<(String, String)>) -> Result<Ended, Error> {
        let mut ended = Ended::default();
        let mut transaction = self.revocations.begin(act).await?;
        for (id, kind) in ids {
            let id: SessionId = id.parse().map_err(|_| Error::Altered(id.clone()))?;
            act.subject(&id.to_string());
            let (did, seq) = self.end_in(&mut transaction, id).await?;
            let count = match kind == BROWSER {
                true => &mut ended.sessions,
                false => &mut ended.families,
            };
            *count = count.saturating_add(u32::from(did));
            ended.revocation_seq = ended.revocation_seq.max(seq);
        }
        transaction.commit().await?;
        self.announce(ended.revocation_seq);
        Ok(ended)
    }

    /// Ends one as part of a transaction, with its handles. Says whether it lived, and the newest place on the feed.
    pub(super) async fn end_in(
        &self,
        transaction: &mut Transaction,
        id: SessionId,
    ) -> Result<(bool, u64), Error> {
        transaction.lock(&format!("session/{id}")).await?;
        let did = store::end(transaction, id, self.clock.now()).await?;
        let seq = self.handles.end_of_session(transaction, id, None).await?;
        Ok((did, seq))
    }

    /// Says what has been committed.
    pub(super) fn announce(&self, seq: u64) {
        if seq > 0 {
            self.revocations.announce(seq);
        }
    }
}
