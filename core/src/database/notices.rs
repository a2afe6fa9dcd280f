//! Being woken by what other replicas commit: PostgreSQL's LISTEN and NOTIFY. A notice is a hint that comes early, never
//! the only way to learn of something: whoever waits for one also looks from time to time.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Executor as _, postgres::PgListener};

use super::{POSTGRES, lease::bounded};
use crate::clock::SharedClock;

/// Silence on the connection after which it is asked whether it still leads somewhere.
const QUIET: Duration = Duration::from_secs(10);
/// How soon a lost connection is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What replicas are told on one channel.
#[derive(Debug)]
pub struct Notices {
    url: SecretString,
    channel: &'static str,
    clock: SharedClock,
    listener: Option<PgListener>,
}

impl Notices {
    pub(super) const fn new(url: SecretString, channel: &'static str, clock: SharedClock) -> Self {
        Self {
            url,
            channel,
            clock,
            listener: None,
        }
    }

    /// Ends when there may be news: a notice came, or the connection is there (again) and notices may have been missed
    /// without it.
    pub async fn next(&mut self) {
        while let Some(listener) = &mut self.listener {
            match self.clock.timeout(QUIET, listener.try_recv()).await {
                Some(Ok(Some(_))) => return,
                None if bounded(POSTGRES.answer, listener.execute("SELECT 1"))
                    .await
                    .is_ok() => {}
                _ => self.listener = None,
            }
        }
        self.connect().await;
    }

    async fn connect(&mut self) {
        loop {
            match bounded(POSTGRES.connect, self.listen()).await {
                Ok(listener) => {
                    self.listener = Some(listener);
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, channel = self.channel, "notices of other replicas are not heard");
                    self.clock.sleep(RETRY).await;
                }
            }
        }
    }

    async fn listen(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect(self.url.expose_secret()).await?;
        // A lost connection is told, and not waited for without a bound.
        listener.eager_reconnect(false);
        listener.listen(self.channel).await?;
        Ok(listener)
    }
}
