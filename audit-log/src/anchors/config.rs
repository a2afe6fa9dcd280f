//! Where heads are anchored, how often, and when it is too late.

use std::{path::PathBuf, time::Duration};

use hubkeep_core::config::{Fault, Validate as _};
use hubkeep_webhook::Address;
use serde::{Deserialize, Serialize};

use super::s3_config::S3;
use crate::proofs;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Anchors of a log. Where no place is named, nothing is anchored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// How often the newest checkpoint of the heads is put to each place, where something is new: 10 min unless set.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// How much longer than `every` something may wait to be anchored before that is noted in the log: 3 min unless set.
    #[serde(with = "humantime_serde")]
    pub late_by: Duration,
    /// Nothing is written to HubSpot any more while something has waited for longer than this: 1 day unless set; 0 for never.
    #[serde(with = "humantime_serde")]
    pub block_writes_after: Duration,
    /// How deliveries to the webhook are made.
    pub delivery: hubkeep_webhook::Config,
    /// A receiver of signed webhooks, which keeps what it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// A bucket of S3-compatible storage with Object Lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3>,
}

/// A receiver of signed webhooks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Webhook {
    /// Where it listens: https, or http on loopback.
    pub url: String,
    /// The file with its secret, `whsec_` and the base64 of 24 to 64 random bytes, for nobody but its owner and group to read.
    pub secret_file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10 * 60),
            late_by: Duration::from_secs(3 * 60),
            block_writes_after: DAY,
            delivery: hubkeep_webhook::Config::default(),
            webhook: None,
            s3: None,
        }
    }
}

impl Config {
    /// Whether something is anchored at all.
    pub const fn is_on(&self) -> bool {
        self.webhook.is_some() || self.s3.is_some()
    }

    /// What has waited for longer than this is late.
    pub(crate) const fn late_after(&self) -> Duration {
        self.every.saturating_add(self.late_by)
    }

    /// After how long nothing is written any more, if ever.
    pub(crate) fn blocks_writes_after(&self) -> Option<Duration> {
        Some(self.block_writes_after).filter(|after| self.is_on() && !after.is_zero())
    }

    pub(crate) fn check(&self, proofs: &proofs::Config, faults: &mut Vec<Fault>) {
        if !self.is_on() {
            return;
        }
        self.delivery.validate(faults);
        let mut fault = |key: &str, problem: &str| {
            faults.push(Fault::new(format!("audit.anchors.{key}"), problem));
        };
        if !proofs.enabled {
            fault(
                "every",
                "needs audit.proofs: what is anchored are its checkpoints",
            );
        }
        if self.every.is_zero() || self.every > DAY {
            fault("every", "must be more than 0 and at most 1day");
        }
        if self.late_by <= proofs.every.saturating_add(proofs.heads_every) {
            let problem = "must be more than audit.proofs.every and audit.proofs.heads_every together: nothing is anchored sooner";
            fault("late_by", problem);
        }
        if !self.block_writes_after.is_zero() && self.block_writes_after <= self.late_after() {
            let problem = "must be more than every and late_by together, or 0 for never";
            fault("block_writes_after", problem);
        }
        if let Some(webhook) = &self.webhook {
            if let Err(invalid) = webhook.url.parse::<Address>() {
                fault("webhook.url", invalid.rule());
            }
            if webhook.secret_file.as_os_str().is_empty() {
                let problem = "name the file with the secret that deliveries are signed with";
                fault("webhook.secret_file", problem);
            }
        }
        if let Some(s3) = &self.s3 {
            s3.check(|key, problem| fault(&format!("s3.{key}"), problem));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_and_what_is_off_has_none() {
        let wrong = Config {
            every: Duration::ZERO,
            late_by: Duration::from_secs(70),
            block_writes_after: Duration::from_secs(70),
            webhook: Some(Webhook::default()),
            s3: Some(S3 {
                endpoint: "http://10.0.0.1".parse().ok(),
                prefix: "..".to_owned(),
                retain: Duration::ZERO,
                timeout: Duration::ZERO,
                ..S3::default()
            }),
            ..Config::default()
        };
        let off = proofs::Config {
            enabled: false,
            ..proofs::Config::default()
        };
        let mut faults = Vec::new();
        wrong.check(&off, &mut faults);
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        let named = [
            "every",
            "every",
            "late_by",
            "block_writes_after",
            "webhook.url",
            "webhook.secret_file",
            "s3.bucket",
            "s3.region",
            "s3.prefix",
            "s3.endpoint",
            "s3.credentials_file",
            "s3.retain",
            "s3.timeout",
        ];
        assert_eq!(keys, named.map(|key| format!("audit.anchors.{key}")));
        let mut faults = Vec::new();
        Config {
            webhook: None,
            s3: None,
            ..wrong
        }
        .check(&off, &mut faults);
        assert_eq!(faults, []);
    }
}
