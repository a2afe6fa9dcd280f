//! To whom an alert goes, besides the stream and the log lines.

use serde::{Deserialize, Serialize};

use crate::notify::Receiver;

/// Who gets an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addressee {
    /// The receiver of webhooks is told.
    Webhook,
    /// The channel of Slack is told.
    Slack,
    /// credential-service contains what the alert is about when it fires: its caller, or the portal where all callers are
    /// counted together. An operator lifts that.
    Contain,
}

impl Addressee {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Webhook, Self::Slack, Self::Contain];
    /// Those who are told, and do nothing by themselves.
    pub const TOLD: [Self; 2] = [Self::Webhook, Self::Slack];

    /// As configuration and tables name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Contain => "contain",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|addressee| addressee.name() == name)
    }

    /// Who of those outside it is.
    pub(super) const fn receiver(self) -> Option<Receiver> {
        match self {
            Self::Webhook => Some(Receiver::Webhook),
            Self::Slack => Some(Receiver::Slack),
            Self::Contain => None,
        }
    }
}
