//! OAuth: a refresh token of our app, which a portal gave by installing it, gives access tokens of 30 minutes.
//!
//! The requests are four fields of a form, and go out by the one door of all requests: recorded first, bounded, never
//! sent again by themselves. What a library for OAuth has beyond that, its own way to send, is what must not be used
//! here; and its errors carry the body that could not be read, in which tokens may stand.

use std::time::Duration;

use hubkeep_audit_log::Draft;
use hubkeep_core::{clock::Tick, id::PortalId, secret::PortalToken};
use serde::{Deserialize, de::Error as _};

use crate::{
    account::{TokenInfo, sorted},
    answer::Decoded,
    app::App,
    client::Client,
    error::Error,
    path::Path,
    request::{Ask, Lease, RecordRefs, Request},
    wire,
};

/// No token is taken to live longer than this, whatever is said of it.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest token accepted, in bytes. HubSpot asks for room for 512, and says that they may grow.
const MAX_TOKEN: usize = 4_096;

/// What a refresh token gave.
#[derive(Debug)]
pub struct Exchanged {
    /// The portal whose consent it is.
    pub portal_id: PortalId,
    /// What calls are made with.
    pub access_token: PortalToken,
    /// How long HubSpot accepts it, from when it was asked for.
    pub lives_for: Duration,
    /// What the next one is asked for with: the same as before, or another that takes its place.
    pub refresh_token: PortalToken,
    /// What the access token may do, sorted.
    pub scopes: Vec<String>,
}

impl Client {
    /// Exchanges a refresh token for an access token. Asking again is harmless: HubSpot repeats the refresh token.
    ///
    /// # Errors
    /// As [`Client::call`]; [`RefusalKind::ConsentLost`](crate::RefusalKind::ConsentLost) if the refresh token is refused
    /// for good, [`RefusalKind::AppRefused`](crate::RefusalKind::AppRefused) if the app is.
    pub async fn exchange(
        &self,
        draft: Draft,
        app: &App,
        refresh_token: &PortalToken,
        deadline: Tick,
    ) -> Result<Exchanged, Error> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        let ask = of_app(Path::oauth_token(self.version()), app, &form, exchanged);
        let request = Request {
            ask,
            token: refresh_token,
            draft,
            deadline,
            lease: Lease::default(),
            refs: RecordRefs::default(),
        };
        let wire = self.call(request).await?.value;
        Ok(Exchanged {
            portal_id: wire.portal_id,
            access_token: wire.access_token,
            lives_for: wire.lives_for,
            refresh_token: wire
                .refresh_token
                .unwrap_or_else(|| PortalToken::new(refresh_token.expose().to_owned())),
            scopes: wire.scopes,
        })
    }

    /// Asks what an access or refresh token of our app is; `None` if it is none, or none any more.
    ///
    /// # Errors
    /// As [`Client::exchange`].
    pub async fn introspect(
        &self,
        draft: Draft,
        app: &App,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<Option<TokenInfo>, Error> {
        let form = [("token", token.expose())];
        let path = Path::oauth_token(self.version()).then("introspect");
        let request = Request {
            ask: of_app(path, app, &form, introspected),
            token,
            draft,
            deadline,
            lease: Lease::default(),
            refs: RecordRefs::default(),
        };
        Ok(self.call(request).await?.value)
    }
}

/// A form that the app sends, with its id and secret.
pub(crate) fn of_app<T: 'static>(
    path: Path,
    app: &App,
    fields: &[(&str, &str)],
    decode: fn(&[u8]) -> Result<Decoded<T>, serde_json::Error>,
) -> Ask<T> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .append_pair("client_id", app.client_id())
        .append_pair("client_secret", app.client_secret())
        .finish();
    Ask::form(path, form, decode)
}

/// An answer of the token endpoint, read.
struct Given {
    portal_id: PortalId,
    access_token: PortalToken,
    lives_for: Duration,
    refresh_token: Option<PortalToken>,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct WireGiven {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    expires_in: u64,
    hub_id: u64,
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct WireInfo {
    active: bool,
    hub_id: Option<u64>,
    #[serde(default)]
    scopes: Vec<String>,
    app_id: Option<u64>,
    user_id: Option<u64>,
}

fn exchanged(body: &[u8]) -> Result<Decoded<Given>, serde_json::Error> {
    let wire: WireGiven = wire::object(body)?;
    Ok(Decoded::one(Given {
        portal_id: portal_id(wire.hub_id)?,
        access_token: token(wire.access_token)?,
        lives_for: Duration::from_secs(wire.expires_in).min(LONGEST),
        refresh_token: wire.refresh_token.map(token).transpose()?,
        scopes: sorted(wire.scopes),
    }))
}

/// The same of an answer to a code, which must have a refresh token: without one nothing is connected.
pub(crate) fn given_with_refresh(body: &[u8]) -> Result<Decoded<Exchanged>, serde_json::Error> {
    let given = exchanged(body)?.value;
    let missing = || serde_json::Error::custom("no refresh token");
    Ok(Decoded::one(Exchanged {
        portal_id: given.portal_id,
        access_token: given.access_token,
        lives_for: given.lives_for,
        refresh_token: given.refresh_token.ok_or_else(missing)?,
        scopes: given.scopes,
    }))
}

fn introspected(body: &[u8]) -> Result<Decoded<Option<TokenInfo>>, serde_json::Error> {
    let wire: WireInfo = wire::object(body)?;
    if !wire.active {
        return Ok(Decoded::one(None));
    }
    Ok(Decoded::one(Some(TokenInfo {
        portal_id: portal_id(wire.hub_id.unwrap_or_default())?,
        scopes: sorted(wire.scopes),
        app_id: wire.app_id,
        user_id: wire.user_id,
    })))
}

pub(crate) fn portal_id(number: u64) -> Result<PortalId, serde_json::Error> {
    PortalId::new(number).ok_or_else(|| serde_json::Error::custom("not a portal's id"))
}

fn token(text: String) -> Result<PortalToken, serde_json::Error> {
    let token = PortalToken::new(text);
    let text = token.expose();
    let fits = (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(token)
    } else {
        Err(serde_json::Error::custom("not a token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whose_the_token_is_and_how_long_it_lives_or_is_none() {
        let body =
            br#"{"access_token":"a","expires_in":1800,"hub_id":42,"scopes":["b","a"],"token_type":"bearer"}"#;
        let given = exchanged(body).expect("reads").value;
        assert_eq!((given.portal_id.get(), given.lives_for.as_secs()), (42, 1_800));
        assert_eq!(given.scopes, ["a", "b"]);
        assert!(given.refresh_token.is_none());
        for bad in [
            &br#"{"access_token":"a","expires_in":1800}"#[..],
            br#"{"access_token":"a","expires_in":1800,"hub_id":0}"#,
            br#"{"access_token":"","expires_in":1800,"hub_id":1}"#,
            br#"{"access_token":"a b","expires_in":1800,"hub_id":1}"#,
            br#"{"access_token":"a","expires_in":-1,"hub_id":1}"#,
            br#"{"access_token":"a","refresh_token":"","expires_in":1800,"hub_id":1}"#,
            b"<html>",
        ] {
            assert!(exchanged(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_token_that_is_not_active_is_none() {
        let read = |body: &[u8]| introspected(body).map(|read| read.value);
        assert_eq!(read(br#"{"active":false}"#).expect("reads"), None);
        assert!(read(br#"{"active":true}"#).is_err());
        let info = read(br#"{"active":true,"hub_id":7,"scopes":["oauth"]}"#).expect("reads");
        assert_eq!(info.expect("active").portal_id.get(), 7);
    }
}
