//! How pruning begins.

use std::sync::Arc;

use hubkeep_core::random::SharedRandom;

use crate::{
    Config, Error, Heir, Identity,
    appender::Appender,
    opened::pool,
    proofs::Proofs,
    recent::Recent,
    retention::{Deps, Pruner},
    store::Reader,
};

/// Connections of the work in the background: a transaction, and a reader beside it.
const CONNECTIONS: u32 = 2;

/// What prunes, where entries have an end, and something is signed that covers them.
pub(crate) async fn open(
    config: &Config,
    identity: &Identity,
    (proofs, places): (&Proofs, Vec<String>),
    appender: &Arc<Appender>,
    (heir, recent): (&Arc<dyn Heir>, &Recent),
    random: &SharedRandom,
) -> Result<Option<Pruner>, Error> {
    if config.keep.life().is_none() {
        return Ok(None);
    }
    if !proofs.are_signed() {
        tracing::warn!("nothing is signed, so nothing of the audit log is pruned: entries are kept for ever");
        return Ok(None);
    }
    Ok(Some(Pruner::new(Deps {
        keep: config.keep.clone(),
        reader: Reader::new(pool(config, CONNECTIONS).await?, identity.clone()),
        proofs: proofs.clone(),
        places,
        service: identity.service,
        appender: Arc::clone(appender),
        heir: Arc::clone(heir),
        recent: recent.clone(),
        clock: appender.clock().clone(),
        random: random.clone(),
    })))
}
