//! Looks whether the vault is older than the log knows it: then it was restored from a backup.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Error, Fleet};
use crate::portals::Altered;

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

    /// Compares the vault with the log, and every row with what authenticates it. Portals that are older than the log knows them are refused from now on.
    pub(super) async fn look(&self) -> Result<(), Error> {
        let compared = self.portals.compare().await?;
        for Altered {
            client_slug,
            portal_id,
        } in compared.altered
        {
            tracing::error!(
                client_slug,
                portal_id,
                "the rows of this portal in the vault were altered, or moved there from elsewhere: it is refused"
            );
        }
        for client_slug in compared.rolled_back {
            tracing::error!(
                %client_slug,
                "this portal is older in the vault than the log knows it: a backup was restored, and it is refused"
            );
        }
        Ok(())
    }
}
