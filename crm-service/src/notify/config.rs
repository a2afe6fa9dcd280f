//! Who is told of what happens here, and how.

use std::path::PathBuf;

use hubkeep_core::config::{Fault, Validate};
use hubkeep_webhook::Address;
use serde::{Deserialize, Serialize};

/// Who is told. Left out, nobody is: alerts stand in the stream and in the log lines all the same.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// A receiver of signed webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// A channel of Slack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// How deliveries are made.
    pub delivery: hubkeep_webhook::Config,
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

/// A channel of Slack.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Slack {
    /// The file with the address of its incoming webhook, which is a secret, for nobody but its owner and group to read.
    pub url_file: PathBuf,
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        self.delivery.validate(faults);
        if let Some(webhook) = &self.webhook {
            if let Err(invalid) = webhook.url.parse::<Address>() {
                faults.push(Fault::new("notify.webhook.url", invalid.rule()));
            }
            if webhook.secret_file.as_os_str().is_empty() {
                let problem = "name the file with the secret that deliveries are signed with";
                faults.push(Fault::new("notify.webhook.secret_file", problem));
            }
        }
        if let Some(slack) = &self.slack
            && slack.url_file.as_os_str().is_empty()
        {
            let problem = "name the file with the address of Slack's incoming webhook";
            faults.push(Fault::new("notify.slack.url_file", problem));
        }
    }
}
