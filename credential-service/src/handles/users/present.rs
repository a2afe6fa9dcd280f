//! Judges an access token that was presented at a resource.

use std::time::Duration;

use aws_lc_rs::constant_time;
use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{handle_token::HandleToken, id::CallerName};

use super::{Resource, UserHandle, claims};
use crate::{
    handles::{
        Error, Handles, Living,
        judge::on_record,
        store::users::{self, Row},
    },
    record::Act,
};

/// An access token that lives, as it is told to crm-service.
#[derive(Clone, Debug)]
pub struct Introspected {
    /// What it is.
    pub handle: UserHandle,
    /// How long it lives.
    pub time_left: Duration,
}

impl Handles {
    /// Says what an access token is, if it lives and is for this resource. It is for no portal by that.
    ///
    /// # Errors
    /// If it is unknown, over, ended, or for another resource.
    pub async fn introspect_of_user(
        &self,
        act: &Act,
        token: &HandleToken,
        resource: &Resource,
    ) -> Result<Introspected, Error> {
        on_record(act, self.user_handle(act, token, resource).await)
    }

    /// The session of an access token, whatever has become of it, if there is such a one.
    ///
    /// # Errors
    /// If the database or the key fails.
    pub async fn session_of_user(&self, token: &HandleToken) -> Result<Option<UserHandle>, Error> {
        match self.by_user_token(token).await {
            Ok((handle, _)) => Ok(Some(handle)),
            Err(Error::Invalid { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The handle that an access token is at this resource: of a portal from its first redemption on.
    pub(in crate::handles) async fn living_of_user(
        &self,
        act: &Act,
        token: &HandleToken,
        resource: &Resource,
    ) -> Result<Living, Error> {
        let judged = self.judged_of_user(act, token, resource).await;
        on_record(act, judged).inspect(|living| {
            let handle = &living.handle;
            let (portal_id, slug) = (handle.portal_id, handle.client_slug.clone());
            act.concerns(ProvenPortal::by_redeemed_handle(portal_id, slug));
            act.handle(handle.handle_id);
            act.purpose(&handle.purpose);
        })
    }

    async fn judged_of_user(
        &self,
        act: &Act,
        token: &HandleToken,
        resource: &Resource,
    ) -> Result<Living, Error> {
        let Introspected { handle, .. } = self.user_handle(act, token, resource).await?;
        let redeemer = act.context().caller.name.clone();
        if !self.is_bound(handle.handle_id).await? {
            self.bind(act, token, &handle).await?;
        }
        let found = self.by_token(token).await?;
        let fits = |redeemer: &CallerName| {
            let of_user = found.handle.user.as_ref();
            of_user.is_some_and(|one| one.resource == *resource) && found.handle.audience == *redeemer
        };
        if !fits(&redeemer) {
            return found.refused(Cause::HandleOfAnotherAudience);
        }
        self.alive(found).await
    }

    /// The access token, if it lives and is for this resource. That it was used is noted with it.
    async fn user_handle(
        &self,
        act: &Act,
        token: &HandleToken,
        resource: &Resource,
    ) -> Result<Introspected, Error> {
        let (mut handle, row) = self.by_user_token(token).await?;
        act.handle(handle.handle_id);
        act.user(&handle.user.name);
        let refused = |cause| {
            Err(Error::Invalid {
                cause,
                handle_id: Some(handle.handle_id),
                portal: None,
            })
        };
        if handle.resource != *resource {
            return refused(Cause::HandleOfAnotherAudience);
        }
        if row.end_time > 0 {
            return refused(Cause::HandleRevoked);
        }
        let now = self.time.now().await?;
        if handle.expire_time <= now {
            return refused(Cause::HandleExpired);
        }
        if row.used_time == 0 {
            users::note_use(&self.database, handle.handle_id, now).await?;
        }
        self.access.may_act(&handle.user.name).await?;
        handle.user = self
            .access
            .user(handle.user.account.clone(), handle.user.email.clone())
            .await?;
        Ok(Introspected {
            time_left: handle.expire_time.since(now),
            handle,
        })
    }

    /// The access token with this secret, living or not.
    async fn by_user_token(&self, token: &HandleToken) -> Result<(UserHandle, Row), Error> {
        let mac = self.mac(token).await?;
        let unknown = Error::Invalid {
            cause: Cause::HandleUnknown,
            handle_id: None,
            portal: None,
        };
        let row = users::by_mac(&self.database, &mac).await?.ok_or(unknown)?;
        let altered = || Error::Altered(row.handle_id.clone());
        if constant_time::verify_slices_are_equal(&row.secret_mac, &mac).is_err() {
            return Err(altered());
        }
        let opened = self
            .keyring
            .open(&claims::place(&row.handle_id), &row.claims)
            .await?;
        let (handle, secret_mac) = claims::decode(&opened).ok_or_else(altered)?;
        let fits = handle.handle_id.to_string() == row.handle_id
            && constant_time::verify_slices_are_equal(&secret_mac, &row.secret_mac).is_ok()
            && handle.session_id.to_string() == row.session_id
            && i64::try_from(handle.sequence).is_ok_and(|sequence| sequence == row.sequence)
            && handle.expire_time.as_micros() == row.expire_time;
        if fits { Ok((handle, row)) } else { Err(altered()) }
    }
}
