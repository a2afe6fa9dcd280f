//! What a user has consented to for a client, as it is remembered.

use hubkeep_core::{clock::Timestamp, id::CallerName};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Error, Sessions,
        store::{self, consents},
    },
    Given,
};
use crate::access::{Email, OidcSubject, User};

/// A client that a user lets read for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Whose it is.
    pub user: User,
    /// The client.
    pub client_id: String,
    /// How it calls itself.
    pub client_name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When the user consented last.
    pub consent_time: Timestamp,
    /// So many of its token families live.
    pub live_families: u32,
}

/// Some of them.
#[derive(Clone, Debug)]
pub struct ConsentPage {
    /// By user and client.
    pub authorizations: Vec<Authorization>,
    /// The last one looked at, if there may be more.
    pub more_after: Option<(String, String)>,
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    account: OidcSubject,
    email: Email,
    client_id: String,
    client_name: String,
    scopes: Vec<String>,
}

impl Sessions {
    /// The row of a consent. No transaction may be open: it may make the key.
    pub(super) async fn consent_row(
        &self,
        user: &User,
        given: &Given,
        client_name: &str,
        now: Timestamp,
    ) -> Result<consents::Row, Error> {
        let bytes = serde_json::to_vec(&Content {
            account: user.account.clone(),
            email: user.email.clone(),
            client_id: given.client_id.clone(),
            client_name: client_name.to_owned(),
            scopes: given.scopes.clone(),
        })?;
        let name = user.name.to_string();
        let sealed = self.keyring.seal(&place(&name, now), &bytes).await?;
        Ok(consents::Row {
            user_name: name,
            client_id: given.client_id.clone(),
            consent_time: now.as_micros(),
            sealed,
        })
    }

    /// What a user, or everybody, has consented to, by user and client.
    ///
    /// # Errors
    /// If the database or the key fails.
    pub async fn authorizations(
        &self,
        user: Option<&CallerName>,
        after: Option<(&str, &str)>,
        size: usize,
    ) -> Result<ConsentPage, Error> {
        let rows = consents::page(&self.database, user, after.unwrap_or_default(), size).await?;
        let full = rows.len() == size;
        let last = rows.last().filter(|_| full);
        let more_after = last.map(|row| (row.user_name.clone(), row.client_id.clone()));
        let mut authorizations = Vec::new();
        for row in rows {
            let client = row.client_id.clone();
            match self.authorization(row).await {
                Ok(authorization) => authorizations.push(authorization),
                Err(Error::Altered(_)) => tracing::error!(client, "the row of this consent was altered"),
                Err(Error::Seal(error)) if error.is_unreadable() => {
                    tracing::error!(%error, client, "the row of this consent was altered");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(ConsentPage {
            authorizations,
            more_after,
        })
    }

    async fn authorization(&self, row: consents::Row) -> Result<Authorization, Error> {
        let consent_time = Timestamp::from_micros(row.consent_time);
        let opened = self
            .keyring
            .open(&place(&row.user_name, consent_time), &row.sealed)
            .await?;
        let altered = || Error::Altered(row.client_id.clone());
        let content: Content = serde_json::from_slice(&opened).map_err(|_| altered())?;
        let user = self.access.user(content.account, content.email).await?;
        if content.client_id != row.client_id || user.name.as_str() != row.user_name {
            return Err(altered());
        }
        let oldest = self.clock.now().minus(self.config.max_lifetime);
        let live_families =
            store::families_of(&self.database, &row.user_name, &row.client_id, oldest).await?;
        Ok(Authorization {
            user,
            client_id: content.client_id,
            client_name: content.client_name,
            scopes: content.scopes,
            consent_time,
            live_families,
        })
    }
}

fn place(row: &str, time: Timestamp) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Sessions,
        table: consents::TABLE,
        column: "sealed",
        row,
        client_slug: "",
        kind: "consent",
        generation: consents::generation(time),
    }
}
