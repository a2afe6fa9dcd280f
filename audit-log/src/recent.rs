//! The newest entries that this process has written, in memory: whoever follows the log need not read them from the database.
//! They are the bytes that were written, from the moment they are durable.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, PoisonError, RwLock},
};

use hubkeep_proto::audit::v1::{Entry, Event};
use prost::Message as _;

use crate::{
    Error, Filter, Position,
    pending::{Keys, Pending, Row},
    store::Page,
};

/// So many entries are held at most: what 64 callers write in half a second.
const MOST: usize = 8_192;
/// Their leaves have no more bytes than this together.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// So many entries are looked at for one page.
const LOOKS_AT: usize = 1_024;

/// An entry, and where it stands.
#[derive(Debug)]
pub(crate) struct Held {
    position: Position,
    log_index: u64,
    keys: Arc<Keys>,
    phase: i64,
    leaf: Vec<u8>,
}

impl Held {
    /// What was written of a batch; the leaves are taken out of it.
    pub(crate) fn of(
        batch: &mut [Pending],
        positions: &[Option<Position>],
        indexes: &[Option<u64>],
    ) -> Vec<Self> {
        let places = positions.iter().zip(indexes);
        let new = batch
            .iter_mut()
            .zip(places)
            .filter_map(|(pending, (position, index))| {
                let Row {
                    keys, phase, leaf, ..
                } = &mut pending.row;
                Some(Self {
                    position: (*position)?,
                    log_index: (*index)?,
                    keys: Arc::clone(keys),
                    phase: *phase,
                    leaf: mem::take(leaf),
                })
            });
        new.collect()
    }

    /// Whether it may pass, as far as that is known without reading it.
    fn may_pass(&self, filter: &Filter, log: Option<&str>) -> bool {
        let phase = |wanted: &crate::Phase| i64::from(i32::from(*wanted)) == self.phase;
        log.is_none_or(|log| log == self.keys.log)
            && (filter.phases.is_empty() || filter.phases.iter().any(phase))
    }

    fn event(&self) -> Result<Event, Error> {
        let position = self.position;
        let entry =
            Entry::decode(self.leaf.as_slice()).map_err(|source| Error::Corrupt { position, source })?;
        Ok(Event {
            position: position.get(),
            index: self.log_index,
            log: self.keys.log.clone(),
            entry: Some(entry),
            leaf: Vec::new(),
        })
    }
}

/// The newest entries, without a gap. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<RwLock<Newest>>);

#[derive(Debug, Default)]
struct Newest {
    entries: VecDeque<Arc<Held>>,
    bytes: usize,
}

impl Newest {
    fn end(&self) -> Option<Position> {
        self.entries.back().map(|last| last.position)
    }

    fn push(&mut self, held: Held) {
        // Between these others have written.
        if self.end().is_some_and(|end| end.plus(1) != held.position) {
            self.entries.clear();
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(held.leaf.len());
        self.entries.push_back(Arc::new(held));
        while self.entries.len() > MOST || self.bytes > MOST_BYTES {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes = self.bytes.saturating_sub(oldest.leaf.len());
        }
    }

    /// At most so many of the entries behind `after` and up to `until`; `None` where the next is not held.
    fn behind(&self, after: Position, until: Position, most: usize) -> Option<Vec<Arc<Held>>> {
        let first = self.entries.front()?.position;
        if after.plus(1) < first || self.end()? < until {
            return None;
        }
        let skipped = usize::try_from(after.plus(1).get().saturating_sub(first.get())).ok()?;
        let wanted = usize::try_from(until.get().saturating_sub(after.get())).ok()?;
        let wanted = wanted.min(most);
        Some(self.entries.iter().skip(skipped).take(wanted).cloned().collect())
    }
}

impl Recent {
    /// Holds what was written behind everything else.
    pub(crate) fn add(&self, new: Vec<Held>) {
        let mut newest = self.0.write().unwrap_or_else(PoisonError::into_inner);
        new.into_iter().for_each(|held| newest.push(held));
    }

    /// Lets go of what stands at this position or before: some of it was pruned.
    pub(crate) fn forget(&self, until: Position) {
        let mut newest = self.0.write().unwrap_or_else(PoisonError::into_inner);
        while newest
            .entries
            .front()
            .is_some_and(|oldest| oldest.position <= until)
        {
            newest.drop_oldest();
        }
    }

