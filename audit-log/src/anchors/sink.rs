//! One place in which heads are anchored.

use hubkeep_core::clock::SharedClock;

use super::{Config, StartError, error::NotAnchored, s3::Vault, webhook::Receiver};
use crate::proofs::Checkpoint;

/// A place.
#[derive(Debug)]
pub(super) enum Sink {
    /// A receiver of webhooks.
    Webhook(Receiver),
    /// A bucket.
    S3(Vault),
}

impl Sink {
    /// All that are configured. Secrets are read once.
    pub(super) fn all(config: &Config, clock: &SharedClock) -> Result<Vec<Self>, StartError> {
        let mut sinks = Vec::new();
        if let Some(webhook) = &config.webhook {
            let receiver = Receiver::new(webhook, &config.delivery, clock.clone())?;
            sinks.push(Self::Webhook(receiver));
        }
        if let Some(s3) = &config.s3 {
            sinks.push(Self::S3(Vault::new(s3, clock.clone())?));
        }
        Ok(sinks)
    }

    /// As people call it. Nothing of a secret.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Webhook(receiver) => receiver.name(),
            Self::S3(vault) => vault.name(),
        }
    }

    /// What tells it from every other place, over restarts. Nothing of a secret.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::Webhook(receiver) => receiver.place(),
            Self::S3(vault) => vault.name(),
        }
    }

    /// Puts a checkpoint there. One that is there already is there.
    pub(super) async fn put(&self, checkpoint: &Checkpoint) -> Result<(), NotAnchored> {
        match self {
            Self::Webhook(receiver) => receiver.put(checkpoint).await,
            Self::S3(vault) => vault.put(checkpoint).await,
        }
    }
}
