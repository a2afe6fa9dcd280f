//! Reading, in SQL that is valid on SQLite and on PostgreSQL.

use std::time::Duration;

use hubkeep_core::{clock::Timestamp, database::Database, id::PortalId};
use hubkeep_proto::audit::v1::{Entry, Event};
use prost::Message as _;
use sqlx::{Row as _, any::AnyRow};

use crate::{Error, Filter, Identity, Position, portal::Owner};

/// One text for each index that can drive it. Empty parameters exclude nothing; phases and operations are lists of
/// numbers between commas, ",1,2,", because sets are written differently in every database.
macro_rules! select_events {
    ($from:literal, $driven_by:literal, $order:literal) => {
        concat!(
            "SELECT e.position, e.log, e.log_index, e.leaf FROM ",
            $from,
            " WHERE ",
            $driven_by,
            " AND e.position > CAST($2 AS BIGINT) AND e.position <= CAST($3 AS BIGINT) \
             AND ($4 = '' OR e.log = $4) \
             AND ($5 = '' OR e.client_slug = $5) \
             AND ($6 = '' OR e.caller = $6) \
             AND ($7 = '' OR $7 LIKE '%,' || CAST(e.phase AS TEXT) || ',%') \
             AND ($8 = '' OR $8 LIKE '%,' || CAST(e.operation AS TEXT) || ',%') \
             ORDER BY ",
            $order,
            " LIMIT $9"
        )
    };
}
const BY_CALL: &str = select_events!("audit_entry e", "e.call_id = $1", "e.position");
/// Span by span, so that nothing has to be sorted. SQLite uses the index of an expression only where what it is compared
/// with has no type of its own: hence the plus.
const BY_CLIENT: &str = select_events!(
    "audit_client_span s \
     JOIN audit_entry e ON e.position / 1024 = +s.span AND e.client_slug = s.client_slug",
    "s.client_slug = $1 AND s.span >= CAST($2 AS BIGINT) / 1024 AND s.span <= CAST($3 AS BIGINT) / 1024",
    "s.span, e.position"
);
const BY_POSITION: &str = select_events!("audit_entry e", "$1 = ''", "e.position");

const AT_IN: &str = "SELECT leaf FROM audit_entry WHERE position = $1 AND log = $2";
const NEXT: &str = "SELECT position, leaf FROM audit_entry WHERE position >= $1 AND position <= $2 ORDER BY position LIMIT 1";
const END: &str = "SELECT position FROM audit_position WHERE id = 1";
/// Of replicas that are gone. A log in a file has no rows of replicas: there, all of them.
const LOST_INTENTS: &str = "SELECT o.position, e.log, e.leaf FROM audit_open_intent o \
    JOIN audit_entry e ON e.position = o.position \
    WHERE NOT EXISTS (SELECT 1 FROM audit_replica r WHERE r.replica_id = o.replica) \
    ORDER BY o.position LIMIT $1";

/// An intent without an outcome, whose writer is gone.
pub(crate) struct LostIntent {
    pub(crate) position: Position,
    pub(crate) log: String,
    pub(crate) entry: Entry,
}

/// Some events, and how far was looked for them.
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    /// Everything up to here was looked at.
    pub(crate) reached: Position,
}

/// No two replicas' clocks are taken to be further apart than this.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);
/// Entries that are read at once where all are wanted.
const ALL_AT_ONCE: usize = 1_000;

/// Reads a log.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    database: Database,
    identity: Identity,
}

impl Reader {
    pub(crate) const fn new(database: Database, identity: Identity) -> Self {
        Self { database, identity }
    }

    /// The log that a filter asks for, if it asks for one; `None` where it asks for two at once, of which no entry is.
    pub(crate) fn log_for(&self, filter: &Filter) -> Option<Option<String>> {
        let portal = filter.portal_id.map(|id| self.log_of(id));
        match (portal, &filter.log) {
            (Some(portal), Some(log)) if portal != *log => None,
            (Some(log), _) => Some(Some(log)),
            (None, log) => Some(log.clone()),
        }
    }

