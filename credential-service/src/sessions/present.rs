//! Says whose a session token is.

use hubkeep_audit_log::Cause;
use hubkeep_core::handle_token::{OpaqueSecret, SecretKind};

use super::{
    Error, Session, Sessions,
    secrets::{NEW, SPENT},
    session::Found,
    store::secrets,
};
use crate::record::Act;

impl Sessions {
    /// The session whose token this is, if it lives, for the service that opened it.
    ///
    /// # Errors
    /// If it is unknown, over, ended, or another service's; or the user is contained.
    pub async fn present(&self, act: &Act, token: &OpaqueSecret) -> Result<Session, Error> {
        let session = on_record(act, self.presented(act, token).await)?;
        act.user(&session.user.name);
        act.subject(&session.session_id.to_string());
        Ok(session)
    }

    async fn presented(&self, act: &Act, token: &OpaqueSecret) -> Result<Session, Error> {
        let kept = self.kept(SecretKind::Session, token).await?;
        let kept = kept.ok_or(Error::Session(Cause::SessionUnknown))?;
        let found = self.found(&kept.session_id).await?;
        act.user(&found.session.user.name);
        let now = self.clock.now();
        if kept.state == SPENT {
            return Err(Error::Session(Cause::SessionEnded));
        }
        if kept.expire_time <= now {
            return Err(Error::Session(Cause::SessionExpired));
        }
        let session = self.usable(act, found).map_err(Error::Session)?;
        if kept.state == NEW {
            secrets::note_use(&self.database, &kept.mac).await?;
        }
        self.access.may_act(&session.user.name).await?;
        Ok(session)
    }

    /// The session, if it was not ended, its time is not over, and it is this service's.
    pub(super) fn usable(&self, act: &Act, found: Found) -> Result<Session, Cause> {
        if found.ended {
            return Err(Cause::SessionEnded);
        }
        if found.session.expire_time <= self.clock.now() {
            return Err(Cause::SessionExpired);
        }
        if found.session.opened_by != act.context().caller.name {
            return Err(Cause::SessionOfAnother);
        }
        Ok(found.session)
    }
}

/// Notes with the act why something is refused.
pub(super) fn on_record<T>(act: &Act, result: Result<T, Error>) -> Result<T, Error> {
    if let Some(cause) = result.as_ref().err().and_then(Error::cause) {
        act.cause(cause);
    }
    result
}
