//! An access token and the refresh token that asks for the next one, sealed together: neither is ever stored without the
//! other, so that a refresh token which HubSpot has replaced cannot be lost.

use std::time::Duration;

use hubkeep_core::{clock::Timestamp, secret::PortalToken};
use hubkeep_seal::{Owner, Place, Purpose};
use secrecy::zeroize::Zeroizing;

use super::{AccessTokens, Error, Fresh, store::Row};
use crate::vault::Credential;

/// A new access token is asked for so long before the old one ends, or when a quarter of its life is left.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// The sequence of what comes first.
pub(super) const FIRST: u64 = 1;

/// What is sealed, and where it goes.
#[derive(Debug)]
pub struct SealedPair {
    pub(super) consent: Credential,
    pub(super) sequence: u64,
    pub(super) sealed: Vec<u8>,
    pub(super) renew_time: Timestamp,
}

/// What was opened.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) access: PortalToken,
    pub(super) refresh: PortalToken,
    pub(super) ends: Timestamp,
}

impl AccessTokens {
    /// Seals what a new refresh token gave. No transaction may be open.
    ///
    /// # Errors
    /// If the portal's key cannot be used or made.
    pub async fn seal(&self, consent: &Credential, fresh: &Fresh) -> Result<SealedPair, Error> {
        self.seal_as(consent, fresh, FIRST).await
    }

    pub(super) async fn seal_as(
        &self,
        consent: &Credential,
        fresh: &Fresh,
        sequence: u64,
    ) -> Result<SealedPair, Error> {
        // Tokens are visible characters, so that a line end is never part of one.
        let text = Zeroizing::new(format!(
            "{}\n{}\n{}",
            fresh.ends.as_micros(),
            fresh.access.expose(),
            fresh.refresh.expose()
        ));
        let secret_id = consent.secret_id();
        let place = place(consent, &secret_id, sequence);
        Ok(SealedPair {
            consent: consent.clone(),
            sequence,
            sealed: self.0.keyring.seal(&place, text.as_bytes()).await?,
            renew_time: fresh.ends.minus(AHEAD.min(fresh.lives_for / 4)),
        })
    }

    /// What a row holds; `None` if it holds nothing yet.
    pub(super) async fn opened(&self, consent: &Credential, row: &Row) -> Result<Option<Pair>, Error> {
        let Some(sealed) = &row.sealed else {
            return Ok(None);
        };
        let secret_id = consent.secret_id();
        let place = place(consent, &secret_id, row.sequence);
        let opened = self.0.keyring.open(&place, sealed).await?;
        let pair = std::str::from_utf8(&opened).ok().and_then(read);
        pair.map(Some).ok_or(Error::Broken(secret_id))
    }

    /// The refresh token in force: the newest that HubSpot gave, or else the one in the vault.
    pub(super) async fn refresh_token(&self, consent: &Credential, row: &Row) -> Result<PortalToken, Error> {
        match self.opened(consent, row).await? {
            Some(pair) => Ok(pair.refresh),
            None => Ok(self.0.vault.open(consent).await?),
        }
    }
}

fn read(text: &str) -> Option<Pair> {
    let mut lines = text.split('\n');
    let (ends, access, refresh) = (lines.next()?, lines.next()?, lines.next()?);
    Some(Pair {
        access: PortalToken::new(access.to_owned()),
        refresh: PortalToken::new(refresh.to_owned()),
        ends: Timestamp::from_micros(ends.parse().ok()?),
    })
}

fn place<'a>(consent: &'a Credential, secret_id: &'a str, sequence: u64) -> Place<'a> {
    Place {
        owner: Owner::Portal(consent.portal_id),
        purpose: Purpose::Credential,
        table: "access_token",
        column: "sealed",
        row: secret_id,
        client_slug: consent.client_slug.as_str(),
        kind: "oauth-tokens",
        generation: sequence,
    }
}
