//! Writes without a request id of which the log says that nobody knows what became of them, and that are on no list: whoever made
//! one was lost, or could not reach the database, between the two.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Entry, Event, Filter, Operation, Phase, Position, Search};

use hubkeep_core::clock::Timestamp;

use super::{Error, Writes, inherited, store};

/// Entries that are read at once.
const PAGE: usize = 500;
/// What was on the list is forgotten when it was kept long enough: what is that old is not put there again.
const NOT_THE_OLDEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Writes {
    /// Puts them on the list. `after` is how far the log was looked through before; gives how far it is now.
    pub(super) async fn list_unlisted(&self, after: Position) -> Result<Position, Error> {
        let now = self.clock.now();
        let young = now.minus(self.config.not_done_after);
        let since = now.minus(self.config.kept_for.saturating_sub(NOT_THE_OLDEST));
        let mut after = after.max(self.log.before(since).await?);
        let filter = Filter {
            phases: vec![Phase::Outcome],
            results: vec![CallResult::Unknown],
            operations: Operation::writes().collect(),
            ..Filter::all()
        };
        loop {
            let search = Search {
                after,
                ..Search::oldest(filter.clone(), PAGE)
            };
            let events = self.log.find(&search).await?;
            let found = events.len();
            // Of a write that was just made its own process says what became of it. What is behind that is looked through next time: the
            // clocks of replicas differ, and an older one may be there.
            let old = |event: &Event| {
                event
                    .entry
                    .as_ref()
                    .is_none_or(|entry| entry.entry_time.map_or(now, Timestamp::from) < young)
            };
            let events: Vec<Event> = events.into_iter().take_while(old).collect();
            let is_last = events.len() < found || found < PAGE;
            if let Some(last) = events.last() {
                after = Position(last.position);
            }
            let entries: Vec<Entry> = events.into_iter().filter_map(|event| event.entry).collect();
            let rows = entries.iter().filter_map(|entry| inherited::row(entry, now));
            let rows: Vec<_> = rows.collect();
            if !rows.is_empty() {
                store::insert_of_portals(&self.database, &rows).await?;
            }
            if is_last {
                return Ok(after);
            }
        }
    }
}
