//! Anchors as the users of a log see them, and how they begin.

use std::{sync::Arc, time::Duration};

use hubkeep_core::random::SharedRandom;

use crate::{
    AuditLog, Config, Draft, Error, Failure, Identity,
    anchors::{Anchorer, Deps, StartError, Waiting},
    appender::Appender,
    opened::pool,
    proofs::Proofs,
};

/// Connections of the work in the background: one place is written to while another is looked at.
const CONNECTIONS: u32 = 2;

impl AuditLog {
    /// How long the oldest waits already that is not anchored everywhere it should be; `None` if nothing does, or nothing is
    /// anchored at all. As this process saw it within the last seconds.
    pub fn unanchored_for(&self) -> Option<Duration> {
        self.unanchored().age(self.clock().now())
    }

    /// Lets no write begin while something waits for too long.
    pub(crate) fn must_be_anchored(&self, draft: &Draft) -> Result<(), Error> {
        let Some(most) = self.blocks_writes_after() else {
            return Ok(());
        };
        match self.unanchored_for() {
            Some(age) if age > most && draft.entry().operation().is_write() => {
                Err(Error::Unavailable(Failure::Unanchored(age)))
            }
            _ => Ok(()),
        }
    }
}

/// What anchors, where a place is named.
pub(crate) async fn open(
    config: &Config,
    identity: &Identity,
    proofs: &Proofs,
    unanchored: &Waiting,
    appender: &Arc<Appender>,
    random: &SharedRandom,
) -> Result<Option<Anchorer>, Error> {
    if !config.anchors.is_on() {
        return Ok(None);
    }
    if !proofs.are_signed() {
        return Err(StartError::NotSigned.into());
    }
    let deps = Deps {
        database: pool(config, CONNECTIONS).await?,
        proofs: proofs.clone(),
        heads: identity.heads(),
        service: identity.service,
        appender: Arc::clone(appender),
        pause: config.proofs.pause,
        clock: appender.clock().clone(),
        random: random.clone(),
    };
    Ok(Some(Anchorer::new(
        config.anchors.clone(),
        unanchored.clone(),
        deps,
    )?))
}
