//! Some spans of one level that are looked at together: which of their positions may hold what is sought.

use std::{collections::BTreeMap, ops::Range};

use hubkeep_core::database::Database;
use roaring::RoaringBitmap;

use super::{
    Level, MERGED, places,
    places::Unreadable,
    store, terms,
    times::{Spans, Window},
};
use crate::{Error, Filter, position::SPAN};

/// What is sought, in the words of the index.
pub(super) struct Sought {
    /// Of each group, one.
    groups: Vec<Vec<i64>>,
    /// The beginning of a record's keyed hash.
    record: Option<u32>,
    window: Option<Window>,
}

impl Sought {
    pub(super) fn of(log: Option<&str>, filter: &Filter) -> Self {
        Self {
            groups: terms::of_filter(log, filter),
            record: filter.object_ref.as_ref().map(|record| terms::start(&record.0)),
            window: Window::of(filter),
        }
    }

    pub(super) const fn window(&self) -> Option<Window> {
        self.window
    }
}

/// Some spans of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) level: Level,
    pub(super) spans: Range<i64>,
}

/// Offsets, by span.
type Found = BTreeMap<i64, RoaringBitmap>;

impl Block {
    /// The first and the last position of it.
    pub(super) const fn positions(&self) -> (i64, i64) {
        let width = self.level.width();
        (self.spans.start * width, self.spans.end * width - 1)
    }

    /// The positions that may hold what is sought, in order.
    pub(super) async fn candidates(
        &self,
        database: &Database,
        sought: &Sought,
        times: &Spans,
    ) -> Result<Vec<i64>, Error> {
        let mut found = None;
        if let Some(record) = sought.record {
            found = Some(self.of_record(database, record).await?);
        }
        for group in &sought.groups {
            let any = self.any_of(database, group, found.as_ref()).await?;
            let both = match found {
                None => any,
                Some(before) => in_both(before, &any),
            };
            if both.is_empty() {
                return Ok(Vec::new());
            }
            found = Some(both);
        }
        let mut found = found.unwrap_or_else(|| self.spans.clone().map(|span| (span, self.all())).collect());
        if let Some(window) = sought.window {
            self.confine(&mut found, window, times);
        }
        let width = self.level.width();
        let positions = found.into_iter().flat_map(|(span, offsets)| {
            offsets
                .into_iter()
                .map(move |offset| span * width + i64::from(offset))
        });
        Ok(positions.collect())
    }

    async fn of_record(&self, database: &Database, start: u32) -> Result<Found, Error> {
        let term = match self.level {
            Level::Small => terms::records(),
            Level::Large => terms::records_like(start),
        };
        let rows = store::places(database, self.level, term, &self.spans).await?;
        let mut found = Found::new();
        for (span, bytes) in rows {
            let offsets = self.or_all(places::of_record(&bytes, start));
            if !offsets.is_empty() {
                found.insert(span, offsets);
            }
        }
        Ok(found)
    }

    /// Where one of these terms occurs, in the spans that are left.
    async fn any_of(&self, database: &Database, terms: &[i64], left: Option<&Found>) -> Result<Found, Error> {
        let spans = match left.and_then(|left| left.first_key_value().zip(left.last_key_value())) {
            Some(((first, _), (last, _))) => *first..*last + 1,
            None => self.spans.clone(),
        };
        let mut any = Found::new();
        for term in terms {
            for (span, bytes) in store::places(database, self.level, *term, &spans).await? {
                *any.entry(span).or_default() |= self.or_all(places::read(&bytes));
            }
        }
        Ok(any)
    }

    /// Leaves out small spans in which nothing was made at the time.
    fn confine(&self, found: &mut Found, window: Window, times: &Spans) {
        let small_spans = self.level.width() / SPAN;
        for (span, offsets) in found {
            for part in 0..small_spans.min(MERGED) {
                let small = usize::try_from(*span * small_spans + part).unwrap_or(usize::MAX);
                if times.get(small).is_some_and(|times| !window.touches(*times)) {
                    let from = u32::try_from(part * SPAN).unwrap_or(u32::MAX);
                    let to = u32::try_from((part + 1) * SPAN).unwrap_or(u32::MAX);
                    offsets.remove_range(from..to);
                }
            }
        }
    }

    /// Every offset of a span.
    fn all(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..u32::try_from(self.level.width()).unwrap_or(u32::MAX));
        all
    }

    /// What cannot be read excludes nothing: entries are judged by themselves.
    fn or_all(&self, offsets: Result<RoaringBitmap, Unreadable>) -> RoaringBitmap {
        offsets.unwrap_or_else(|Unreadable| {
            tracing::warn!("the index of the audit log is damaged: a query takes longer");
            self.all()
        })
    }
}

fn in_both(mut one: Found, other: &Found) -> Found {
    one.retain(|span, offsets| match other.get(span) {
        Some(others) => {
            *offsets &= others;
            !offsets.is_empty()
        }
        None => false,
    });
    one
}
