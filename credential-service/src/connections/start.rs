//! Begins a connection: what the browser comes back with must be what was begun, by whom it was begun, once.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hubkeep_audit_log::Cause;
use hubkeep_core::{
    clock::Timestamp,
    handle_token::{OpaqueSecret, SecretKind},
    id::{ClientSlug, PortalId},
};
use hubkeep_hubspot::consent::Consent;
use hubkeep_seal::{Owner, Place, Purpose};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::{Connections, Error, store::attempts};
use crate::{access::User, portals::Portal, record::Act};

/// How long a connection that was begun can be completed.
const LIFETIME: Duration = Duration::from_secs(600);

/// A connection that was begun.
#[derive(Debug)]
pub struct Started {
    /// Where the browser is sent.
    pub authorize_url: String,
    /// What it comes back with.
    pub state: OpaqueSecret,
    /// How long it is good for.
    pub lives_for: Duration,
}

/// What was begun, as it is remembered.
#[derive(Debug)]
pub(super) struct Attempt {
    /// The verifier of the challenge that was sent.
    pub(super) verifier: Zeroizing<String>,
    /// The portal that was asked for.
    pub(super) portal_id: Option<PortalId>,
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    user: String,
    verifier: String,
    portal_id: Option<u64>,
    expire_time: i64,
}

impl Connections {
    /// Begins a connection for a user: to one portal, or to whichever the user chooses at HubSpot.
    ///
    /// # Errors
    /// If nobody connects anything here, no grant lets the user read the portal, or it is not served.
    pub async fn start(
        &self,
        act: &Act,
        user: &User,
        client_slug: Option<&ClientSlug>,
    ) -> Result<Started, Error> {
        if self.config.redirect_uri.is_empty() {
            return Err(Error::NotConfigured);
        }
        self.access.may_act(&user.name).await?;
        let portal = match client_slug {
            Some(slug) => Some(self.offered(act, user, slug).await?),
            None => None,
        };
        let verifier = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(self.random.bytes::<32>()?));
        let challenge = digest::digest(&digest::SHA256, verifier.as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge.as_ref());
        let state = OpaqueSecret::make(SecretKind::Code, &*self.random)?;
        let portal_id = portal.map(|portal| portal.portal_id);
        let consent = Consent {
            page: &self.config.authorize_url,
            portal: portal_id,
            redirect_uri: &self.config.redirect_uri,
            scopes: &self.config.scopes,
            optional_scopes: &self.config.optional_scopes,
        };
        let authorize_url = self
            .access_tokens
            .consent_url(&consent, state.expose(), &challenge)?;
        self.remember(user, &state, &verifier, portal_id).await?;
        Ok(Started {
            authorize_url,
            state,
            lives_for: LIFETIME,
        })
    }

    /// The portal with this slug, if a grant lets the user read it, and it is served. Where none does, nothing is said of whether
    /// there is such a portal.
    async fn offered(&self, act: &Act, user: &User, slug: &ClientSlug) -> Result<Portal, Error> {
        act.claims(slug);
        let found = self.portals.named(slug).await?;
        let tags = match &found {
            Some(portal) => self.portals.tags_of(portal).await?,
            None => Vec::new(),
        };
        self.access.permit_reading(&user.name, slug, &tags).await?;
        let portal = found.ok_or_else(|| crate::portals::Error::Unknown(slug.clone()))?;
        act.concerns(portal.proven());
        portal.served()?;
        Ok(portal)
    }

    async fn remember(
        &self,
        user: &User,
        state: &OpaqueSecret,
        verifier: &str,
        portal_id: Option<PortalId>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let expire_time = now.plus(LIFETIME);
        let bytes = Zeroizing::new(serde_json::to_vec(&Content {
            user: user.name.to_string(),
            verifier: verifier.to_owned(),
            portal_id: portal_id.map(PortalId::get),
            expire_time: expire_time.as_micros(),
        })?);
        let mac = self.mac_of(state).await?;
        let row = hex::encode(mac);
        let sealed = self.keyring.seal(&place(&row), &bytes).await?;
        attempts::sweep(&self.database, now).await?;
        attempts::insert(&self.database, &mac, &sealed, expire_time).await
    }

    /// Takes what was begun, if it was by this user. Whoever comes with a state uses it up.
    pub(super) async fn take(&self, user: &User, state: &OpaqueSecret) -> Result<Attempt, Error> {
        let unknown = || Error::StateInvalid(Cause::StateUnknown);
        let mac = self.mac_of(state).await?;
        let sealed = attempts::take(&self.database, &mac).await?.ok_or_else(unknown)?;
        let row = hex::encode(mac);
        let opened = self.keyring.open(&place(&row), &sealed).await?;
        let content: Content = serde_json::from_slice(&opened)?;
        if Timestamp::from_micros(content.expire_time) <= self.clock.now() {
            return Err(unknown());
        }
        if content.user != user.name.as_str() {
            return Err(Error::StateInvalid(Cause::StateOfAnother));
        }
        Ok(Attempt {
            verifier: Zeroizing::new(content.verifier),
            portal_id: content.portal_id.and_then(PortalId::new),
        })
    }

    async fn mac_of(&self, state: &OpaqueSecret) -> Result<[u8; 32], Error> {
        let secret = state.expose().as_bytes();
        Ok(self
            .keyring
            .mac(Owner::Service, Purpose::SessionPepper, secret)
            .await?)
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Sessions,
        table: attempts::TABLE,
        column: "sealed",
        row,
        client_slug: "",
        kind: "attempt",
        generation: 1,
    }
}
