//! Where a log lies: appended to natively, read with SQL that every database understands.

mod ground;
mod lock;
mod postgres;
mod read;
mod scan;
mod sqlite;

pub(crate) use postgres::{Lease, PostgresStore, Server};
pub(crate) use read::{LostIntent, Page, Reader, whole};
pub(crate) use scan::{Scan, StoredEntry};
pub(crate) use sqlite::SqliteStore;

use std::collections::HashMap;

use crate::{DatabaseError, Position, pending::Pending};

/// A batch, and what became of it.
#[derive(Debug)]
pub(crate) struct Appended {
    /// The batch, in its order.
    pub(crate) batch: Vec<Pending>,
    /// Where each of it stands; `None` for what was not written because it was withdrawn or already closed.
    pub(crate) positions: Vec<Option<Position>>,
    /// What was written, or why nothing of the batch was.
    pub(crate) result: Result<Written, DatabaseError>,
}

/// Between what ends a batch lies.
#[derive(Debug)]
pub(crate) struct Written {
    /// The newest position before it.
    pub(crate) begun: Position,
    /// The newest position after it.
    pub(crate) end: Position,
    /// How many entries each log had before it, of those that have more now. A log that is missing is not known.
    pub(crate) sizes: Vec<(String, u64)>,
}

impl Written {
    /// The index in its log of each of a batch that was written. Of an outcome that an earlier try had written only the place is
    /// known, and of a log that is missing in `sizes` nothing.
    pub(crate) fn indexes(&self, batch: &[Pending], positions: &[Option<Position>]) -> Vec<Option<u64>> {
        let sizes = self.sizes.iter();
        let mut next: HashMap<&str, u64> = sizes.map(|(log, size)| (log.as_str(), *size)).collect();
        let index = |(pending, position): (&Pending, &Option<Position>)| {
            position.filter(|position| *position > self.begun)?;
            let next = next.get_mut(pending.row.keys.log.as_str())?;
            let index = *next;
            *next = index.saturating_add(1);
            Some(index)
        };
        batch.iter().zip(positions).map(index).collect()
    }
}

/// Where entries are appended.
#[derive(Debug)]
pub(crate) enum Store {
    /// A file.
    Sqlite(SqliteStore),
    /// A server, beside other replicas.
    Postgres(Box<PostgresStore>),
    /// A store that fails where a model checker wants it to.
    #[cfg(all(test, feature = "models"))]
    Failing(crate::models::FailingStore),
}

impl Store {
    /// Writes a batch in one transaction. `None` if nothing can be written any more.
    pub(crate) async fn append(&mut self, batch: Vec<Pending>) -> Option<Appended> {
        match self {
            Self::Sqlite(store) => store.append(batch).await,
            Self::Postgres(store) => Some(store.append(batch).await),
            #[cfg(all(test, feature = "models"))]
            Self::Failing(store) => store.append(batch).await,
        }
    }

    /// Whether something may have been written that was refused.
    pub(crate) fn is_in_doubt(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(store) => store.is_in_doubt(),
            #[cfg(all(test, feature = "models"))]
            Self::Failing(store) => store.is_in_doubt(),
        }
    }

    /// Tries to learn what was written, and closes what must not stay open.
    pub(crate) async fn clear_doubt(&mut self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(store) => store.clear_doubt().await,
            #[cfg(all(test, feature = "models"))]
            Self::Failing(store) => store.clear_doubt().await,
        }
    }

    /// Ends writing. When this returns, the log may be opened again.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
            #[cfg(all(test, feature = "models"))]
            Self::Failing(_) => {}
        }
    }
}
