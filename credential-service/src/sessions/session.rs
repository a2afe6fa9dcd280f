//! What a session is, and how that lies sealed.

use hubkeep_core::{
    clock::Timestamp,
    id::{CallerName, SessionId},
};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{
    Error, Sessions,
    clients::Given,
    store::{self, Row},
};
use crate::{
    access::{Email, OidcSubject, User},
    handles::Resource,
};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub session_id: SessionId,
    /// Whose it is.
    pub user: User,
    /// How the user has signed in for it.
    pub sign_in: SignIn,
    /// The only service that can use it.
    pub opened_by: CallerName,
    /// When it was opened.
    pub open_time: Timestamp,
    /// When it ends, however often it is refreshed.
    pub expire_time: Timestamp,
    /// What a client was given; `None` of a browser.
    pub given: Option<Given>,
}

/// How a user has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// When, if the provider says.
    pub auth_time: Option<Timestamp>,
    /// How strongly, in the provider's words.
    pub acr: String,
    /// By which means, likewise.
    pub amr: Vec<String>,
    /// When the ID token was made.
    pub issue_time: Timestamp,
}

/// A session as its row has it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) session: Session,
    /// The newest of its pairs.
    pub(super) sequence: u64,
    pub(super) ended: bool,
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    account: OidcSubject,
    email: Email,
    auth_time: Option<i64>,
    acr: String,
    amr: Vec<String>,
    issue_time: i64,
    opened_by: String,
    open_time: i64,
    given: Option<GivenContent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenContent {
    client_id: String,
    redirect_uri: String,
    code_challenge: String,
    resource: String,
    scopes: Vec<String>,
}

pub(super) const BROWSER: &str = "browser";
pub(super) const CLIENT: &str = "client";

impl Sessions {
    /// A session's row. No transaction may be open: it may make the key.
    pub(super) async fn sealed_row(&self, session: &Session) -> Result<Row, Error> {
        let id = session.session_id.to_string();
        let given = session.given.as_ref();
        let bytes = serde_json::to_vec(&Content {
            account: session.user.account.clone(),
            email: session.user.email.clone(),
            auth_time: session.sign_in.auth_time.map(Timestamp::as_micros),
            acr: session.sign_in.acr.clone(),
            amr: session.sign_in.amr.clone(),
            issue_time: session.sign_in.issue_time.as_micros(),
            opened_by: session.opened_by.to_string(),
            open_time: session.open_time.as_micros(),
            given: given.map(|given| GivenContent {
                client_id: given.client_id.clone(),
                redirect_uri: given.redirect_uri.clone(),
                code_challenge: given.code_challenge.clone(),
                resource: given.resource.as_str().to_owned(),
                scopes: given.scopes.clone(),
            }),
        })?;
        Ok(Row {
            sealed: self.keyring.seal(&place(&id), &bytes).await?,
            session_id: id,
            kind: if given.is_some() { CLIENT } else { BROWSER }.to_owned(),
            user_name: session.user.name.to_string(),
            client_id: given.map(|given| given.client_id.clone()).unwrap_or_default(),
            open_time: session.open_time.as_micros(),
            sequence: 0,
            end_time: 0,
        })
    }

    /// What a row holds.
    pub(super) async fn open_row(&self, row: Row) -> Result<Found, Error> {
        let altered = || Error::Altered(row.session_id.clone());
        let opened = self.keyring.open(&place(&row.session_id), &row.sealed).await?;
        let content: Content = serde_json::from_slice(&opened).map_err(|_| altered())?;
        let given = match content.given {
            Some(given) => Some(Given {
                client_id: given.client_id,
                redirect_uri: given.redirect_uri,
                code_challenge: given.code_challenge,
                resource: given.resource.parse::<Resource>().map_err(|_| altered())?,
                scopes: given.scopes,
            }),
            None => None,
        };
        let user = self.access.user(content.account, content.email).await?;
        let client_id = given.as_ref().map_or("", |given| given.client_id.as_str());
        let kind = if given.is_some() { CLIENT } else { BROWSER };
        let fits = user.name.as_str() == row.user_name
            && client_id == row.client_id
            && kind == row.kind
            && content.open_time == row.open_time;
        if !fits {
            return Err(altered());
        }
        let open_time = Timestamp::from_micros(content.open_time);
        Ok(Found {
            session: Session {
                session_id: row.session_id.parse().map_err(|_| altered())?,
                user,
                sign_in: SignIn {
                    auth_time: content.auth_time.map(Timestamp::from_micros),
                    acr: content.acr,
                    amr: content.amr,
                    issue_time: Timestamp::from_micros(content.issue_time),
                },
                opened_by: content.opened_by.parse().map_err(|_| altered())?,
                open_time,
                expire_time: open_time.plus(self.config.max_lifetime),
                given,
            },
            sequence: u64::try_from(row.sequence).unwrap_or(0),
            ended: row.end_time > 0,
        })
    }

    /// The session with this id, living or not.
    pub(super) async fn found(&self, session_id: &str) -> Result<Found, Error> {
        let row = store::by_id(&self.database, session_id).await?;
        let row = row.ok_or_else(|| Error::Altered(session_id.to_owned()))?;
        self.open_row(row).await
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Sessions,
        table: store::TABLE,
        column: "sealed",
        row,
        client_slug: "",
        kind: "session",
        generation: 1,
    }
}
