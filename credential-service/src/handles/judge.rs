//! Judges a handle that was presented: whose it is, and whether it lives.

use std::time::Duration;

use aws_lc_rs::constant_time;
use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    grpc::Caller,
    handle_token::HandleToken,
    id::{CallerName, HandleId, PortalId},
};
use hubkeep_seal::{Owner, Purpose};

use super::{
    Error, Handle, Handles, claims,
    store::{self, Row},
};
use crate::{
    access::Held,
    portals::{Portal, State},
    record::Act,
};

/// A handle that lives, with its portal as it is now.
#[derive(Clone, Debug)]
pub struct Living {
    /// The handle.
    pub handle: Handle,
    /// Its portal.
    pub portal: Portal,
    /// How long it still lives.
    pub time_left: Duration,
}

/// A handle as its row has it, living or not.
pub(super) struct Found {
    pub(super) handle: Handle,
    pub(super) revocation_seq: Option<u64>,
}

impl Found {
    fn portal(&self) -> ProvenPortal {
        ProvenPortal::by_vault_row(self.handle.portal_id, self.handle.client_slug.clone())
    }

    pub(super) fn refused<T>(&self, cause: Cause) -> Result<T, Error> {
        Err(Error::Invalid {
            cause,
            handle_id: Some(self.handle.handle_id),
            portal: Some(self.portal()),
        })
    }
}

impl Handles {
    /// The handle, if it lives and is this presenter's. What is learned goes on record with the act: on success the
    /// portal too, which the handle proves.
    pub(super) async fn living(
        &self,
        act: &Act,
        token: &HandleToken,
        presenter: &Caller,
    ) -> Result<Living, Error> {
        on_record(act, self.judge(token, presenter).await).inspect(|living| noted(act, &living.handle))
    }

    /// The same, presented by way of a redeemer, who must be the one that the handle is for.
    pub(super) async fn living_at(
        &self,
        act: &Act,
        token: &HandleToken,
        presenter: &Caller,
    ) -> Result<Living, Error> {
        let judged = self.judge_at(token, presenter, &act.context().caller.name);
        on_record(act, judged.await).inspect(|living| noted(act, &living.handle))
    }

    async fn judge_at(
        &self,
        token: &HandleToken,
        presenter: &Caller,
        redeemer: &CallerName,
    ) -> Result<Living, Error> {
        let found = self.present(token, presenter).await?;
        if found.handle.audience != *redeemer {
            return found.refused(Cause::HandleOfAnotherAudience);
        }
        self.alive(found).await
    }

    /// The handle, if it lives and is this presenter's.
    pub(super) async fn judge(&self, token: &HandleToken, presenter: &Caller) -> Result<Living, Error> {
        let found = self.present(token, presenter).await?;
        self.alive(found).await
    }

    /// A handle, if it lives: it and those it was narrowed from were not ended, its time is not over, its portal is served,
    /// and what it was issued under still is.
    pub(super) async fn alive(&self, found: Found) -> Result<Living, Error> {
        if found.revocation_seq.is_some() {
            return found.refused(Cause::HandleRevoked);
        }
        if self.has_ended_ancestors(&found.handle).await? {
            return found.refused(Cause::ParentRevoked);
        }
        let now = self.time.now().await?;
        if found.handle.expire_time <= now {
            return found.refused(Cause::HandleExpired);
        }
        let handle = &found.handle;
        match self.portals.find(handle.portal_id).await? {
            Some(portal) if portal.client_slug != handle.client_slug => {
                Err(Error::Altered(handle.handle_id.to_string()))
            }
            Some(portal) if portal.state == State::RollbackSuspected => Err(portal
                .served()
                .err()
                .map_or_else(|| Error::Altered(handle.handle_id.to_string()), Error::Portal)),
            Some(portal)
                if portal.portal_generation == handle.portal_generation && portal.state == State::Active =>
            {
                if let Some(cause) = self.lapsed(handle, &portal).await? {
                    return found.refused(cause);
                }
                if self.is_disconnected(handle).await? {
                    return found.refused(Cause::ConnectionEnded);
                }
                let time_left = handle.expire_time.since(now);
                Ok(Living {
                    handle: found.handle,
                    portal,
                    time_left,
                })
            }
            Some(portal) if portal.state == State::Contained => found.refused(Cause::Contained),
            _ => found.refused(Cause::PortalGenerationMoved),
        }
    }

