//! Gives the next pair of tokens for a refresh token, of a browser's session or of a client's.

use hubkeep_audit_log::Cause;
use hubkeep_core::{
    database::Transaction,
    handle_token::{OpaqueSecret, SecretKind},
};

use super::{
    Error, Session, Sessions, Tokens,
    present::on_record,
    secrets::{Kept, SPENT, USED},
    session::Found,
    store::{self, secrets},
    verdict::{Shown, Verdict},
};
use crate::record::Act;

/// How often it is tried again where others refresh the same session.
const TRIES: u32 = 3;

/// A refresh token as a transaction sees it, with what becomes of it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// The newest pair until now.
    pub(super) newest: u64,
}

impl Sessions {
    /// The next pair of a browser's session.
    ///
    /// # Errors
    /// If the refresh token is unknown, over, or another service's; or if it was used before, and what it gave was used too:
    /// then the session ends.
    pub async fn refresh(&self, act: &Act, token: &OpaqueSecret) -> Result<(Session, Tokens), Error> {
        on_record(act, self.refreshed(act, token).await)
    }

    async fn refreshed(&self, act: &Act, token: &OpaqueSecret) -> Result<(Session, Tokens), Error> {
        let kept = self.kept(SecretKind::Refresh, token).await?;
        let kept = kept.ok_or(Error::Session(Cause::SessionUnknown))?;
        for _ in 0..TRIES {
            let found = self.found(&kept.session_id).await?;
            let session = self
                .refreshable(act, &kept, found.clone())
                .map_err(Error::Session)?;
            if session.given.is_some() {
                return Err(Error::Session(Cause::SessionOfAnother));
            }
            self.access.may_act(&session.user.name).await?;
            let next = found.sequence.saturating_add(1);
            let pair = self.new_pair(&session, next).await?;
            let mut transaction = self.revocations.begin(act).await?;
            let Some(judged) = self.judged(&mut transaction, &kept, &found).await? else {
                transaction.rollback().await?;
                continue;
            };
            if judged.verdict == Verdict::Copied {
                self.end_copied(transaction, &session).await?;
                return Err(Error::Session(Cause::UsedAgain));
            }
            self.turn(&mut transaction, &kept, &judged).await?;
            for row in &pair.rows {
                secrets::insert(&mut transaction, row).await?;
            }
            transaction.commit().await?;
            return Ok((session, pair.tokens));
        }
        Err(Error::Contended)
    }

    /// The session of a refresh token, if it may be refreshed. What it is about goes on record.
    pub(super) fn refreshable(&self, act: &Act, kept: &Kept, found: Found) -> Result<Session, Cause> {
        act.user(&found.session.user.name);
        act.subject(&found.session.session_id.to_string());
        if kept.expire_time <= self.clock.now() {
            return Err(Cause::SessionExpired);
        }
        self.usable(act, found)
    }

    /// What becomes of a refresh token. From here on nobody else refreshes the session. `None` if somebody has since it was read.
    pub(super) async fn judged(
        &self,
        transaction: &mut Transaction,
        kept: &Kept,
        found: &Found,
    ) -> Result<Option<Judged>, Error> {
        let id = found.session.session_id;
        transaction.lock(&format!("session/{id}")).await?;
        let now = store::standing(transaction, id).await?;
        if now != Some(found.sequence) {
            return Ok(None);
        }
        let newest = found.sequence;
        let state = secrets::state(transaction, &kept.mac).await?;
        let newest_used = secrets::is_used(transaction, id, newest).await?
            || self.handles.is_used_of_session(transaction, id, newest).await?;
        let shown = Shown {
            sequence: kept.sequence,
            state,
            newest,
            newest_used,
        };
        Ok(Some(Judged {
            verdict: shown.verdict(),
            newest,
        }))
    }

    /// Puts the next pair in the place of the one that was used, or of the one that never arrived. Gives the newest place on the
    /// feed, if a handle ended; else 0.
    pub(super) async fn turn(
        &self,
        transaction: &mut Transaction,
        kept: &Kept,
        judged: &Judged,
    ) -> Result<u64, Error> {
        let id = kept
            .session_id
            .parse()
            .map_err(|_| Error::Altered(kept.session_id.clone()))?;
        let mut seq = 0;
        match judged.verdict {
            Verdict::Again => {
                secrets::set_state(transaction, &kept.mac, SPENT).await?;
                secrets::give_up(transaction, id, judged.newest).await?;
                let newest = Some(judged.newest);
                seq = self.handles.end_of_session(transaction, id, newest).await?;
            }
            Verdict::Next | Verdict::Copied => secrets::set_state(transaction, &kept.mac, USED).await?,
        }
        store::advance(transaction, id, judged.newest.saturating_add(1)).await?;
        Ok(seq)
    }

    /// Ends a session of which somebody has a copy of a secret.
    pub(super) async fn end_copied(
        &self,
        mut transaction: Transaction,
        session: &Session,
    ) -> Result<(), Error> {
        let (_, seq) = self.end_in(&mut transaction, session.session_id).await?;
        transaction.commit().await?;
        self.announce(seq);
        tracing::warn!(session_id = %session.session_id, user = %session.user.name, "a secret was used again: its session is ended");
        metrics::counter!("hubkeep_session_secrets_used_again_total").increment(1);
        Ok(())
    }
}
