//! Completes a connection. From when HubSpot has given tokens, either they are kept, or HubSpot is told to refuse them.

use std::time::Duration;

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    handle_token::OpaqueSecret,
    id::{ConnectionId, PortalId},
    secret::PortalToken,
};
use hubkeep_hubspot::{
    RefusalKind,
    consent::{Code, TokenOwner},
};

use super::{Connection, Connections, Details, Error, start::Attempt};
use crate::{
    access::{Email, User},
    access_tokens::{self, Fresh},
    portals::Portal,
    record::Act,
};

/// How long HubSpot may take to hear that something is to be refused.
pub(super) const TO_REVOKE: Duration = Duration::from_secs(10);
/// HubSpot's word for a code that was sent elsewhere: our app is not registered as it is configured.
const WRONG_PLACE: &str = "BAD_REDIRECT_URI";

impl Connections {
    /// Completes what a user has begun, with the code that HubSpot sent the browser back with; without one it was declined.
    ///
    /// # Errors
    /// If the user has not begun this, HubSpot does not take the code, the portal is none that the user may connect or
    /// another than was asked for, or the HubSpot user is somebody else: then HubSpot is told to refuse what it gave.
    pub async fn complete(
        &self,
        act: &Act,
        user: &User,
        state: &OpaqueSecret,
        code: Option<PortalToken>,
    ) -> Result<Connection, Error> {
        let taken = self.take(user, state).await;
        if let Err(Error::StateInvalid(cause)) = &taken {
            act.cause(*cause);
        }
        let attempt = taken?;
        let code = code.ok_or(Error::Declined)?;
        self.access.may_act(&user.name).await?;
        let fresh = self.exchanged(act, &attempt, &code).await?;
        match self.judged(act, user, &attempt, &fresh).await {
            Ok((portal, owner)) => {
                let connection = self.made(user, &portal, owner)?;
                let kept = self.keep(act, &connection, &fresh).await;
                self.or_revoked(act, &fresh, kept).await?;
                metrics::counter!("hubkeep_connections_made_total").increment(1);
                Ok(connection)
            }
            Err(error) => self.or_revoked(act, &fresh, Err(error)).await,
        }
    }

    async fn exchanged(&self, act: &Act, attempt: &Attempt, code: &PortalToken) -> Result<Fresh, Error> {
        let sent = Code {
            code,
            redirect_uri: &self.config.redirect_uri,
            verifier: &attempt.verifier,
        };
        let draft = act.draft(Operation::ConsentExchange);
        let asked = self
            .access_tokens
            .redeem_code(draft, &sent, act.context().deadline);
        asked.await.map_err(|error| match &error {
            access_tokens::Error::HubSpot(hubkeep_hubspot::Error::Refused(refusal, _))
                if refusal.kind == RefusalKind::ConsentLost && refusal.category != WRONG_PLACE =>
            {
                Error::CodeRefused
            }
            _ => error.into(),
        })
    }

    /// Whose the token is, and of which portal, if both are as they must be.
    async fn judged(
        &self,
        act: &Act,
        user: &User,
        attempt: &Attempt,
        fresh: &Fresh,
    ) -> Result<(Portal, TokenOwner), Error> {
        let draft = act.draft(Operation::TokenRead);
        let asked = self
            .access_tokens
            .owner_of(draft, &fresh.access, act.context().deadline);
        let owner = asked.await?;
        let portal_id = owner.info.portal_id;
        same(fresh.portal_id, portal_id)?;
        if let Some(expected) = attempt.portal_id {
            same(expected, portal_id)?;
        }
        let portal = self.portals.find(portal_id).await?;
        let portal = portal.ok_or(Error::PortalNotOffered(portal_id))?;
        let tags = self.portals.tags_of(&portal).await?;
        let permitted = self
            .access
            .permit_reading(&user.name, &portal.client_slug, &tags)
            .await;
        permitted.map_err(|error| match error {
            crate::access::Error::Missing { .. } => Error::PortalNotOffered(portal_id),
            other => other.into(),
        })?;
        act.concerns(portal.proven());
        portal.served()?;
        let email = owner.email.parse::<Email>().ok();
        match email {
            Some(email) if self.access.has_email(user, &email).await? => Ok((portal, owner)),
            _ => Err(Error::OfAnotherUser),
        }
    }

    fn made(&self, user: &User, portal: &Portal, owner: TokenOwner) -> Result<Connection, Error> {
        let connected = self.clock.now().as_micros();
        Ok(Connection {
            connection_id: ConnectionId::make(&*self.clock, &*self.random)?,
            user: user.name.clone(),
            portal_id: portal.portal_id,
            client_slug: portal.client_slug.clone(),
            version: u64::try_from(connected).unwrap_or(0),
            details: Details {
                account: user.account.clone(),
                email: user.email.clone(),
                hubspot_email: owner.email.parse().map_err(|_| Error::OfAnotherUser)?,
                hubspot_user_id: owner.info.user_id.unwrap_or_default(),
                level: owner.level,
                scopes: owner.info.scopes,
                app_id: owner.info.app_id,
            },
            end_time: None,
            revoke_time: None,
            access_end_time: None,
        })
    }

    /// The result; where nothing was kept, HubSpot is told to refuse what it gave. What it does not hear of is in its own list
    /// of connected apps, and nobody here has it.
    async fn or_revoked<T>(&self, act: &Act, fresh: &Fresh, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            tracing::info!(%error, portal_id = %fresh.portal_id, "a consent is given back to HubSpot");
            let deadline = self.clock.tick().plus(TO_REVOKE);
            let draft = act.draft(Operation::ConsentRevoke);
            if let Err(error) = self.access_tokens.revoke(draft, &fresh.refresh, deadline).await {
                tracing::warn!(%error, "HubSpot could not be told to refuse a consent that was not kept");
            }
        }
        result
    }
}

fn same(expected: PortalId, actual: PortalId) -> Result<(), Error> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::OfAnotherPortal { expected, actual })
}
