//! Sealed bytes that no row names are deleted: what a crash between store and database left, or a deleted row.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Error, SecretStore, name, outside::Outside, store};

/// How often that is done.
const EVERY: Duration = Duration::from_secs(10 * 60);

impl SecretStore {
    /// Deletes the sealed bytes in other stores that no row names and that are old enough. Gives their number.
    ///
    /// # Errors
    /// If a store or the database fails. What was deleted until then is.
    pub async fn sweep(&self) -> Result<usize, Error> {
        let mut swept: usize = 0;
        for outside in &self.stores.outside {
            swept = swept.saturating_add(self.sweep_one(outside).await?);
        }
        Ok(swept)
    }

    async fn sweep_one(&self, outside: &Outside) -> Result<usize, Error> {
        let (now, kind) = (self.clock.now(), outside.kind().name());
        let mut swept: usize = 0;
        for name in outside.list().await? {
            // What has another sort of name is somebody else's.
            let old = name::age(&name, now).is_some_and(|age| age >= self.stores.sweep_after);
            if old && !store::is_named(&self.database, &format!("{kind}/{name}")).await? {
                outside.delete(&name).await?;
                tracing::info!(store = kind, name, "sealed bytes that no row named are deleted");
                swept = swept.saturating_add(1);
            }
        }
        Ok(swept)
    }

    /// Sweeps again and again, until `stopping`.
    pub fn sweep_until(&self, stopping: CancellationToken) {
        if self.stores.outside.is_empty() {
            return;
        }
        let secrets = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = secrets.clock.sleep(EVERY) => {}
                }
                if let Err(error) = secrets.sweep().await {
                    tracing::warn!(%error, "the secret store could not be swept: it will be tried again");
                }
            }
        });
    }
}
