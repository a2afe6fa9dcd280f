//! Sealed bytes in Google Cloud Secret Manager.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hubkeep_core::clock::SharedClock;
use hubkeep_seal::remote::{Google, Method, RemoteError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::GcpSecretsConfig;

const ENDPOINT: &str = "https://secretmanager.googleapis.com";
/// No body.
const NOTHING: Option<&Value> = None;

/// The secrets of one deployment.
#[derive(Clone, Debug)]
pub(super) struct GcpSecrets {
    google: Arc<Google>,
    project: String,
    prefix: String,
}

#[derive(Deserialize)]
struct Accessed {
    name: String,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    data: String,
    data_crc32c: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Page {
    secrets: Vec<Secret>,
    next_page_token: String,
}

#[derive(Deserialize)]
struct Secret {
    name: String,
}

impl GcpSecrets {
    pub(super) fn new(
        config: &GcpSecretsConfig,
        deployment: &str,
        clock: SharedClock,
    ) -> Result<Self, RemoteError> {
        Ok(Self {
            google: Arc::new(Google::new(&config.server, ENDPOINT, clock)?),
            project: config.project.clone(),
            // No deployment's name has a '_': one that begins with another's name has another prefix.
            prefix: format!("hubkeep_{deployment}_"),
        })
    }

    fn path(&self, name: &str) -> String {
        format!("v1/projects/{}/secrets/{}{name}", self.project, self.prefix)
    }

    /// In two steps, as the service has it: a crash between them leaves a secret without bytes, which is swept.
    pub(super) async fn put(&self, name: &str, sealed: &[u8]) -> Result<(), RemoteError> {
        let path = format!(
            "v1/projects/{}/secrets?secretId={}{name}",
            self.project, self.prefix
        );
        let secret = json!({ "replication": { "automatic": {} }, "labels": { "made-by": "hubkeep" } });
        self.google.ask(Method::POST, &path, Some(&secret)).await?;
        let payload = json!({
            "payload": { "data": BASE64.encode(sealed), "dataCrc32c": crc32c::crc32c(sealed).to_string() },
        });
        let path = format!("{}:addVersion", self.path(name));
        self.google.ask(Method::POST, &path, Some(&payload)).await?;
        Ok(())
    }

    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let path = format!("{}/versions/latest:access", self.path(name));
        let answer = self.google.ask(Method::GET, &path, NOTHING).await?;
        let accessed: Accessed = answer.json()?;
        // The project stands there as a number.
        if !accessed
            .name
            .contains(&format!("/secrets/{}{name}/", self.prefix))
        {
            return Err(RemoteError::Nonsense("another secret came than was asked for"));
        }
        let sealed = BASE64.decode(accessed.payload.data);
        let sealed = sealed.map_err(|_| RemoteError::Nonsense("what lies there is not base64"))?;
        if crc32c::crc32c(&sealed).to_string() != accessed.payload.data_crc32c {
            return Err(RemoteError::Nonsense("the answer was altered on its way"));
        }
        Ok(sealed)
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), RemoteError> {
        match self.google.ask(Method::DELETE, &self.path(name), NOTHING).await {
            Ok(_) | Err(RemoteError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<String>, RemoteError> {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "v1/projects/{}/secrets?filter=name:{}&pageToken={token}",
                self.project, self.prefix
            );
            let page: Page = self.google.ask(Method::GET, &path, NOTHING).await?.json()?;
            let ours = page.secrets.iter().filter_map(|secret| {
                let (_, id) = secret.name.rsplit_once('/')?;
                id.strip_prefix(&self.prefix)
            });
            names.extend(ours.map(str::to_owned));
            if page.next_page_token.is_empty() {
                return Ok(names);
            }
            token = page.next_page_token;
        }
    }
}
