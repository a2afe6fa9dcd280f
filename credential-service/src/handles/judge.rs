//! Judges a handle that was presented: whose it is, and whether it lives.

use std::time::Duration;

use aws_lc_rs::constant_time;
use hubkeep_audit_log::{Cause, ProvenPortal};
use hubkeep_core::{
    grpc::Caller,
    handle_token::HandleToken,
    id::{HandleId, PortalId},
};
use hubkeep_seal::{Owner, Purpose};

use super::{
    Error, Handle, Handles, claims,
    store::{self, Row},
};
use crate::{
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

    fn refused<T>(&self, cause: Cause) -> Result<T, Error> {
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
        let living = on_record(act, self.judge(token, presenter).await)?;
        let Living { handle, .. } = &living;
        act.concerns(ProvenPortal::by_redeemed_handle(
            handle.portal_id,
            handle.client_slug.clone(),
        ));
        act.handle(handle.handle_id);
        act.purpose(&handle.purpose);
        Ok(living)
    }

    /// The handle, if it lives and is this presenter's.
    pub(super) async fn judge(&self, token: &HandleToken, presenter: &Caller) -> Result<Living, Error> {
        let found = self.present(token, presenter).await?;
        if found.revocation_seq.is_some() {
            return found.refused(Cause::HandleRevoked);
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
                let time_left = handle.expire_time.since(now);
                Ok(Living {
                    handle: found.handle,
                    portal,
                    time_left,
                })
            }
            _ => found.refused(Cause::PortalGenerationMoved),
        }
    }

    /// The handle with this token, living or not, if it is this presenter's.
    pub(super) async fn present(&self, token: &HandleToken, presenter: &Caller) -> Result<Found, Error> {
        let found = self.by_token(token).await?;
        if found.handle.caller != *presenter {
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
        let opened = self.keyring.open(&place, &row.claims).await?;
        let (handle, secret_mac) = claims::decode(handle_id, &opened).ok_or_else(altered)?;
        let fits = constant_time::verify_slices_are_equal(&secret_mac, &row.secret_mac).is_ok()
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
