//! When the entries of each small span were made: kept in memory, for it only grows, and is small (16 bytes a span).

use std::sync::Arc;

use hubkeep_core::{clock::Timestamp, database::Database};
use tokio::sync::Mutex;

use super::store;
use crate::{Error, Filter};

/// Spans whose times are read at once.
const AT_ONCE: i64 = 20_000;

/// The earliest and the latest time of each span, from the first on.
pub(super) type Spans = Arc<Vec<(i64, i64)>>;

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Times(Mutex<Spans>);

impl Times {
    /// The times of so many spans.
    pub(super) async fn of(&self, database: &Database, spans: i64) -> Result<Spans, Error> {
        let wanted = usize::try_from(spans).unwrap_or(0);
        let mut known = self.0.lock().await;
        if known.len() > wanted {
            // It is made anew.
            *known = Spans::default();
        }
        while known.len() < wanted {
            let from = i64::try_from(known.len()).unwrap_or(i64::MAX);
            let read = store::times(database, from..spans.min(from.saturating_add(AT_ONCE))).await?;
            let next = Arc::make_mut(&mut *known);
            // What is missing excludes nothing.
            next.extend((from..).zip(&read).map(|(expected, (span, first, last))| {
                if *span == expected {
                    (*first, *last)
                } else {
                    (i64::MIN, i64::MAX)
                }
            }));
            if read.is_empty() {
                next.resize(wanted, (i64::MIN, i64::MAX));
            }
        }
        Ok(Arc::clone(&known))
    }
}

/// The time that a filter leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    start: i64,
    end: i64,
}

impl Window {
    /// `None` where a filter does not ask for times.
    pub(super) fn of(filter: &Filter) -> Option<Self> {
        (filter.start_time.is_some() || filter.end_time.is_some()).then(|| Self {
            start: filter.start_time.map_or(i64::MIN, Timestamp::as_micros),
            end: filter.end_time.map_or(i64::MAX, Timestamp::as_micros),
        })
    }

    /// Whether an entry of a span may have been made in it.
    pub(super) const fn touches(self, (first, last): (i64, i64)) -> bool {
        first < self.end && last >= self.start
    }
}
