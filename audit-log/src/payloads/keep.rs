//! How long payloads are kept: a sweep in the background removes what is older, but for what lies beside the entries of a log that is
//! held. One replica at a time does it, in small transactions, so that the log's writer never waits long.

use std::time::Duration;

use hubkeep_core::{clock::SharedClock, database::Database};

use super::{Config, store};
use crate::{Error, Position, turn::Turn};

/// Whoever has it sweeps, or says that a log is held.
pub(crate) const LOCK: &str = "hubkeep audit payloads";
/// The most that are looked at for one transaction.
const BATCH: u32 = 512;
/// Rest between transactions: the file's lock is others' for so long.
const BREATH: Duration = Duration::from_millis(5);

/// Removes payloads whose time is over, for ever: whoever begins it ends it.
pub(crate) async fn sweep(database: Database, config: Config, clock: SharedClock) {
    loop {
        if let Err(error) = catch_up(&database, &config, &clock).await {
            tracing::warn!(%error, "payloads whose time is over could not be removed now");
        }
        clock.sleep(config.sweep_every).await;
    }
}

/// Removes all whose time is over.
async fn catch_up(database: &Database, config: &Config, clock: &SharedClock) -> Result<(), Error> {
    let now = clock.now();
    let before = now.minus(config.keep);
    let mut after = Position::START;
    while let Some(last) = store::due(database, before, after, BATCH).await? {
        let Some(mut turn) = Turn::take(database, LOCK).await? else {
            return Ok(());
        };
        let mut transaction = turn.transaction(database).await?;
        let swept = store::sweep(&mut transaction, before, now, (after, last)).await?;
        transaction.commit().await?;
        metrics::counter!("hubkeep_audit_payloads_expired_total").increment(swept);
        after = last;
        clock.sleep(BREATH).await;
    }
    Ok(())
}
