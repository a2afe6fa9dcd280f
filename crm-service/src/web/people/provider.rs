//! A provider that people sign in with: where its pages are, and what it gives for a code. The ID token is not looked at here:
//! credential-service verifies it.

use std::time::Duration;

use aws_lc_rs::digest;
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hubkeep_core::{
    address::is_protected,
    clock::{SharedClock, Tick},
    secret_file,
};
use hubkeep_seal::remote::{Ask, Door, RemoteError};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded::Serializer};
use zeroize::Zeroizing;

use super::config;

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long its description is kept.
const FRESH: Duration = Duration::from_secs(3_600);
const WELL_KNOWN: &str = ".well-known/openid-configuration";
const FORM: &str = "application/x-www-form-urlencoded";

/// A provider.
pub(super) struct Provider {
    pub(super) config: config::Provider,
    door: Door,
    described_at: Url,
    client_secret: Option<Zeroizing<String>>,
    clock: SharedClock,
    kept: Mutex<Option<(Tick, Description)>>,
}

/// What a sign-in is begun with: all of it comes back with the same browser.
pub(super) struct Begun<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) state: &'a str,
    pub(super) nonce: &'a str,
    pub(super) verifier: &'a str,
}

#[derive(Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
}

#[derive(Deserialize)]
struct Given {
    id_token: String,
}

impl Provider {
    /// Reads our secret. Nothing is asked of the provider yet.
    pub(super) fn open(config: config::Provider, clock: SharedClock) -> Result<Self, RemoteError> {
        let below = format!("{}/{WELL_KNOWN}", config.issuer());
        let named = Url::parse(&below).map_err(|error| RemoteError::Unusable(error.to_string()))?;
        let read = |file: &std::path::PathBuf| {
            secret_file::read(file).map_err(|problem| RemoteError::Credentials {
                file: file.clone(),
                problem,
            })
        };
        let client_secret = config.client_secret_file.as_ref().map(read).transpose()?;
        Ok(Self {
            door: Door::new(None, PATIENCE)?,
            described_at: config.discovery.clone().unwrap_or(named),
            client_secret,
            config,
            clock,
            kept: Mutex::default(),
        })
    }

    /// Where the browser is sent.
    pub(super) async fn authorize_url(&self, begun: &Begun<'_>) -> Result<String, RemoteError> {
        let mut page = self.described().await?.authorization_endpoint;
        let hash = digest::digest(&digest::SHA256, begun.verifier.as_bytes());
        let challenge = URL_SAFE_NO_PAD.encode(hash.as_ref());
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", begun.redirect_uri)
            .append_pair("scope", "openid email")
            .append_pair("state", begun.state)
            .append_pair("nonce", begun.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !self.config.hosted_domain.is_empty() {
            page.query_pairs_mut()
                .append_pair("hd", &self.config.hosted_domain);
        }
        Ok(page.into())
    }

    /// The ID token for a code.
    pub(super) async fn redeem(
        &self,
        code: &str,
        begun: &Begun<'_>,
    ) -> Result<Zeroizing<String>, RemoteError> {
        let endpoint = self.described().await?.token_endpoint;
        let form = self.form(code, begun);
        let ask = Ask::new(Method::POST, &endpoint, "")?.bytes(FORM, form.as_bytes());
        let answer = self.door.send(ask).await?;
        if answer.status != 200 {
            return Err(RemoteError::Nonsense("the provider gives nothing for the code"));
        }
        Ok(Zeroizing::new(answer.json::<Given>()?.id_token))
    }

    /// What is sent with a code.
    fn form(&self, code: &str, begun: &Begun<'_>) -> Zeroizing<String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", begun.redirect_uri)
            .append_pair("client_id", &self.config.client_id)
            .append_pair("code_verifier", begun.verifier);
        if let Some(secret) = &self.client_secret {
            form.append_pair("client_secret", secret);
        }
        Zeroizing::new(form.finish())
    }

    /// What it says of itself, asked for once an hour.
    async fn described(&self) -> Result<Description, RemoteError> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.tick();
        if let Some((since, description)) = kept.as_ref()
            && now.since(*since) < FRESH
        {
            return Ok(description.clone());
        }
        let ask = Ask::new(Method::GET, &self.described_at, "")?;
        let description: Description = self.door.send(ask).await?.json()?;
        if description.issuer.trim_end_matches('/') != self.config.issuer() {
            return Err(RemoteError::Nonsense("the description is of another issuer"));
        }
        if !is_protected(&description.authorization_endpoint) {
            return Err(RemoteError::Nonsense("its page is neither https nor on loopback"));
        }
        *kept = Some((now, description.clone()));
        Ok(description)
    }
}
