//! Which entries of a log may go: the bundles at its beginning that are old through and through.

use hubkeep_core::{clock::Timestamp, database::Database, id::PortalId};

use super::{BUNDLE, read_back, store, store::Standing};
use crate::{
    Entry, Error, Event, Filter, Position, ProvenPortal,
    index::{Finder, Wanted},
    proofs,
    store::Reader,
};

/// The bundles at the beginning of a log that may go.
#[derive(Debug)]
pub(super) struct Plan {
    /// They end before this index.
    pub(super) below: u64,
    /// Their entries, in order; only where they are asked for.
    pub(super) events: Vec<Event>,
    /// When the newest of them was made.
    pub(super) newest: Timestamp,
    /// When the newest entry of the bundle was made that may not go; `None` where there is none, or an intent is open in it.
    pub(super) young: Option<Timestamp>,
}

/// Reads bundles.
#[derive(Clone, Debug)]
pub(super) struct Planner {
    pub(super) database: Database,
    pub(super) reader: Reader,
    pub(super) finder: Finder,
}

impl Planner {
    pub(super) fn new(reader: Reader) -> Self {
        Self {
            database: reader.database().clone(),
            finder: Finder::new(reader.clone()),
            reader,
        }
    }

    /// What may go of a log of what is older than `horizon`: at most so many bundles, and nothing from `limit` on. `keeping`
    /// gives the entries with it.
    pub(super) async fn plan(
        &self,
        standing: &Standing,
        horizon: Timestamp,
        (most, limit): (usize, u64),
        keeping: bool,
    ) -> Result<Plan, Error> {
        // The newest entry of a log stays.
        let limit = limit.min(standing.size.saturating_sub(1));
        let mut plan = Plan {
            below: standing.first_index,
            events: Vec::new(),
            newest: Timestamp::from_micros(i64::MIN),
            young: None,
        };
        let (mut after, end) = (standing.pruned_until, self.reader.end().await?);
        for _ in 0..most {
            if plan.below.saturating_add(BUNDLE) > limit {
                break;
            }
            let bundle = self.bundle(&standing.log, plan.below, (after, end)).await?;
            let newest = bundle.iter().map(made).max().unwrap_or(YOUNG);
            if newest >= horizon {
                plan.young = (newest < YOUNG).then_some(newest);
                break;
            }
            let last = bundle.last().map_or(after, |event| Position(event.position));
            let open = store::open(&self.database, after, last).await?;
            let is_open = |event: &Event| open.iter().any(|open| read_back(*open) == event.position);
            if bundle.iter().any(is_open) {
                break;
            }
            after = last;
            plan.below = plan.below.saturating_add(BUNDLE);
            plan.newest = plan.newest.max(newest);
            if keeping {
                plan.events.extend(bundle);
            }
        }
        Ok(plan)
    }

    /// The bundle of a log that begins with this index, behind a position.
    async fn bundle(
        &self,
        log: &str,
        index: u64,
        (after, until): (Position, Position),
    ) -> Result<Vec<Event>, Error> {
        let filter = Filter {
            log: Some(log.to_owned()),
            ..Filter::all()
        };
        let wanted = Wanted {
            filter: &filter,
            newest_first: false,
            after,
            until,
            limit: usize::try_from(BUNDLE).unwrap_or(usize::MAX),
        };
        let events = self.finder.find(wanted).await?;
        // The index may have been changed, or the log: then nothing goes.
        for (expected, event) in (index..index.saturating_add(BUNDLE)).zip(&events) {
            if event.index != expected {
                return Err(missing(log, expected));
            }
        }
        match u64::try_from(events.len()) {
            Ok(BUNDLE) => Ok(events),
            found => Err(missing(log, index.saturating_add(found.unwrap_or(0)))),
        }
    }
}

impl Planner {
    /// The portal of a log, as its newest entry names it; `None` of the service's own.
    pub(super) async fn portal_of(&self, log: &str) -> Result<Option<ProvenPortal>, Error> {
        let filter = Filter {
            log: Some(log.to_owned()),
            ..Filter::all()
        };
        let wanted = Wanted {
            filter: &filter,
            newest_first: true,
            after: Position::START,
            until: self.reader.end().await?,
            limit: 1,
        };
        let newest = self.finder.find(wanted).await?.pop();
        let entry = newest.and_then(|event| event.entry);
        Ok(entry.and_then(|entry| {
            let portal_id = PortalId::new(entry.portal_id)?;
            Some(ProvenPortal::by_kept_row(
                portal_id,
                entry.client_slug.parse().ok()?,
            ))
        }))
    }
}

fn missing(log: &str, index: u64) -> Error {
    Error::Proofs(proofs::Error::Damaged {
        log: log.to_owned(),
        problem: format!("the entry with index {index} is not where it should be: nothing of it is pruned"),
    })
}

/// When something was made that does not say when: it never grows old.
const YOUNG: Timestamp = Timestamp::from_micros(i64::MAX);

/// When an entry was made.
fn made(event: &Event) -> Timestamp {
    let time = |entry: &Entry| entry.entry_time.map(Timestamp::from);
    event.entry.as_ref().and_then(time).unwrap_or(YOUNG)
}
