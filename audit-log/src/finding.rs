//! Looking for events as the users of a log see it, and how its index begins.

use hubkeep_core::clock::SharedClock;

use crate::{
    AuditLog, Config, Error, Event, Filter, Identity, Position,
    index::{Indexer, Wanted},
    opened::pool,
    store::{Reader, Scan},
};

/// Connections of the work in the background: a transaction, and a reader beside it.
const CONNECTIONS: u32 = 2;

/// What is looked for in a log, from which end, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Which events.
    pub filter: Filter,
    /// Newest first, in place of oldest first.
    pub newest_first: bool,
    /// Only events after this position.
    pub after: Position,
    /// Only events before this position, if one is stated.
    pub before: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

impl Search {
    /// The oldest that pass a filter, at most so many.
    pub const fn oldest(filter: Filter, limit: usize) -> Self {
        Self {
            filter,
            newest_first: false,
            after: Position::START,
            before: None,
            limit,
        }
    }

    /// The newest that pass a filter, at most so many, newest first.
    pub fn newest(filter: Filter, limit: usize) -> Self {
        Self {
            newest_first: true,
            ..Self::oldest(filter, limit)
        }
    }
}

impl AuditLog {
    /// What is looked for, each with its entry and its leaf. It is found by an index, except for the newest thousand or so,
    /// which are looked at one by one.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn find(&self, search: &Search) -> Result<Vec<Event>, Error> {
        let end = self.end().await?;
        let before = search
            .before
            .map(|before| Position(before.get().saturating_sub(1)));
        let wanted = Wanted {
            filter: &search.filter,
            newest_first: search.newest_first,
            after: search.after,
            until: before.map_or(end, |before| before.min(end)),
            limit: search.limit,
        };
        self.finder().find(wanted).await
    }

    /// Brings the index up to date at once, which otherwise happens by itself within a second or so.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn bring_index_up_to_date(&self) -> Result<(), Error> {
        self.indexer().finish().await
    }
}

/// What makes the index, with connections of its own.
pub(crate) async fn open(
    config: &Config,
    identity: &Identity,
    clock: &SharedClock,
) -> Result<Indexer, Error> {
    let database = pool(config, CONNECTIONS).await?;
    let scan = Scan::open(config, &database)?;
    let reader = Reader::new(database, identity.clone());
    Ok(Indexer::new(reader, scan, clock.clone()))
}
