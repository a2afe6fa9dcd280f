//! Turns among several replicas, on PostgreSQL.

use std::time::Duration;

use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::Database,
};
use hubkeep_seal::{Keyring, Owner, Purpose};

use super::{Error, store};

/// How often a pair is asked for again that another replica has; less often the longer it takes.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_millis(200);
/// A database that has said nothing for so long is asked anew.
const SILENCE: Duration = Duration::from_secs(2);
/// And one that has failed for so long is not asked any more.
const GIVEN_UP: Duration = Duration::from_secs(3);
/// Before a turn that could not be given back is given back again; each further time later.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How often that is tried. Then it ends by itself.
const TRIES: u32 = 6;

/// Where replicas take turns.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) keyring: Keyring,
    /// So long after its deadline others take a pair whose holder is lost: what was sent before it HubSpot cannot carry out any more
    /// then.
    pub(super) quiet_after: Duration,
}

impl Shared {
    /// What stands in the table for pairs: keyed hashes, as for ids of records everywhere that they lie down. By a key of the
    /// service, for whose portal it is is not proven yet when a turn is taken.
    pub(super) async fn keys(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let mac = self.keyring.macs(Owner::Service, Purpose::Writes).await?;
        let mut keys: Vec<String> = names
            .iter()
            .map(|name| hex::encode(mac(format!("pair {name}").as_bytes())))
            .collect();
        // All take several in the same order.
        keys.sort();
        Ok(keys)
    }

    /// Waits until this turn has all of these pairs. Replicas do not stand in one line: whoever looks first has them.
    pub(super) async fn take(
        &self,
        clock: &SharedClock,
        (holder, keys): (&str, &[String]),
        deadline: Tick,
    ) -> Result<(), Error> {
        let (mut pause, mut failing) = (FIRST_LOOK, None::<Tick>);
        loop {
            let now = clock.tick();
            let holds_for = deadline.since(now).saturating_add(self.quiet_after);
            let taking = store::take(&self.database, holder, keys, holds_for);
            let error = match clock.timeout_at(now.plus(SILENCE), taking).await {
                Some(Ok(true)) => return Ok(()),
                Some(Ok(false)) => None,
                Some(Err(error)) => Some(Error::from(error)),
                None => Some(Error::Silent),
            };
            failing = error.is_some().then(|| failing.unwrap_or(now));
            if let (Some(error), Some(since)) = (error, failing) {
                if clock.tick().since(since) >= GIVEN_UP {
                    return Err(error);
                }
                tracing::warn!(%error, "a turn at a pair of records cannot be taken");
            }
            clock.sleep(pause).await;
            pause = pause.saturating_mul(2).min(LAST_LOOK);
        }
    }

    /// Gives back what a turn has taken, and clears away what lost replicas have left.
    pub(super) async fn give_back(self, clock: SharedClock, holder: String) {
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            match store::give_back(&self.database, &holder).await {
                Ok(()) => {
                    if let Err(error) = store::forget_lost(&self.database).await {
                        tracing::debug!(%error, "turns of lost replicas are not cleared away yet");
                    }
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "a turn at a pair of records is not given back yet");
                }
            }
            clock.sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests;