    /// The next of the events after `after` and up to `until` that pass the filter, in order: those among at most `limit`
    /// entries. Each has its entry and its leaf.
    pub(crate) async fn page(
        &self,
        filter: &Filter,
        after: Position,
        until: Position,
        limit: usize,
    ) -> Result<Page, Error> {
        let Some(log) = self.log_for(filter) else {
            return Ok(Page {
                events: Vec::new(),
                reached: until,
            });
        };
        let rows = self.rows(filter, log.as_deref(), after, until, limit).await?;
        let events: Result<Vec<Event>, Error> = rows.iter().map(whole).collect();
        let mut events = events?;
        // A full page may have left something out before `until`.
        let reached = match events.last() {
            Some(last) if events.len() >= limit => Position(last.position),
            _ => until,
        };
        events.retain(|event| filter.passes(log.as_deref(), event));
        Ok(Page { events, reached })
    }

    /// At most `limit` events after `after` and up to `until` that pass the filter, in order.
    pub(crate) async fn events(
        &self,
        filter: &Filter,
        after: Position,
        until: Position,
        limit: usize,
    ) -> Result<Vec<Event>, Error> {
        let (mut events, mut after) = (Vec::new(), after);
        while after < until && events.len() < limit {
            let page = self.page(filter, after, until, limit - events.len()).await?;
            after = page.reached;
            events.extend(page.events);
        }
        Ok(events)
    }

    /// All events after `after` and up to `until` that pass the filter, in order.
    pub(crate) async fn all(
        &self,
        filter: &Filter,
        after: Position,
        until: Position,
    ) -> Result<Vec<Event>, Error> {
        let (mut events, mut after) = (Vec::new(), after);
        while after < until {
            let page = self.page(filter, after, until, ALL_AT_ONCE).await?;
            after = page.reached;
            events.extend(page.events);
        }
        Ok(events)
    }

    async fn rows(
        &self,
        filter: &Filter,
        log: Option<&str>,
        after: Position,
        until: Position,
        limit: usize,
    ) -> Result<Vec<AnyRow>, Error> {
        let (text, key) = plan(filter);
        Ok(sqlx::query(text)
            .bind(key)
            .bind(after.as_i64())
            .bind(until.as_i64())
            .bind(log.unwrap_or_default().to_owned())
            .bind(
                filter
                    .client_slug
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            )
            .bind(
                filter
                    .caller
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            )
            .bind(listed(filter.phases.iter().map(|phase| *phase as i32)))
            .bind(listed(
                filter.operations.iter().map(|operation| *operation as i32),
            ))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await?)
    }

    /// A position behind which every entry up to `end` lies that was made at `time` or later, by whatever clock.
    pub(crate) async fn before(&self, time: Timestamp, end: Position) -> Result<Position, Error> {
        let time = time.minus(CLOCKS_APART);
        let (mut before, mut end) = (Position::START, end);
        // Positions grow with time, but for what clocks differ.
        while before < end {
            let middle = Position(before.get().midpoint(end.get().saturating_add(1)));
            // Where entries were pruned, the next one tells as much.
            match self.next_time(middle, end).await? {
                Some((next, made)) if made < time => before = next,
                _ => end = Position(middle.get().saturating_sub(1)),
            }
        }
        Ok(before)
    }

    /// The portal's log.
    pub(crate) fn log_of(&self, portal_id: PortalId) -> String {
        self.identity.log_of(Owner::Portal(portal_id))
    }

    /// The log of heads.
    pub(crate) fn heads(&self) -> String {
        self.identity.heads()
    }

