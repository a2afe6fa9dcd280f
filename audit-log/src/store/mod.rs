//! Where a log lies: appended to natively, read with SQL that every database understands.

mod lock;
mod read;
mod sqlite;

pub(crate) use read::{OpenIntent, Reader};
pub(crate) use sqlite::SqliteStore;

use crate::{DatabaseError, Position, pending::Pending};

/// A batch, and what became of it.
#[derive(Debug)]
pub(crate) struct Appended {
    /// The batch, in its order.
    pub(crate) batch: Vec<Pending>,
    /// Where each of it stands; `None` for what was not written because it was withdrawn or already closed.
    pub(crate) positions: Vec<Option<Position>>,
    /// The newest position, or why nothing of the batch was written.
    pub(crate) result: Result<Position, DatabaseError>,
}

/// Where entries are appended.
#[derive(Debug)]
pub(crate) enum Store {
    /// A file.
    Sqlite(SqliteStore),
}

impl Store {
    /// Writes a batch in one transaction. `None` if nothing can be written any more.
    pub(crate) async fn append(&mut self, batch: Vec<Pending>) -> Option<Appended> {
        match self {
            Self::Sqlite(store) => store.append(batch).await,
        }
    }

    /// Ends writing. When this returns, the log may be opened again.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
        }
    }
}
