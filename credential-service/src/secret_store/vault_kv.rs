//! Sealed bytes in the KV engine, version 2, of Vault or OpenBao.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hubkeep_seal::remote::{Method, RemoteError, Vault};
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::VaultKvConfig;

/// No body.
const NOTHING: Option<&Value> = None;

/// A folder of a KV engine.
#[derive(Clone, Debug)]
pub(super) struct VaultKv {
    vault: Vault,
    mount: String,
    folder: String,
}

#[derive(Deserialize)]
struct Version {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    sealed: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

impl VaultKv {
    pub(super) fn new(config: &VaultKvConfig, deployment: &str) -> Result<Self, RemoteError> {
        Ok(Self {
            vault: Vault::new(&config.server)?,
            mount: config.mount.clone(),
            folder: format!("hubkeep/{deployment}"),
        })
    }

    pub(super) async fn put(&self, name: &str, sealed: &[u8]) -> Result<(), RemoteError> {
        // Only if there is none: the engine compares.
        let body = json!({ "data": { "sealed": BASE64.encode(sealed) }, "options": { "cas": 0 } });
        let path = format!("{}/data/{}/{name}", self.mount, self.folder);
        match self.vault.ask(Method::POST, &path, Some(&body)).await {
            Ok(_) => Ok(()),
            Err(RemoteError::Refused { status: 400, told }) if told.contains("check-and-set") => {
                Err(RemoteError::Taken)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let path = format!("{}/data/{}/{name}", self.mount, self.folder);
        let version: Version = self.vault.data(Method::GET, &path, NOTHING).await?;
        let sealed = BASE64.decode(version.data.sealed);
        sealed.map_err(|_| RemoteError::Nonsense("what lies there is not base64"))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), RemoteError> {
        let path = format!("{}/metadata/{}/{name}", self.mount, self.folder);
        self.vault.ask(Method::DELETE, &path, NOTHING).await.map(|_| ())
    }

    pub(super) async fn list(&self) -> Result<Vec<String>, RemoteError> {
        let path = format!("{}/metadata/{}?list=true", self.mount, self.folder);
        match self.vault.data::<Keys>(Method::GET, &path, NOTHING).await {
            Ok(keys) => Ok(keys.keys),
            Err(RemoteError::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
