//! Receipts as the users of a log have them. They are made by whoever wants one, beside the writer: nobody else waits.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use prost::Message as _;
use tlog_tiles::record_hash;

use crate::{
    AuditLog, Entry, Error, Position, ProvenPortal, Settled,
    proofs::{Receipt, Statement},
};

/// How long the database may take to say where an outcome stands that was written while it was in trouble.
const PATIENCE: Duration = Duration::from_secs(1);

impl AuditLog {
    /// The receipt for an outcome that is durable: one signature by each key that signs checkpoints. `None` where nothing is
    /// signed, and where it is not found out in time at which index the outcome stands, which is logged.
    pub async fn receipt(&self, settled: &Settled) -> Option<Receipt> {
        if !self.proofs().are_signed() {
            return None;
        }
        let index = match settled.placed.index {
            Some(index) => index,
            None => self.index_of(settled).await?,
        };
        self.proofs().receipt(&Statement {
            log: &settled.log,
            index,
            leaf_hash: settled.leaf_hash,
            made_time: settled.made_time,
        })
    }

    /// The receipt for the entry at this position of a portal's log: the same that [`receipt`](Self::receipt) gave, if the log is
    /// what it was and the keys are the same. `None` where nothing is signed, and where no entry of this portal is there.
    ///
    /// # Errors
    /// If the database cannot be read, or the entry is damaged ([`Error::Corrupt`]).
    pub async fn receipt_at(
        &self,
        portal: &ProvenPortal,
        position: Position,
    ) -> Result<Option<Receipt>, Error> {
        if !self.proofs().are_signed() {
            return Ok(None);
        }
        let log = self.name_of(portal);
        let stored = self.proofs().entry_at(position).await?;
        let Some(stored) = stored.filter(|stored| stored.log == log) else {
            return Ok(None);
        };
        let entry = Entry::decode(stored.leaf.as_slice());
        let entry = entry.map_err(|source| Error::Corrupt { position, source })?;
        Ok(self.proofs().receipt(&Statement {
            log: &log,
            index: stored.index,
            leaf_hash: record_hash(&stored.leaf).0,
            made_time: entry
                .entry_time
                .map_or(Timestamp::from_micros(0), Timestamp::from),
        }))
    }

    /// The index of an outcome of which the writer knows the place alone, because an earlier try had written it.
    async fn index_of(&self, settled: &Settled) -> Option<u64> {
        let position = settled.position();
        let asked = self.proofs().entry_at(position);
        let problem = match self.clock().timeout(PATIENCE, asked).await {
            Some(Ok(Some(stored)))
                if stored.log == settled.log && record_hash(&stored.leaf).0 == settled.leaf_hash =>
            {
                return Some(stored.index);
            }
            Some(Ok(_)) => "another entry is there".to_owned(),
            Some(Err(error)) => error.to_string(),
            None => "the database did not answer in time".to_owned(),
        };
        tracing::warn!(%position, problem, "a write has no receipt");
        None
    }
}
