//! Looks whether the vault is older than the log knows it: then it was restored from a backup.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Error, Fleet};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(60);

impl Fleet {
    /// Looks each minute, until `stop`.
    pub async fn watch(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.sleep(EVERY) => {}
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "the vault could not be compared with the log");
            }
        }
    }

    /// Compares the vault with the log. Portals that are older than the log knows them are refused from now on.
    pub(super) async fn look(&self) -> Result<(), Error> {
        for client_slug in self.portals.compare().await? {
            tracing::error!(
                %client_slug,
                "this portal is older in the vault than the log knows it: a backup was restored, and it is refused"
            );
        }
        Ok(())
    }
}
