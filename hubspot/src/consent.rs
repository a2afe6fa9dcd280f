//! Consents that people give in a browser: where they are sent, what the code they come back with gives, whose it is, and how it
//! is taken back. Each question goes out by the one door, as in [`oauth`](crate::oauth).

use hubkeep_audit_log::Draft;
use hubkeep_core::{clock::Tick, id::PortalId, secret::PortalToken};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::Error as _};
use url::Url;

use crate::{
    account::{TokenInfo, sorted},
    answer::Decoded,
    app::App,
    client::Client,
    error::Error,
    oauth::{self, Exchanged},
    path::Path,
    request::{Ask, Lease, RecordRefs, Request},
    wire,
};

/// What stands as it is in a query. A space becomes %20: HubSpot does not take a plus for one.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The longest e-mail address.
const LONGEST_EMAIL: usize = 320;

/// What somebody is asked to consent to.
#[derive(Clone, Copy, Debug)]
pub struct Consent<'a> {
    /// The page at HubSpot.
    pub page: &'a Url,
    /// The account that is preselected.
    pub portal: Option<PortalId>,
    /// Where the browser comes back.
    pub redirect_uri: &'a str,
    /// What it must give.
    pub scopes: &'a [String],
    /// What it gives where the account has it.
    pub optional_scopes: &'a [String],
}

/// The code that a browser came back with, and what proves that it is ours.
pub struct Code<'a> {
    /// The code.
    pub code: &'a PortalToken,
    /// Where the browser came back.
    pub redirect_uri: &'a str,
    /// The verifier of the challenge that was sent.
    pub verifier: &'a str,
}

/// How far a token reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As far as its user's own permissions.
    User,
    /// As far as its scopes, whoever the user is.
    Account,
}

/// Whose a token of our app is.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenOwner {
    /// The account, and what the token may do.
    pub info: TokenInfo,
    /// The user's e-mail address.
    pub email: String,
    /// How far it reaches, where HubSpot says.
    pub level: Option<Level>,
}

impl std::fmt::Debug for TokenOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenOwner({:?}, {:?})", self.info, self.level)
    }
}

impl App {
    /// The address to which a browser is sent for a consent.
    pub fn consent_url(&self, consent: &Consent<'_>, state: &str, challenge: &str) -> String {
        let mut page = consent.page.clone();
        if let Some(portal) = consent.portal {
            // "/oauth/authorize" becomes "/oauth/42/authorize".
            let path = page.path().trim_end_matches('/').to_owned();
            let (before, last) = path.rsplit_once('/').unwrap_or(("", path.as_str()));
            page.set_path(&format!("{before}/{portal}/{last}"));
        }
        let (scopes, optional) = (consent.scopes.join(" "), consent.optional_scopes.join(" "));
        let fields = [
            ("client_id", self.client_id()),
            ("redirect_uri", consent.redirect_uri),
            ("scope", &scopes),
            ("optional_scope", &optional),
            ("state", state),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = fields
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, IN_QUERY)))
            .collect();
        page.set_query(Some(&query.join("&")));
        page.into()
    }
}

