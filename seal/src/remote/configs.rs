//! Where AWS and Google Cloud are, and who we are to them. Part of every build, so that a configuration that names them is
//! understood, and refused with a reason, by one that cannot speak to them.

use std::{path::PathBuf, time::Duration};

use hubkeep_core::{address::is_protected, config::Fault};
use serde::{Deserialize, Serialize};
use url::Url;

use super::ANSWERED_WITHIN;

/// Who we are to AWS is found as its own tools find it: environment, web identity, container, instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct AwsConfig {
    /// Another address than the region's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Url>,
    /// How long an answer may take, attempts and all. 5 s unless set.
    #[serde(with = "humantime_serde")]
    pub limit: Duration,
}

/// Who we are to Google Cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct GoogleConfig {
    /// The key file of a service account (JSON). Without it, the metadata server of the machine says who we are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_file: Option<PathBuf>,
    /// Another address than the service's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Url>,
    /// Another address than `http://metadata.google.internal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Url>,
    /// How long an answer may take. 5 s unless set.
    #[serde(with = "humantime_serde")]
    pub limit: Duration,
}

impl Default for AwsConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            limit: ANSWERED_WITHIN,
        }
    }
}

impl Default for GoogleConfig {
    fn default() -> Self {
        Self {
            account_file: None,
            endpoint: None,
            metadata: None,
            limit: ANSWERED_WITHIN,
        }
    }
}

impl AwsConfig {
    /// Notes what cannot work. `key` is where the configuration stands.
    pub fn validate(&self, key: &str, faults: &mut Vec<Fault>) {
        check(self.endpoint.as_ref(), &format!("{key}.endpoint"), faults);
    }
}

impl GoogleConfig {
    /// Notes what cannot work. `key` is where the configuration stands.
    pub fn validate(&self, key: &str, faults: &mut Vec<Fault>) {
        check(self.endpoint.as_ref(), &format!("{key}.endpoint"), faults);
        check(self.metadata.as_ref(), &format!("{key}.metadata"), faults);
    }
}

fn check(address: Option<&Url>, key: &str, faults: &mut Vec<Fault>) {
    if address.is_some_and(|address| !is_protected(address)) {
        faults.push(Fault::new(
            key,
            "must be https, or http on loopback: secrets travel on it",
        ));
    }
}
