//! Which files hold a service's certificate, and whom it trusts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{Fault, Validate};

/// The trust domain where none is named.
pub const DEFAULT_TRUST_DOMAIN: &str = "hubkeep";

/// The section `[tls]`. Its files are read at start, and again every few seconds while the service runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The service's certificate (PEM), followed by those between it and the CA where there are any.
    pub certificate_file: PathBuf,
    /// The private key of that certificate (PEM). Nobody but its owner may read the file.
    pub key_file: PathBuf,
    /// The CA that signs the certificates of callers and of the other service (PEM; several may follow each other).
    pub ca_file: PathBuf,
    /// What the CAs have revoked (PEM; one list for each CA that signs). Without it nothing is looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl_file: Option<PathBuf>,
    /// Whether nobody is let in once a list is older than it says it may be. Otherwise it goes on counting, with a
    /// warning.
    pub crl_must_be_current: bool,
    /// The first part of every caller's URI name: `spiffe://<trust_domain>/<name>`.
    pub trust_domain: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            crl_file: None,
            crl_must_be_current: false,
            trust_domain: DEFAULT_TRUST_DOMAIN.to_owned(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        let files = [
            ("tls.certificate_file", &self.certificate_file),
            ("tls.key_file", &self.key_file),
            ("tls.ca_file", &self.ca_file),
        ];
        for (key, file) in files {
            if file.as_os_str().is_empty() {
                let problem = "name a file: `hubkeep certs init` and `hubkeep certs issue NAME` make them";
                faults.push(Fault::new(key, problem));
            }
        }
        if self.crl_must_be_current && self.crl_file.is_none() {
            faults.push(Fault::new("tls.crl_must_be_current", "needs tls.crl_file"));
        }
        if !is_trust_domain(&self.trust_domain) {
            let problem =
                "must be 1 to 255 of a-z, 0-9 and '.', '_', '-', as in spiffe://<trust_domain>/<name>";
            faults.push(Fault::new("tls.trust_domain", problem));
        }
    }
}

/// The rule of SPIFFE-ID 2.1.
fn is_trust_domain(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=255).contains(&text.len()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_at_once() {
        let mut faults = Vec::new();
        Config {
            trust_domain: "My Company".to_owned(),
            ..Config::default()
        }
        .validate(&mut faults);
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "tls.certificate_file",
                "tls.key_file",
                "tls.ca_file",
                "tls.trust_domain"
            ]
        );
    }
}