impl Client {
    /// Exchanges a code. It is good once: what comes of it must be kept, or taken back.
    ///
    /// # Errors
    /// As [`Client::call`]; [`RefusalKind::ConsentLost`](crate::RefusalKind::ConsentLost) if the code is not taken.
    pub async fn redeem_code(
        &self,
        draft: Draft,
        app: &App,
        code: &Code<'_>,
        deadline: Tick,
    ) -> Result<Exchanged, Error> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.code.expose()),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        let ask = oauth::of_app(
            Path::oauth_token(self.version()),
            app,
            &form,
            oauth::given_with_refresh,
        );
        self.ask_of_app(draft, ask, code.code, deadline).await
    }

    /// Asks whose an access token of our app is; `None` if it is none, or none any more.
    ///
    /// # Errors
    /// As [`Client::exchange`].
    pub async fn owner_of(
        &self,
        draft: Draft,
        app: &App,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<Option<TokenOwner>, Error> {
        let form = [("token", token.expose()), ("token_type_hint", "access_token")];
        let path = Path::oauth_token(self.version()).then("introspect");
        self.ask_of_app(draft, oauth::of_app(path, app, &form, owner), token, deadline)
            .await
    }

    /// Tells HubSpot to refuse a refresh token from now on. Access tokens that it gave live on to their end. Telling it again
    /// changes nothing.
    ///
    /// # Errors
    /// As [`Client::exchange`].
    pub async fn revoke_refresh_token(
        &self,
        draft: Draft,
        app: &App,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<(), Error> {
        let form = [("token", token.expose()), ("token_type_hint", "refresh_token")];
        let path = Path::oauth_token(self.version()).then("revoke");
        let ask = oauth::of_app(path, app, &form, |_| Ok(Decoded::one(())));
        self.ask_of_app(draft, ask, token, deadline).await
    }

    async fn ask_of_app<T>(
        &self,
        draft: Draft,
        ask: Ask<T>,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<T, Error> {
        let request = Request {
            ask,
            token,
            draft,
            deadline,
            lease: Lease::default(),
            refs: RecordRefs::default(),
        };
        Ok(self.call(request).await?.value)
    }
}

#[derive(Deserialize)]
struct WireOwner {
    active: bool,
    hub_id: Option<u64>,
    #[serde(default)]
    scopes: Vec<String>,
    app_id: Option<u64>,
    user_id: Option<u64>,
    #[serde(default)]
    user: String,
    signed_access_token: Option<WireSigned>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSigned {
    is_user_level: Option<bool>,
}

fn owner(body: &[u8]) -> Result<Decoded<Option<TokenOwner>>, serde_json::Error> {
    let wire: WireOwner = wire::object(body)?;
    if !wire.active {
        return Ok(Decoded::one(None));
    }
    if wire.user.len() > LONGEST_EMAIL || wire.user.contains(char::is_control) {
        return Err(serde_json::Error::custom("not an e-mail address"));
    }
    let user_level = wire.signed_access_token.and_then(|signed| signed.is_user_level);
    Ok(Decoded::one(Some(TokenOwner {
        info: TokenInfo {
            portal_id: oauth::portal_id(wire.hub_id.unwrap_or_default())?,
            scopes: sorted(wire.scopes),
            app_id: wire.app_id,
            user_id: wire.user_id,
        },
        email: wire.user,
        level: user_level.map(|user| if user { Level::User } else { Level::Account }),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_token_names_its_user_and_how_far_it_reaches() {
        let body = br#"{"active":true,"hub_id":42,"user_id":7,"user":"ann@a.example","scopes":["oauth"],
            "signed_access_token":{"isUserLevel":true,"hubId":42}}"#;
        let found = owner(body).expect("reads").value.expect("active");
        assert_eq!(
            (found.email.as_str(), found.level),
            ("ann@a.example", Some(Level::User))
        );
        assert!(!format!("{found:?}").contains("ann@"));
        let body = br#"{"active":true,"hub_id":42}"#;
        let found = owner(body).expect("reads").value.expect("active");
        assert_eq!((found.email.as_str(), found.level), ("", None));
        assert!(owner(br#"{"active":false}"#).expect("reads").value.is_none());
        assert!(owner(br#"{"active":true,"hub_id":42,"user":"a\nb"}"#).is_err());
    }

    #[test]
    fn the_address_of_a_consent_has_spaces_as_20_and_the_account_in_its_path() {
        let app = App::of("id", "secret");
        let page = Url::parse("https://app.hubspot.com/oauth/authorize").expect("valid");
        let scopes = ["oauth".to_owned(), "crm.objects.contacts.read".to_owned()];
        let consent = Consent {
            page: &page,
            portal: PortalId::new(42),
            redirect_uri: "https://h.example/auth/hubspot/callback",
            scopes: &scopes,
            optional_scopes: &[],
        };
        assert_eq!(
            app.consent_url(&consent, "st", "ch"),
            "https://app.hubspot.com/oauth/42/authorize?client_id=id&redirect_uri=https%3A%2F%2Fh.example%2Fauth%2Fhubspot\
             %2Fcallback&scope=oauth%20crm.objects.contacts.read&state=st&code_challenge=ch&code_challenge_method=S256"
        );
    }
}