    /// Whether the connection behind a handle was ended.
    async fn is_disconnected(&self, handle: &Handle) -> Result<bool, Error> {
        let Some(user) = &handle.user else {
            return Ok(false);
        };
        match self.connections.by_id(user.connection_id).await {
            Ok(connection) => Ok(connection.end_time.is_some()),
            Err(crate::connections::Error::Unknown) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a handle from which this one was narrowed was ended, or its row is gone.
    pub(super) async fn has_ended_ancestors(&self, handle: &Handle) -> Result<bool, Error> {
        if handle.ancestors.is_empty() {
            return Ok(false);
        }
        let (found, ended) = store::ended_among(&self.database, &handle.ancestors).await?;
        let all = u64::try_from(handle.ancestors.len()).unwrap_or(u64::MAX);
        Ok(ended > 0 || found < all)
    }

    /// Why what a handle was issued under does not hold any more; `None` if it does.
    pub(super) async fn lapsed(&self, handle: &Handle, portal: &Portal) -> Result<Option<Cause>, Error> {
        let tags = self.portals.tags_of(portal).await?;
        let under = &handle.under;
        let person = under.person.as_ref();
        let held = Held {
            caller: &handle.caller.name,
            client_slug: &handle.client_slug,
            tags: &tags,
            grant_id: &under.grant_id,
            grant_revision: under.grant_revision,
            caller_generation: under.caller_generation,
            person: person.map(|(person, generation)| (person, *generation)),
        };
        Ok(self.access.lapsed(&held).await?)
    }

    /// The handle with this token, living or not, if it is this presenter's.
    pub(super) async fn present(&self, token: &HandleToken, presenter: &Caller) -> Result<Found, Error> {
        let found = self.by_token(token).await?;
        // What people's clients have is presented at a resource, and works over gRPC for nobody, whatever it calls itself.
        if found.handle.user.is_some() || !self.is_of(&found.handle, presenter).await? {
            return found.refused(Cause::HandleOfAnotherCaller);
        }
        Ok(found)
    }

    /// The handle with this token, living or not, whoever's it is.
    pub(super) async fn by_token(&self, token: &HandleToken) -> Result<Found, Error> {
        let mac = self.mac(token).await?;
        let unknown = Error::Invalid {
            cause: Cause::HandleUnknown,
            handle_id: None,
            portal: None,
        };
        let row = store::by_mac(&self.database, &mac).await?.ok_or(unknown)?;
        // The index may compare as it likes: what decides is this comparison, whose time tells nothing.
        if constant_time::verify_slices_are_equal(&row.secret_mac, &mac).is_err() {
            return Err(Error::Altered(row.handle_id));
        }
        self.open(row).await
    }

    /// The handle with this id, living or not, whoever's it is.
    pub(super) async fn by_id(&self, handle_id: HandleId) -> Result<Found, Error> {
        let unknown = Error::Invalid {
            cause: Cause::HandleUnknown,
            handle_id: Some(handle_id),
            portal: None,
        };
        let row = store::by_id(&self.database, handle_id).await?.ok_or(unknown)?;
        self.open(row).await
    }

    /// What a row says, if every column is what was sealed in it.
    pub(super) async fn open(&self, row: Row) -> Result<Found, Error> {
        let altered = || Error::Altered(row.handle_id.clone());
        let handle_id: HandleId = row.handle_id.parse().map_err(|_| altered())?;
        let portal_id = PortalId::from_i64(row.portal_id).ok_or_else(altered)?;
        let place = claims::place(&row.handle_id, portal_id, &row.client_slug);
        // Handles of before their grant was kept are none any more: whoever has one takes a new one.
        if row.grant_id.is_none() {
            return Err(Error::Invalid {
                cause: Cause::HandleUnknown,
                handle_id: Some(handle_id),
                portal: None,
            });
        }
        let opened = self.keyring.open(&place, &row.claims).await?;
        let (handle, secret_mac) = claims::decode(&opened).ok_or_else(altered)?;
        let fits = handle.handle_id == handle_id
            && row.grant_id.as_deref() == Some(handle.under.grant_id.as_str())
            && constant_time::verify_slices_are_equal(&secret_mac, &row.secret_mac).is_ok()
            && handle.portal_id == portal_id
            && handle.client_slug.as_str() == row.client_slug
            && handle.caller.name.as_str() == row.caller
            && handle.expire_time.as_micros() == row.expire_time;
        if !fits {
            return Err(altered());
        }
        let revocation_seq = row.revocation_seq.map(|seq| u64::try_from(seq).unwrap_or(0));
        Ok(Found {
            handle,
            revocation_seq,
        })
    }

    /// What a handle is looked up by. Whoever can write the table but lacks the pepper cannot make one.
    pub(super) async fn mac(&self, token: &HandleToken) -> Result<[u8; 32], Error> {
        let secret = token.expose().as_bytes();
        Ok(self
            .keyring
            .mac(Owner::Service, Purpose::HandlePepper, secret)
            .await?)
    }
}

/// Notes with the act which handle it is about; the portal too, which the handle proves.
fn noted(act: &Act, handle: &Handle) {
    act.concerns(ProvenPortal::by_redeemed_handle(
        handle.portal_id,
        handle.client_slug.clone(),
    ));
    act.handle(handle.handle_id);
    act.purpose(&handle.purpose);
}

/// Notes with the act why a handle is refused, and which.
pub(super) fn on_record<T>(act: &Act, result: Result<T, Error>) -> Result<T, Error> {
    if let Err(Error::Invalid {
        cause,
        handle_id,
        portal,
    }) = &result
    {
        act.cause(*cause);
        if let Some(handle_id) = handle_id {
            act.handle(*handle_id);
        }
        if let Some(portal) = portal {
            act.concerns(portal.clone());
        }
    }
    result
}