    /// The next of the events after `after` and up to `until` that pass the filter, without their leaves; `None` where they are
    /// not all held.
    ///
    /// # Errors
    /// If an entry cannot be read.
    pub(crate) fn page(
        &self,
        filter: &Filter,
        log: Option<&str>,
        after: Position,
        until: Position,
    ) -> Option<Result<Page, Error>> {
        let held = {
            let newest = self.0.read().unwrap_or_else(PoisonError::into_inner);
            newest.behind(after, until, LOOKS_AT)?
        };
        let reached = held.last().map_or(after, |last| last.position);
        let may_pass = held.iter().filter(|held| held.may_pass(filter, log));
        let events: Result<Vec<Event>, Error> = may_pass.map(|held| held.event()).collect();
        Some(events.map(|mut events| {
            events.retain(|event| filter.passes(log, event));
            Page { events, reached }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;

    fn held(position: u64, phase: Phase, bytes: usize) -> Held {
        let entry = Entry {
            phase: phase.into(),
            call_id: position.to_string(),
            subject: "x".repeat(bytes),
            ..Entry::default()
        };
        Held {
            position: Position(position),
            log_index: position,
            keys: Keys::of("one".to_owned(), &entry),
            phase: entry.phase.into(),
            leaf: entry.encode_to_vec(),
        }
    }

    fn positions(recent: &Recent, filter: &Filter, after: u64, until: u64) -> Option<(Vec<u64>, u64)> {
        let page = recent.page(filter, None, Position(after), Position(until))?;
        let page = page.expect("readable");
        let found = page.events.iter().map(|event| event.position).collect();
        Some((found, page.reached.get()))
    }

    #[test]
    fn what_follows_a_position_is_given_if_all_of_it_is_held() {
        let recent = Recent::default();
        assert!(positions(&recent, &Filter::all(), 0, 1).is_none());
        recent.add((5..=9).map(|at| held(at, Phase::Outcome, 0)).collect());
        assert_eq!(positions(&recent, &Filter::all(), 6, 8), Some((vec![7, 8], 8)));
        assert_eq!(
            positions(&recent, &Filter::all(), 4, 9),
            Some((vec![5, 6, 7, 8, 9], 9))
        );
        assert!(
            positions(&recent, &Filter::all(), 3, 9).is_none(),
            "4 is not held"
        );
        assert!(
            positions(&recent, &Filter::all(), 8, 10).is_none(),
            "10 is not held"
        );
    }

    #[test]
    fn what_others_have_written_between_makes_the_earlier_useless() {
        let recent = Recent::default();
        recent.add(vec![held(1, Phase::Outcome, 0), held(2, Phase::Outcome, 0)]);
        recent.add(vec![held(4, Phase::Outcome, 0)]);
        assert!(positions(&recent, &Filter::all(), 1, 4).is_none());
        assert_eq!(positions(&recent, &Filter::all(), 3, 4), Some((vec![4], 4)));
    }

    #[test]
    fn a_filter_excludes_as_it_does_elsewhere_and_says_how_far_was_looked() {
        let recent = Recent::default();
        recent.add(vec![
            held(1, Phase::Intent, 0),
            held(2, Phase::Outcome, 0),
            held(3, Phase::Intent, 0),
        ]);
        let outcomes = Filter {
            phases: vec![Phase::Outcome],
            ..Filter::all()
        };
        assert_eq!(positions(&recent, &outcomes, 0, 3), Some((vec![2], 3)));
        let page = recent.page(&Filter::all(), Some("other"), Position(0), Position(3));
        let page = page.expect("held").expect("readable");
        assert!(page.events.is_empty() && page.reached == Position(3));
    }

    #[test]
    fn what_was_pruned_is_not_given_from_memory() {
        let recent = Recent::default();
        recent.add((1..=5).map(|at| held(at, Phase::Outcome, 0)).collect());
        recent.forget(Position(3));
        assert!(positions(&recent, &Filter::all(), 2, 5).is_none());
        assert_eq!(positions(&recent, &Filter::all(), 3, 5), Some((vec![4, 5], 5)));
        recent.forget(Position(9));
        assert!(positions(&recent, &Filter::all(), 4, 5).is_none());
    }

    #[test]
    fn no_more_is_held_than_there_is_room_for() {
        let recent = Recent::default();
        recent.add(
            (1..=MOST as u64 + 10)
                .map(|at| held(at, Phase::Outcome, 0))
                .collect(),
        );
        let end = MOST as u64 + 10;
        assert!(positions(&recent, &Filter::all(), 9, end).is_none());
        assert!(positions(&recent, &Filter::all(), 10, end).is_some());
        let large = MOST_BYTES / 4;
        recent.add(
            (end + 1..=end + 5)
                .map(|at| held(at, Phase::Outcome, large))
                .collect(),
        );
        assert!(positions(&recent, &Filter::all(), end, end + 5).is_none());
        assert!(positions(&recent, &Filter::all(), end + 2, end + 5).is_some());
    }
}
