//! What a connection is, and how that lies sealed.

use hubkeep_core::{
    clock::Timestamp,
    id::{CallerName, ClientSlug, ConnectionId, PortalId},
};
use hubkeep_hubspot::consent::Level;
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{Connections, Error, store, store::Row};
use crate::{
    access::{Email, OidcSubject},
    vault::Credential,
};

/// A HubSpot account that a user has connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub connection_id: ConnectionId,
    /// Whose it is.
    pub user: CallerName,
    /// The portal.
    pub portal_id: PortalId,
    /// The portal's slug.
    pub client_slug: ClientSlug,
    /// The version of its refresh token in the vault.
    pub version: u64,
    /// Who it is, and how far it reaches.
    pub details: Details,
    /// When it was ended here.
    pub end_time: Option<Timestamp>,
    /// When HubSpot was told.
    pub revoke_time: Option<Timestamp>,
    /// Until when an access token of it may live at HubSpot, as of its end.
    pub access_end_time: Option<Timestamp>,
}

/// Who has connected, and how far the token reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The account of the user.
    pub account: OidcSubject,
    /// The user's address, as of then.
    pub email: Email,
    /// The HubSpot user's.
    pub hubspot_email: Email,
    /// HubSpot's id of the user.
    pub hubspot_user_id: u64,
    /// How far the token reaches, where HubSpot says.
    pub level: Option<Level>,
    /// What HubSpot has granted, sorted.
    pub scopes: Vec<String>,
    /// HubSpot's id of our app.
    pub app_id: Option<u64>,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It serves.
    Active,
    /// HubSpot refuses its refresh token for good.
    ConsentRequired,
    /// It was ended, and HubSpot could not be told.
    Disconnecting,
    /// It was ended.
    Disconnected,
}

impl Connection {
    /// The place of its refresh token in the vault.
    pub fn in_vault(&self) -> Credential {
        Credential {
            portal_id: self.portal_id,
            client_slug: self.client_slug.clone(),
            version: self.version,
        }
    }

    /// When it was connected.
    pub fn connect_time(&self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(self.version).unwrap_or(i64::MAX))
    }
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    user: String,
    account: OidcSubject,
    email: Email,
    hubspot_email: Email,
    hubspot_user_id: u64,
    user_level: Option<bool>,
    scopes: Vec<String>,
    app_id: Option<u64>,
}

impl Connections {
    /// A connection's row. No transaction may be open: it may make the portal's key.
    pub(super) async fn sealed_row(&self, connection: &Connection) -> Result<Row, Error> {
        let id = connection.connection_id.to_string();
        let details = &connection.details;
        let bytes = serde_json::to_vec(&Content {
            user: connection.user.to_string(),
            account: details.account.clone(),
            email: details.email.clone(),
            hubspot_email: details.hubspot_email.clone(),
            hubspot_user_id: details.hubspot_user_id,
            user_level: details.level.map(|level| level == Level::User),
            scopes: details.scopes.clone(),
            app_id: details.app_id,
        })?;
        let place = place(
            &id,
            connection.portal_id,
            connection.client_slug.as_str(),
            connection.version,
        );
        Ok(Row {
            sealed: self.keyring.seal(&place, &bytes).await?,
            user_name: connection.user.to_string(),
            portal_id: connection.portal_id.as_i64(),
            client_slug: connection.client_slug.to_string(),
            version: i64::try_from(connection.version).unwrap_or(i64::MAX),
            end_time: 0,
            revoke_time: 0,
            access_end_time: 0,
            connection_id: id,
        })
    }

    /// What a row holds.
    pub(super) async fn open(&self, row: Row) -> Result<Connection, Error> {
        let altered = || Error::Altered(row.connection_id.clone());
        let portal_id = PortalId::from_i64(row.portal_id).ok_or_else(altered)?;
        let version = u64::try_from(row.version).map_err(|_| altered())?;
        let place = place(&row.connection_id, portal_id, &row.client_slug, version);
        let opened = self.keyring.open(&place, &row.sealed).await?;
        let content: Content = serde_json::from_slice(&opened).map_err(|_| altered())?;
        if content.user != row.user_name {
            return Err(altered());
        }
        let level = |user| if user { Level::User } else { Level::Account };
        Ok(Connection {
            connection_id: row.connection_id.parse().map_err(|_| altered())?,
            user: row.user_name.parse().map_err(|_| altered())?,
            portal_id,
            client_slug: row.client_slug.parse().map_err(|_| altered())?,
            version,
            details: Details {
                account: content.account,
                email: content.email,
                hubspot_email: content.hubspot_email,
                hubspot_user_id: content.hubspot_user_id,
                level: content.user_level.map(level),
                scopes: content.scopes,
                app_id: content.app_id,
            },
            end_time: stored(row.end_time),
            revoke_time: stored(row.revoke_time),
            access_end_time: stored(row.access_end_time),
        })
    }

    /// How a connection stands.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn state(&self, connection: &Connection) -> Result<State, Error> {
        Ok(match (connection.end_time, connection.revoke_time) {
            (Some(_), Some(_)) => State::Disconnected,
            (Some(_), None) => State::Disconnecting,
            (None, _) if self.access_tokens.is_lost(&connection.in_vault()).await? => State::ConsentRequired,
            (None, _) => State::Active,
        })
    }
}

/// A time as it is stored, where 0 means that it has not come.
fn stored(micros: i64) -> Option<Timestamp> {
    (micros > 0).then(|| Timestamp::from_micros(micros))
}

fn place<'a>(row: &'a str, portal_id: PortalId, client_slug: &'a str, version: u64) -> Place<'a> {
    Place {
        owner: Owner::Portal(portal_id),
        purpose: Purpose::Sessions,
        table: store::TABLE,
        column: "sealed",
        row,
        client_slug,
        kind: "connection",
        generation: version,
    }
}