    /// The first entry from `from` on, up to `end`: where it stands, and when it was made.
    async fn next_time(&self, from: Position, end: Position) -> Result<Option<(Position, Timestamp)>, Error> {
        let row = sqlx::query(NEXT)
            .bind(from.as_i64())
            .bind(end.as_i64())
            .fetch_optional(self.database.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let position = Position::from_i64(row.try_get("position")?);
        let made = entry(&row, position)?.entry_time;
        Ok(Some((
            position,
            made.map_or(Timestamp::from_micros(i64::MAX), Timestamp::from),
        )))
    }

    /// The entry at this position, if it is one of this log.
    pub(crate) async fn entry_at(&self, position: Position, log: &str) -> Result<Option<Entry>, Error> {
        let row = sqlx::query(AT_IN)
            .bind(position.as_i64())
            .bind(log.to_owned())
            .fetch_optional(self.database.pool())
            .await?;
        row.map(|row| entry(&row, position)).transpose()
    }

    /// The database.
    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// The newest position.
    pub(crate) async fn end(&self) -> Result<Position, Error> {
        let position: i64 = sqlx::query_scalar(END).fetch_one(self.database.pool()).await?;
        Ok(Position::from_i64(position))
    }

    /// At most `limit` intents without an outcome whose writer is gone, oldest first.
    pub(crate) async fn lost_intents(&self, limit: usize) -> Result<Vec<LostIntent>, Error> {
        let rows = sqlx::query(LOST_INTENTS)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await?;
        rows.iter().map(lost_intent).collect()
    }

    /// Closes the connections, waiting for those in use.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }
}

/// The text to ask with, and what drives it: the narrowest index that the filter allows.
fn plan(filter: &Filter) -> (&'static str, String) {
    match (&filter.call_id, &filter.client_slug) {
        (Some(call_id), _) => (BY_CALL, call_id.to_string()),
        (None, Some(client_slug)) => (BY_CLIENT, client_slug.to_string()),
        (None, None) => (BY_POSITION, String::new()),
    }
}

fn listed(numbers: impl Iterator<Item = i32>) -> String {
    let list = numbers.fold(String::new(), |list, number| format!("{list},{number}"));
    if list.is_empty() { list } else { list + "," }
}

/// An event with both its entry and its leaf.
pub(crate) fn whole(row: &AnyRow) -> Result<Event, Error> {
    let position = Position::from_i64(row.try_get("position")?);
    let index: i64 = row.try_get("log_index")?;
    let leaf: Vec<u8> = row.try_get("leaf")?;
    let entry = Entry::decode(leaf.as_slice()).map_err(|source| Error::Corrupt { position, source })?;
    Ok(Event {
        position: position.get(),
        index: u64::try_from(index).unwrap_or(0),
        log: row.try_get("log")?,
        entry: Some(entry),
        leaf,
    })
}

fn lost_intent(row: &AnyRow) -> Result<LostIntent, Error> {
    let position = Position::from_i64(row.try_get("position")?);
    Ok(LostIntent {
        position,
        log: row.try_get("log")?,
        entry: entry(row, position)?,
    })
}

fn entry(row: &AnyRow, position: Position) -> Result<Entry, Error> {
    let leaf: Vec<u8> = row.try_get("leaf")?;
    Entry::decode(leaf.as_slice()).map_err(|source| Error::Corrupt { position, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_events_are_found_by_their_span_and_never_sorted() {
        let connection = rusqlite::Connection::open_in_memory().expect("opens");
        for migration in crate::MIGRATIONS.iter() {
            connection
                .execute_batch(migration.sql.as_str())
                .expect("migrates");
        }
        let mut explained = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {BY_CLIENT}"))
            .expect("explains");
        let steps = explained.raw_query().mapped(|row| row.get::<_, String>(3));
        let plan: Vec<String> = steps.collect::<Result<_, _>>().expect("a plan");
        assert_eq!(plan.len(), 2, "two searches and no sorting: {plan:?}");
        assert!(
            plan[0].contains("audit_client_span") && plan[0].contains("client_slug=?"),
            "{plan:?}"
        );
        assert!(plan[1].contains("USING INDEX audit_entry_by_span"), "{plan:?}");
    }

    #[test]
    fn a_list_has_a_comma_on_both_sides_of_every_number() {
        assert_eq!(listed([1, 12].into_iter()), ",1,12,");
        assert_eq!(listed([].into_iter()), "");
    }
}
