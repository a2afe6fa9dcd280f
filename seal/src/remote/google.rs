//! Google Cloud: access tokens, for a service account by its key or from the metadata server of the machine, and how it
//! says no.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hubkeep_core::clock::{SharedClock, Tick};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use super::{
    configs::GoogleConfig,
    door::{Answer, Ask, Door},
    error::{RemoteError, sentence},
    text::SecretText,
};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const METADATA: &str = "http://metadata.google.internal";
const METADATA_PATH: &str = "computeMetadata/v1/instance/service-accounts/default/token";
/// How long an assertion holds. An hour is the most that Google takes.
const ASSERTED_FOR: Duration = Duration::from_secs(10 * 60);
/// A token is not used any more when it has this much time left.
const SPARE: Duration = Duration::from_secs(60);

/// A service of Google Cloud.
pub struct Google {
    door: Door,
    endpoint: Url,
    who: Who,
    clock: SharedClock,
    token: Mutex<Option<Token>>,
}

enum Who {
    Account(Box<Account>),
    Machine(Url),
}

#[derive(Deserialize)]
struct Account {
    client_email: String,
    private_key: SecretText,
    token_uri: Url,
    #[serde(default)]
    private_key_id: String,
}

#[derive(Clone)]
struct Token {
    value: SecretText,
    until: Tick,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

#[derive(Deserialize)]
struct Given {
    access_token: SecretText,
    expires_in: u64,
}

impl Google {
    /// The service at `endpoint`, unless the configuration names another address. Nothing is sent yet.
    ///
    /// # Errors
    /// If the account's file cannot be used, or an address is none.
    pub fn new(config: &GoogleConfig, endpoint: &str, clock: SharedClock) -> Result<Self, RemoteError> {
        let unusable = |error: url::ParseError| RemoteError::Unusable(error.to_string());
        let own = Url::parse(endpoint).map_err(unusable)?;
        let machine = Url::parse(METADATA).map_err(unusable)?;
        let who = match &config.account_file {
            Some(file) => Who::Account(Box::new(account(file)?)),
            None => Who::Machine(config.metadata.clone().unwrap_or(machine)),
        };
        Ok(Self {
            door: Door::new(None, config.limit)?,
            endpoint: config.endpoint.clone().unwrap_or(own),
            who,
            clock,
            token: Mutex::default(),
        })
    }

    /// Asks, and gives back the answer if it is one of success.
    ///
    /// # Errors
    /// If it says no, or nothing.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, RemoteError> {
        let token = self.token().await?;
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let ask = Ask::new(method, &self.endpoint, path)?.header("authorization", &bearer)?;
        let ask = match body {
            Some(body) => ask.json(body)?,
            None => ask,
        };
        let answer = self.door.send(ask).await?;
        if answer.status == 401 {
            // It may have been taken back before its time.
            *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        sorted(answer)
    }

    async fn token(&self) -> Result<SecretText, RemoteError> {
        let now = self.clock.tick();
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = known.filter(|token| now < token.until) {
            return Ok(token.value);
        }
        let ask = match &self.who {
            Who::Machine(metadata) => Ask::to_metadata(metadata, METADATA_PATH)?,
            Who::Account(account) => {
                let assertion = self.assertion(account)?;
                let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                Ask::new(Method::POST, &account.token_uri, "")?
                    .form(&[("grant_type", kind), ("assertion", &assertion)])
            }
        };
        let given: Given = sorted(self.door.send(ask).await?)?.json()?;
        let lives = Duration::from_secs(given.expires_in).saturating_sub(SPARE);
        let token = Token {
            value: given.access_token,
            until: now.plus(lives),
        };
        let value = token.value.clone();
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(value)
    }

    /// Says who we are, signed with the account's key.
    fn assertion(&self, account: &Account) -> Result<Zeroizing<String>, RemoteError> {
        let seconds = u64::try_from(self.clock.now().as_micros() / 1_000_000).unwrap_or(0);
        let claims = Claims {
            iss: &account.client_email,
            scope: SCOPE,
            aud: account.token_uri.as_str(),
            iat: seconds,
            exp: seconds.saturating_add(ASSERTED_FOR.as_secs()),
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(account.private_key_id.clone());
        let unusable =
            |_| RemoteError::Unusable("the private key of the service account is not an RSA key".to_owned());
        let key = EncodingKey::from_rsa_pem(account.private_key.expose().as_bytes()).map_err(unusable)?;
        Ok(Zeroizing::new(
            jsonwebtoken::encode(&header, &claims, &key).map_err(unusable)?,
        ))
    }
}

impl std::fmt::Debug for Google {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Google")
            .field("endpoint", &self.endpoint.as_str())
            .finish_non_exhaustive()
    }
}

fn account(file: &Path) -> Result<Account, RemoteError> {
    let unusable = |problem: String| RemoteError::Credentials {
        file: file.to_owned(),
        problem,
    };
    let text = std::fs::read(file).map(Zeroizing::new);
    let text = text.map_err(|error| unusable(error.to_string()))?;
    // What serde says may quote the file.
    serde_json::from_slice(&text).map_err(|_| unusable("it is not the key of a service account".to_owned()))
}

/// An answer of success, or what Google says otherwise.
fn sorted(answer: Answer) -> Result<Answer, RemoteError> {
    #[derive(Deserialize)]
    struct Said {
        error: Told,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        Api { message: String },
        OAuth(String),
    }
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let told = match answer.json::<Said>() {
        Ok(Said {
            error: Told::Api { message: told } | Told::OAuth(told),
        }) => sentence(&told),
        Err(_) => format!("HTTP status {}", answer.status),
    };
    Err(match answer.status {
        401 | 403 => RemoteError::Denied(told),
        404 => RemoteError::NotFound(told),
        409 => RemoteError::Taken,
        status => RemoteError::Refused { status, told },
    })
}
