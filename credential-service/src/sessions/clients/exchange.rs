//! Gives tokens: for a code, once, and for a refresh token.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hubkeep_audit_log::Cause;
use hubkeep_core::{
    handle_token::{OpaqueSecret, SecretKind},
    id::SessionId,
};

use super::{
    super::{
        Error, Session, Sessions,
        present::on_record,
        secrets::{Kept, NEW, USED},
        store::{self, secrets},
        verdict::Verdict,
    },
    ClientTokens, Given,
};
use crate::{
    handles::{New, Resource, UserWish},
    record::Act,
};

/// How often it is tried again where others refresh the same tokens.
const TRIES: u32 = 3;

/// What a client presents beside a code or a refresh token.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Who it says it is.
    pub client_id: String,
    /// Of a code: where it was sent, and the verifier of its challenge.
    pub proof: Option<(String, String)>,
    /// The resource, where the client names one.
    pub resource: Option<Resource>,
}

/// Tokens that are not stored yet.
struct NewTokens {
    access: New,
    refresh: OpaqueSecret,
    row: secrets::Row,
}

impl Sessions {
    /// Tokens for a code. Whoever presents a code that was used ends everything that it gave.
    ///
    /// # Errors
    /// If the code is unknown, over, used, or another client's, or was asked for with something else.
    pub async fn exchange(
        &self,
        act: &Act,
        code: &OpaqueSecret,
        presented: &Presented,
    ) -> Result<ClientTokens, Error> {
        on_record(act, self.exchanged(act, code, presented).await)
    }

    async fn exchanged(
        &self,
        act: &Act,
        code: &OpaqueSecret,
        presented: &Presented,
    ) -> Result<ClientTokens, Error> {
        let kept = self.kept(SecretKind::Code, code).await?;
        let kept = kept.ok_or(Error::Client(Cause::SessionUnknown))?;
        let found = self.found(&kept.session_id).await?;
        let session = found.session.clone();
        act.user(&session.user.name);
        act.subject(&session.session_id.to_string());
        if kept.state != NEW {
            let mut transaction = self.revocations.begin(act).await?;
            transaction
                .lock(&format!("session/{}", session.session_id))
                .await?;
            self.end_copied(transaction, &session).await?;
            return Err(Error::Client(Cause::UsedAgain));
        }
        if kept.expire_time <= self.clock.now() {
            return Err(Error::Client(Cause::SessionExpired));
        }
        let session = self.usable(act, found).map_err(Error::Client)?;
        let given = given(&session, presented)?;
        proven(given, presented.proof.as_ref())?;
        self.access.may_act(&session.user.name).await?;
        let new = self.new_tokens(&session, given, 1).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let id = session.session_id;
        transaction.lock(&format!("session/{id}")).await?;
        let unused = secrets::state(&mut transaction, &kept.mac).await? == NEW;
        if !unused || store::standing(&mut transaction, id).await? != Some(0) {
            self.end_copied(transaction, &session).await?;
            return Err(Error::Client(Cause::UsedAgain));
        }
        secrets::set_state(&mut transaction, &kept.mac, USED).await?;
        store::advance(&mut transaction, id, 1).await?;
        secrets::insert(&mut transaction, &new.row).await?;
        self.handles.put_of_user(&mut transaction, &new.access).await?;
        transaction.commit().await?;
        Ok(shown(new, given))
    }

    /// The next pair of tokens of a client.
    ///
    /// # Errors
    /// As [`Sessions::refresh`]; or if another client presents the refresh token, or for another resource.
    pub async fn refresh_tokens(
        &self,
        act: &Act,
        token: &OpaqueSecret,
        presented: &Presented,
    ) -> Result<ClientTokens, Error> {
        on_record(act, self.refreshed_tokens(act, token, presented).await)
    }

    async fn refreshed_tokens(
        &self,
        act: &Act,
        token: &OpaqueSecret,
        presented: &Presented,
    ) -> Result<ClientTokens, Error> {
        let kept = self.kept(SecretKind::Refresh, token).await?;
        let kept = kept.ok_or(Error::Client(Cause::SessionUnknown))?;
        for _ in 0..TRIES {
            if let Some(tokens) = self.next_tokens(act, &kept, presented).await? {
                return Ok(tokens);
            }
        }
        Err(Error::Contended)
    }

    /// One try; `None` if others refreshed the same tokens meanwhile.
    async fn next_tokens(
        &self,
        act: &Act,
        kept: &Kept,
        presented: &Presented,
    ) -> Result<Option<ClientTokens>, Error> {
        let found = self.found(&kept.session_id).await?;
        let session = self
            .refreshable(act, kept, found.clone())
            .map_err(Error::Client)?;
        let given = given(&session, presented)?;
        self.access.may_act(&session.user.name).await?;
        let next = found.sequence.saturating_add(1);
        let new = self.new_tokens(&session, given, next).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let Some(judged) = self.judged(&mut transaction, kept, &found).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        if judged.verdict == Verdict::Copied {
            self.end_copied(transaction, &session).await?;
            return Err(Error::Client(Cause::UsedAgain));
        }
        let seq = self.turn(&mut transaction, kept, &judged).await?;
        secrets::insert(&mut transaction, &new.row).await?;
        self.handles.put_of_user(&mut transaction, &new.access).await?;
        transaction.commit().await?;
        self.announce(seq);
        Ok(Some(shown(new, given)))
    }

    async fn new_tokens(&self, session: &Session, given: &Given, sequence: u64) -> Result<NewTokens, Error> {
        let id: SessionId = session.session_id;
        let wish = UserWish {
            user: session.user.clone(),
            session_id: id,
            sequence,
            client_id: given.client_id.clone(),
            resource: given.resource.clone(),
            scopes: given.scopes.clone(),
        };
        let access = self.handles.new_of_user(wish).await?;
        let (refresh, row) = self
            .new_secret(SecretKind::Refresh, id, sequence, session.expire_time)
            .await?;
        Ok(NewTokens { access, refresh, row })
    }
}

fn shown(new: NewTokens, given: &Given) -> ClientTokens {
    ClientTokens {
        access: new.access.token,
        refresh: new.refresh,
        lives_for: new.access.lives_for,
        scopes: given.scopes.clone(),
        resource: given.resource.clone(),
    }
}

/// What a session gave to this client, for this resource where one is named.
fn given<'a>(session: &'a Session, presented: &Presented) -> Result<&'a Given, Error> {
    let given = session.given.as_ref();
    let given = given.filter(|given| given.client_id == presented.client_id);
    let given = given.ok_or(Error::Client(Cause::SessionOfAnother))?;
    if presented
        .resource
        .as_ref()
        .is_some_and(|one| *one != given.resource)
    {
        return Err(Error::Resource);
    }
    Ok(given)
}

/// Whether a code comes from where it was sent, with the verifier of its challenge.
fn proven(given: &Given, proof: Option<&(String, String)>) -> Result<(), Error> {
    let holds = proof.is_some_and(|(redirect_uri, verifier)| {
        let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref());
        let same =
            constant_time::verify_slices_are_equal(challenge.as_bytes(), given.code_challenge.as_bytes());
        same.is_ok() && *redirect_uri == given.redirect_uri
    });
    holds.then_some(()).ok_or(Error::Client(Cause::CodeMismatch))
}
