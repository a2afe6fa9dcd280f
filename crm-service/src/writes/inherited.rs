//! Writes without a request id that lost processes have left in the midst. While such a write goes well nothing is written down
//! about it here; what the audit log finds open it hands over before it closes it, and from then on it is listed.

use futures::future::BoxFuture;
use hubkeep_audit_log::{Entry, Heir, HeirError};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::Database,
    id::PortalId,
};

use super::{Row, State, lost::PROCESS_LOST, store};

/// Takes over writes of lost processes, into the account of writes.
#[derive(Clone, Debug)]
pub struct Inheritance {
    database: Database,
    clock: SharedClock,
}

impl Inheritance {
    /// Into the account that is kept here.
    pub const fn new(database: Database, clock: SharedClock) -> Self {
        Self { database, clock }
    }
}

/// The row of a write of which this is an entry, if it has none: with a request id it was durable before the intent.
pub(super) fn row(entry: &Entry, now: Timestamp) -> Option<Row> {
    if !entry.operation().is_write() || !entry.subject.is_empty() {
        return None;
    }
    let begun = entry.entry_time.map_or(now, Timestamp::from);
    Some(Row {
        write_key: store::unnamed(&entry.call_id),
        portal_id: PortalId::new(entry.portal_id)?,
        client_slug: entry.client_slug.clone(),
        caller: entry.caller.clone(),
        request_id: String::new(),
        part: 0,
        call_id: entry.call_id.clone(),
        operation: entry.operation,
        object_type: entry.object_type.clone(),
        asked_mac: String::new(),
        state: State::Unknown,
        holder: String::new(),
        begin_time: begun,
        until_time: begun,
        end_time: now,
        settled_by: PROCESS_LOST.to_owned(),
        sealed_answer: Vec::new(),
        object_ref: entry.object_ref.clone(),
        bounds_mac: String::new(),
    })
}

impl Heir for Inheritance {
    fn inherit<'a>(&'a self, intents: &'a [Entry]) -> BoxFuture<'a, Result<(), HeirError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let rows: Vec<Row> = intents.iter().filter_map(|intent| row(intent, now)).collect();
            if !rows.is_empty() {
                store::insert_all(&self.database, &rows).await?;
            }
            Ok(())
        })
    }

    fn needs_since(&self) -> BoxFuture<'_, Result<Option<Timestamp>, HeirError>> {
        // A row that is under way is sorted by the log: without its entries it would be taken for one that was never sent.
        Box::pin(async { Ok(store::oldest_under_way(&self.database).await?) })
    }
}
