//! Entries go: a few bundles in each transaction, so that nobody who appends waits for long.

use std::collections::BTreeSet;

use tlog_tiles::record_hash;

use super::{LOCK, Pruner, announce::Announced, gone::Gone, plan::Plan, store, store::Standing};
use crate::{Error, Event, Position, proofs, turn::Turn};

/// Bundles that go together.
const AT_ONCE: usize = 4;

impl Pruner {
    /// Prunes the next bundles of what was announced; `false` if nothing more goes now.
    pub(super) async fn batch(&self, log: &str, announced: &Announced) -> Result<bool, Error> {
        let database = &self.planner.database;
        let Some(mut turn) = Turn::take(database, LOCK).await? else {
            return Ok(false);
        };
        // Another replica may have been at it since this one had its turn.
        let Some(standing) = &store::standing(database, log).await? else {
            return Ok(false);
        };
        let Some(horizon) = self.horizon().await? else {
            return Ok(false);
        };
        let limits = (AT_ONCE, announced.below);
        let plan = self.planner.plan(standing, horizon, limits, true).await?;
        if plan.below <= standing.first_index {
            return Ok(false);
        }
        self.must_be_what_was_signed(standing, announced, &plan).await?;
        let gone = Gone {
            log: &standing.log,
            from_index: standing.first_index,
            below_index: plan.below,
            positions: plan.events.iter().map(|event| Position(event.position)).collect(),
            slugs: slugs(&plan.events),
            newest: plan.newest,
        };
        let mut transaction = turn.transaction(database).await?;
        // Said in the transaction that comes before this one, or after it: whoever holds a log takes the same turn.
        if store::is_held(&mut transaction, &standing.log).await?
            || !gone.move_on(&mut transaction, self.deps.clock.now()).await?
        {
            transaction.rollback().await?;
            return Ok(false);
        }
        let deleted = gone.delete(&mut transaction).await?;
        if usize::try_from(deleted) != Ok(gone.positions.len()) {
            let problem = "entries of it are gone that were there a moment ago".to_owned();
            return Err(damaged(&standing.log, problem));
        }
        gone.forget(&mut transaction).await?;
        transaction.commit().await?;
        let last = gone.positions.last().copied().unwrap_or(standing.pruned_until);
        self.deps.recent.forget(last);
        Ok(true)
    }

    /// Nothing goes that is not what was signed: it would be taken away with the proof that somebody has changed it.
    async fn must_be_what_was_signed(
        &self,
        standing: &Standing,
        announced: &Announced,
        plan: &Plan,
    ) -> Result<(), Error> {
        let proofs = &self.deps.proofs;
        let signed = proofs
            .checkpoint(&standing.log, Some(announced.checkpoint_size))
            .await?;
        let hashes = proofs
            .leaf_hashes(&signed, standing.first_index..plan.below)
            .await?;
        for (event, hash) in plan.events.iter().zip(hashes) {
            if record_hash(&event.leaf) != hash {
                let problem = format!(
                    "the entry with index {} was changed: it is not pruned",
                    event.index
                );
                return Err(damaged(&standing.log, problem));
            }
        }
        Ok(())
    }
}

fn slugs(events: &[Event]) -> BTreeSet<&str> {
    let entries = events.iter().filter_map(|event| event.entry.as_ref());
    entries.map(|entry| entry.client_slug.as_str()).collect()
}

fn damaged(log: &str, problem: String) -> Error {
    Error::Proofs(proofs::Error::Damaged {
        log: log.to_owned(),
        problem,
    })
}
