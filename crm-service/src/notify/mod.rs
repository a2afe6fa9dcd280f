//! Tells people and programs outside of Hubkeep: by a signed webhook, and in a channel of Slack.
//!
//! | file | holds |
//! |---|---|
//! | `config` | who is told |
//! | `slack` | a text as Slack takes it |

mod config;
mod error;
mod slack;

use std::{path::Path, sync::Arc};

use hubkeep_core::{clock::SharedClock, secret_file};
use hubkeep_webhook::{Address, Error as NotTold, Message, Secret, Sender};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use config::{Config, Slack, Webhook};
pub use error::StartError;

/// Who can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Receiver {
    /// The receiver of webhooks.
    Webhook,
    /// The channel of Slack.
    Slack,
}

impl Receiver {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Slack];

    /// As configuration and tables name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|receiver| receiver.name() == name)
    }
}

/// What is told.
#[derive(Clone, Debug)]
pub struct Note {
    /// Tells it from all others, however often it is sent.
    pub id: String,
    /// What it is, for programs: "alert.firing".
    pub kind: &'static str,
    /// When it happened, as RFC 3339 writes it.
    pub time: String,
    /// What it is about, for programs.
    pub data: Value,
    /// The same for people, as plain text: whatever it holds, nothing in it is markup.
    pub text: String,
}

#[derive(Debug)]
struct Inner {
    sender: Sender,
    webhook: Option<(Address, Secret)>,
    slack: Option<Address>,
}

/// Tells. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Notify(Arc<Inner>);

impl Notify {
    /// Reads the secrets, once.
    ///
    /// # Errors
    /// If one cannot be read, or is none.
    pub fn build(config: &Config, clock: SharedClock) -> Result<Self, StartError> {
        let webhook = config.webhook.as_ref().map(receiver_of).transpose()?;
        let slack = config.slack.as_ref().map(channel_of).transpose()?;
        Ok(Self(Arc::new(Inner {
            sender: Sender::new(&config.delivery, clock)?,
            webhook,
            slack,
        })))
    }

    /// Whether there is such a receiver.
    pub fn has(&self, receiver: Receiver) -> bool {
        match receiver {
            Receiver::Webhook => self.0.webhook.is_some(),
            Receiver::Slack => self.0.slack.is_some(),
        }
    }

    /// Tells a receiver; nobody where there is none. Ends within the time of all attempts.
    ///
    /// # Errors
    /// If it did not take it. It may have it nevertheless.
    pub async fn tell(&self, receiver: Receiver, note: &Note) -> Result<(), NotTold> {
        let Inner {
            sender,
            webhook,
            slack,
        } = &*self.0;
        let told = match receiver {
            Receiver::Webhook => match webhook {
                Some((address, secret)) => Some(sender.deliver(address, secret, &signed(note)).await?),
                None => None,
            },
            Receiver::Slack => match slack {
                Some(address) => Some(sender.deliver_unsigned(address, &slack::message(note)).await?),
                None => None,
            },
        };
        if let Some(told) = told {
            tracing::debug!(
                receiver = receiver.name(),
                attempts = told.attempts,
                "a receiver was told"
            );
        }
        Ok(())
    }
}

fn signed(note: &Note) -> Message {
    let body = json!({ "type": note.kind, "timestamp": note.time, "data": note.data });
    Message {
        id: note.id.clone(),
        body: body.to_string().into(),
    }
}

fn receiver_of(webhook: &Webhook) -> Result<(Address, Secret), StartError> {
    let key = "notify.webhook.secret_file";
    let secret = secret_in(key, &webhook.secret_file)?;
    let secret =
        Secret::parse(&secret).map_err(|invalid| unusable(key, &webhook.secret_file, invalid.to_string()))?;
    Ok((webhook.url.parse()?, secret))
}

fn channel_of(slack: &Slack) -> Result<Address, StartError> {
    let key = "notify.slack.url_file";
    let url = secret_in(key, &slack.url_file)?;
    url.parse::<Address>()
        .map_err(|invalid| unusable(key, &slack.url_file, invalid.rule().to_owned()))
}

fn secret_in(key: &'static str, file: &Path) -> Result<Zeroizing<String>, StartError> {
    secret_file::read(file).map_err(|problem| unusable(key, file, problem))
}

fn unusable(key: &'static str, file: &Path, problem: String) -> StartError {
    StartError::SecretFile {
        key,
        file: file.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use hubkeep_core::clock::SystemClock;

    use super::*;

    #[test]
    fn an_address_of_slack_that_everybody_may_read_or_that_is_none_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("slack");
        let built = |text: &str, mode: u32| {
            fs::write(&file, text).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            let config = Config {
                slack: Some(Slack {
                    url_file: file.clone(),
                }),
                ..Config::default()
            };
            Notify::build(&config, SystemClock::shared())
        };
        let good = built("https://hooks.slack.com/services/T0/B0/s3cret\n", 0o600).expect("good");
        assert!(good.has(Receiver::Slack) && !good.has(Receiver::Webhook));
        assert!(!format!("{good:?}").contains("s3cret"));
        for (text, mode) in [
            ("http://hooks.slack.com/services/s3cret", 0o600),
            ("s3cret", 0o600),
            ("", 0o600),
            ("https://hooks.slack.com/services/s3cret", 0o644),
        ] {
            let refused = built(text, mode).expect_err("refused").to_string();
            assert!(
                refused.contains("notify.slack.url_file") && !refused.contains("s3cret"),
                "{refused}"
            );
        }
    }
}
