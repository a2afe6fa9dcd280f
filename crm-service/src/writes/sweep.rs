//! What is looked after from time to time: results that were kept long enough, rows that lost processes have left, and writes that
//! are on no list.

use std::time::Duration;

use hubkeep_audit_log::Position;
use tokio_util::sync::CancellationToken;

use super::{Error, Writes, store};

/// How often.
const SWEPT_EVERY: Duration = Duration::from_secs(60);

impl Writes {
    /// Forgets what was kept long enough, and sorts what lost processes have left, until `stop`.
    pub async fn sweep(self, stop: CancellationToken) {
        let sweeping = async {
            let mut looked_through = Position::START;
            loop {
                match self.sweep_once(looked_through).await {
                    Ok(position) => looked_through = position,
                    Err(error) => tracing::warn!(%error, "the account of writes was not swept"),
                }
                self.clock.sleep(SWEPT_EVERY).await;
            }
        };
        stop.run_until_cancelled(sweeping).await;
    }

    async fn sweep_once(&self, looked_through: Position) -> Result<Position, Error> {
        self.sort_all().await?;
        let looked_through = self.list_unlisted(looked_through).await?;
        let before = self.clock.now().minus(self.config.kept_for);
        let forgotten = store::forget_known(&self.database, before).await?;
        if forgotten > 0 {
            tracing::debug!(forgotten, "results of writes were kept long enough");
        }
        Ok(looked_through)
    }
}
