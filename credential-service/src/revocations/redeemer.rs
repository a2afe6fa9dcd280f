//! One redeemer, as the replica notes it that hears it.

use std::sync::Arc;

use hubkeep_core::{
    clock::SharedClock,
    database::Database,
    id::{CallerName, RedeemerId},
};
use tokio::sync::watch;

use super::{
    Error, Revocations,
    store::{self, redeemers},
};

/// A redeemer that follows the feed here. Other replicas see of it what is in its row.
#[derive(Debug)]
pub struct Redeemer {
    id: RedeemerId,
    name: CallerName,
    database: Database,
    clock: SharedClock,
    /// The newest number of the redeemer's own that is noted: its feed gives it back.
    echo: watch::Sender<u64>,
    /// Wakes who waits for it in this process.
    heard: Arc<watch::Sender<()>>,
}

impl Revocations {
    /// Notes that a redeemer of this name follows the feed. The same one that comes to another replica, or back, goes on
    /// with the same row: what it has acknowledged stays acknowledged.
    ///
    /// # Errors
    /// If another service has this id, or the database fails.
    pub(super) async fn register(&self, id: RedeemerId, name: CallerName) -> Result<Redeemer, Error> {
        let redeemer = Redeemer {
            id,
            name,
            database: self.database.clone(),
            clock: self.clock.clone(),
            echo: watch::Sender::new(0),
            heard: self.heard.clone(),
        };
        // Where it begins to listen says nothing of what is still under way there.
        redeemer.note(0, None).await?;
        redeemers::sweep(&self.database, self.clock.now()).await?;
        Ok(redeemer)
    }
}

impl Redeemer {
    /// Notes that the redeemer lives, and that it has applied everything up to a place, with what was under way for it.
    /// Only when that is committed does its feed give back `echo`. What was acknowledged stays so.
    ///
    /// # Errors
    /// If the place does not exist yet, or the database fails.
    pub async fn note(&self, applied_seq: u64, echo: Option<u64>) -> Result<(), Error> {
        let now = self.clock.now();
        if !redeemers::note(&self.database, self.id, &self.name, applied_seq, now).await? {
            let newest = store::newest(&self.database).await?;
            return Err(match applied_seq > newest {
                true => Error::NotYet {
                    seq: applied_seq,
                    newest,
                },
                false => Error::OtherRedeemer(self.id),
            });
        }
        self.heard.send_modify(|()| {});
        if let Some(echo) = echo {
            self.echo.send_if_modified(|newest| {
                let newer = echo > *newest;
                *newest = echo.max(*newest);
                newer
            });
        }
        Ok(())
    }

    /// What its feed gives back.
    pub(super) fn echo(&self) -> watch::Receiver<u64> {
        self.echo.subscribe()
    }
}
