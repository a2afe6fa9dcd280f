//! Batches whose commit was not heard of. Their intents were refused, so nothing was sent: where one was written after
//! all, it is closed as not sent. Their outcomes are written again: the open intent tells whether they must be.

use std::collections::HashMap;

use hubkeep_proto::audit::v1::Entry;
use prost::Message as _;
use sqlx::{PgConnection, Row as _};

use crate::{
    DatabaseError, Intent, Phase, Position,
    pending::{Effect, Pending},
};

/// Not by a join: this connection's settings are for the batch alone.
const OPEN: &str = "SELECT position, leaf FROM audit_entry \
    WHERE position = ANY (ARRAY(SELECT position FROM audit_open_intent WHERE replica = $1))";
const EARLIER: &str =
    "SELECT position, leaf FROM audit_entry WHERE call_id = $1 AND position > $2 AND phase = $3";

/// Intents that were refused, and may have been written.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// By the ids of their entries.
    intents: HashMap<String, Box<Intent>>,
}

impl Doubts {
    pub(super) fn is_empty(&self) -> bool {
        self.intents.is_empty()
    }

    /// Refuses the intents of a batch, and keeps them.
    pub(super) fn add(&mut self, batch: &mut [Pending], error: &DatabaseError) {
        let refused = batch
            .iter_mut()
            .filter_map(|pending| pending.refuse_intent(error));
        self.intents
            .extend(refused.map(|intent| (intent.entry_id().to_string(), intent)));
    }

    /// Closes those that were written. No batch of an earlier session is under way any more, so what is not there
    /// now will never be; and what was written under another id of this replica is for others to close.
    pub(super) async fn clear(
        &mut self,
        connection: &mut PgConnection,
        replica_id: &str,
    ) -> Result<(), DatabaseError> {
        if self.intents.is_empty() {
            return Ok(());
        }
        for row in sqlx::query(OPEN).bind(replica_id).fetch_all(connection).await? {
            let leaf: Vec<u8> = row.try_get("leaf")?;
            let entry_id = Entry::decode(leaf.as_slice()).map(|entry| entry.entry_id);
            if let Some(mut intent) = self.intents.remove(&entry_id.unwrap_or_default()) {
                // Nobody holds it: it closes itself as it is dropped.
                intent.durable_at(Position::from_i64(row.try_get("position")?));
            }
        }
        self.intents.clear();
        Ok(())
    }
}

/// Finds outcomes that were not written because an earlier try had been: the same entry, to the byte.
pub(super) async fn find_earlier(
    connection: &mut PgConnection,
    batch: &[Pending],
    positions: &mut [Option<Position>],
) -> Result<(), DatabaseError> {
    for (pending, position) in batch.iter().zip(positions) {
        let Effect::Closes(intent) = pending.effect else {
            continue;
        };
        if position.is_none() {
            *position = earlier(connection, pending, intent).await?;
        }
    }
    Ok(())
}

async fn earlier(
    connection: &mut PgConnection,
    pending: &Pending,
    intent: Position,
) -> Result<Option<Position>, DatabaseError> {
    let rows = sqlx::query(EARLIER)
        .bind(&pending.row.keys.call_id)
        .bind(intent.as_i64())
        .bind(i64::from(i32::from(Phase::Outcome)))
        .fetch_all(connection)
        .await?;
    for row in rows {
        let leaf: Vec<u8> = row.try_get("leaf")?;
        if leaf == pending.row.leaf {
            return Ok(Some(Position::from_i64(row.try_get("position")?)));
        }
    }
    Ok(None)
}
