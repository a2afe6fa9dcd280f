//! Vault and OpenBao: who we are to it, and how it says no.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use hubkeep_core::{address::is_protected, config::Fault};
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;
use zeroize::Zeroizing;

use super::{
    ANSWERED_WITHIN,
    door::{Answer, Ask, Door},
    error::{RemoteError, sentence},
};

/// Where a Vault or an OpenBao is, and who we are to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct VaultConfig {
    /// Its address: https, or http on loopback. Required.
    pub address: Option<Url>,
    /// A file with a token. It is read at each request, so that an agent may renew it.
    pub token_file: PathBuf,
    /// The namespace; empty for none.
    pub namespace: String,
    /// Roots to trust (PEM) instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take. 5 s unless set.
    #[serde(with = "humantime_serde")]
    pub limit: Duration,
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self {
            address: None,
            token_file: PathBuf::new(),
            namespace: String::new(),
            ca_file: None,
            limit: ANSWERED_WITHIN,
        }
    }
}

impl VaultConfig {
    /// Notes what cannot work. `key` is where the configuration stands.
    pub fn validate(&self, key: &str, faults: &mut Vec<Fault>) {
        match &self.address {
            Some(address) if is_protected(address) => {}
            _ => faults.push(Fault::new(
                format!("{key}.address"),
                "must be https, or http on loopback: secrets travel on it",
            )),
        }
        if self.token_file.as_os_str().is_empty() {
            faults.push(Fault::new(
                format!("{key}.token_file"),
                "must name the file that holds the token",
            ));
        }
    }
}

/// A Vault or an OpenBao.
#[derive(Clone, Debug)]
pub struct Vault {
    door: Door,
    address: Url,
    token_file: PathBuf,
    namespace: String,
}

impl Vault {
    /// The one that the configuration names. Nothing is sent yet.
    ///
    /// # Errors
    /// If it cannot be addressed.
    pub fn new(config: &VaultConfig) -> Result<Self, RemoteError> {
        let address = config
            .address
            .clone()
            .ok_or_else(|| RemoteError::Unusable("no address is set".to_owned()))?;
        Ok(Self {
            door: Door::new(config.ca_file.as_deref(), config.limit)?,
            address,
            token_file: config.token_file.clone(),
            namespace: config.namespace.clone(),
        })
    }

    /// Its namespace; empty for none.
    pub fn namespace(&self) -> &str {
        &self.namespace
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
        let token = token(&self.token_file)?;
        let ask = Ask::new(method, &self.address, &format!("v1/{path}"))?;
        let ask = ask
            .header("x-vault-token", &token)?
            .header("x-vault-request", "true")?;
        let ask = match self.namespace.as_str() {
            "" => ask,
            namespace => ask.header("x-vault-namespace", namespace)?,
        };
        let ask = match body {
            Some(body) => ask.json(body)?,
            None => ask,
        };
        let answer = self.door.send(ask).await?;
        match answer.status {
            200..=299 => Ok(answer),
            403 | 401 => Err(RemoteError::Denied(told(&answer))),
            404 => Err(RemoteError::NotFound(told(&answer))),
            status => Err(RemoteError::Refused {
                status,
                told: told(&answer),
            }),
        }
    }

    /// The same, for the `data` of its answer.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), and if there is no such data.
    pub async fn data<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, RemoteError> {
        #[derive(Deserialize)]
        struct Data<T> {
            data: T,
        }
        Ok(self.ask(method, path, body).await?.json::<Data<T>>()?.data)
    }
}

/// What it says when it says no.
fn told(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<String>,
    }
    let errors = answer.json::<Errors>().map(|said| said.errors.join("; "));
    match errors {
        Ok(errors) if !errors.is_empty() => sentence(&errors),
        _ => format!("HTTP status {}", answer.status),
    }
}

/// The token as it stands in its file now.
fn token(file: &Path) -> Result<Zeroizing<String>, RemoteError> {
    let unusable = |problem: String| RemoteError::Credentials {
        file: file.to_owned(),
        problem,
    };
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|error| unusable(error.to_string()))?;
    let token = text.trim();
    if token.is_empty() || !token.chars().all(|letter| letter.is_ascii_graphic()) {
        return Err(unusable("it holds no token".to_owned()));
    }
    Ok(Zeroizing::new(token.to_owned()))
}
