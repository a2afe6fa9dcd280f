//! The one place that sends to services that keep keys, secrets and anchors. It sends to protected addresses only, once, follows
//! no redirect, uses no proxy, and waits for an answer of bounded size within a bound of time.

use std::{fmt, path::Path, time::Duration};

use hubkeep_core::address::is_protected;
use reqwest::{
    Method, Response,
    header::{HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;
use zeroize::Zeroizing;

use super::error::RemoteError;

/// The largest answer that is read: sealed secrets are far smaller.
const MAX_ANSWER: usize = 1024 * 1024;

/// A way to one service.
#[derive(Clone)]
pub struct Door {
    http: reqwest::Client,
    limit: Duration,
}

/// A question.
pub struct Ask {
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
}

/// An answer, with whatever status.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    body: Zeroizing<Vec<u8>>,
}

impl Door {
    /// A way that trusts the system's roots, or those in this file (PEM) alone.
    ///
    /// # Errors
    /// If the file holds no certificates.
    #[expect(
        clippy::disallowed_methods,
        reason = "this client never speaks to HubSpot: it is given no token of a portal"
    )]
    pub fn new(ca_file: Option<&Path>, limit: Duration) -> Result<Self, RemoteError> {
        let unusable = |error: &dyn fmt::Display| RemoteError::Unusable(error.to_string());
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("hubkeep/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limit)
            .timeout(limit)
            // A redirect would carry credentials to an address that nobody configured; a proxy likewise.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .retry(reqwest::retry::never())
            .tcp_nodelay(true);
        if let Some(file) = ca_file {
            let pem = std::fs::read(file).map_err(|error| RemoteError::Credentials {
                file: file.to_owned(),
                problem: error.to_string(),
            })?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))?;
            builder = builder.tls_certs_only(roots);
        }
        let http = builder.build().map_err(|error| unusable(&error))?;
        Ok(Self { http, limit })
    }

    /// Asks, and gives back whatever is answered.
    ///
    /// # Errors
    /// If the address is not protected, or no whole answer came in time.
    #[expect(
        clippy::disallowed_methods,
        reason = "HubSpot is not reached from here: this is the way to key services, secret stores and anchors"
    )]
    pub async fn send(&self, ask: Ask) -> Result<Answer, RemoteError> {
        let mut request = self.http.request(ask.method, ask.url);
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        if let Some((kind, body)) = ask.body {
            request = request.header("content-type", kind).body(body.to_vec());
        }
        let response = request.send().await.map_err(|error| self.lost(error))?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Answer, RemoteError> {
        let status = response.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(RemoteError::Nonsense("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }

    fn lost(&self, error: reqwest::Error) -> RemoteError {
        if error.is_timeout() {
            return RemoteError::Silent(self.limit);
        }
        RemoteError::Unreachable(Box::new(error.without_url()))
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("limit", &self.limit).finish()
    }
}

impl Ask {
    /// A question to a path below an address.
    ///
    /// # Errors
    /// If secrets may not travel there, or there is no such place.
    pub fn new(method: Method, base: &Url, path: &str) -> Result<Self, RemoteError> {
        if !is_protected(base) {
            let problem = format!("{base} is neither https nor loopback");
            return Err(RemoteError::Unusable(problem));
        }
        let whole = match path {
            "" => base.to_string(),
            path => format!("{}/{path}", base.as_str().trim_end_matches('/')),
        };
        let url = Url::parse(&whole).map_err(|error| RemoteError::Unusable(error.to_string()))?;
        Ok(Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
        })
    }

    /// A question to the metadata server of a machine in Google Cloud, which is reached in the clear and never leaves
    /// the machine.
    ///
    /// # Errors
    /// If there is no such place.
    #[cfg(feature = "gcp")]
    pub(crate) fn to_metadata(base: &Url, path: &str) -> Result<Self, RemoteError> {
        let url = base
            .join(path)
            .map_err(|error| RemoteError::Unusable(error.to_string()))?;
        let ask = Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: None,
        };
        ask.header("metadata-flavor", "Google")
    }

    /// With this header, which no log shows.
    ///
    /// # Errors
    /// If the value cannot stand in a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Result<Self, RemoteError> {
        let unfit = || RemoteError::Unusable(format!("what should stand in the header {name} cannot"));
        let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        self.headers.push((HeaderName::from_static(name), value));
        Ok(self)
    }

    /// With this as its body.
    ///
    /// # Errors
    /// If it is no JSON, a defect.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, RemoteError> {
        let bytes = serde_json::to_vec(body).map_err(|error| RemoteError::Unusable(error.to_string()))?;
        self.body = Some(("application/json", Zeroizing::new(bytes)));
        Ok(self)
    }

    /// With these bytes as its body, of this kind.
    #[must_use]
    pub fn bytes(mut self, kind: &'static str, bytes: &[u8]) -> Self {
        self.body = Some((kind, Zeroizing::new(bytes.to_vec())));
        self
    }

    /// With these fields of a form as its body.
    #[cfg(feature = "gcp")]
    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let bytes = Zeroizing::new(form.into_bytes());
        self.body = Some(("application/x-www-form-urlencoded", bytes));
        self
    }
}

impl Answer {
    /// The answer as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The answer, read.
    ///
    /// # Errors
    /// If it is not what such an answer looks like. What it holds is not told: it may be a secret.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, RemoteError> {
        serde_json::from_slice(&self.body)
            .map_err(|_| RemoteError::Nonsense("not the JSON that was expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_https_or_on_loopback_only() {
        for (address, goes) in [
            ("https://vault.internal:8200", true),
            ("http://127.0.0.1:8200", true),
            ("http://[::1]:1", true),
            ("http://vault.internal:8200", false),
            ("http://10.0.0.1", false),
            ("ftp://127.0.0.1", false),
        ] {
            let address = Url::parse(address).expect("a URL");
            assert_eq!(Ask::new(Method::GET, &address, "v1").is_ok(), goes, "{address}");
        }
    }
}
