//! Reading the log from its beginning to its end, as those do who follow it in the background: all of each entry, in order.
//! Of a file it is read on a connection of its own, many entries at once: as fast as they lie there, and not row by row
//! through a pool.

use std::sync::{Arc, Mutex, PoisonError};

use hubkeep_core::database::Database;
use hubkeep_proto::audit::v1::{Entry, Event};
use prost::Message as _;
use rusqlite::{Connection, OpenFlags, params};

use crate::{Config, DatabaseError, Error, Position};

const BETWEEN: &str = "SELECT position, log, log_index, leaf FROM audit_entry \
    WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3";

/// position, log, log_index, leaf.
type Row = (i64, String, i64, Vec<u8>);

/// An entry as it lies in its table.
#[derive(Debug)]
pub(crate) struct StoredEntry {
    pub(crate) position: u64,
    pub(crate) log: String,
    pub(crate) index: u64,
    pub(crate) leaf: Vec<u8>,
}

impl StoredEntry {
    fn of((position, log, index, leaf): Row) -> Self {
        Self {
            position: u64::try_from(position).unwrap_or(0),
            log,
            index: u64::try_from(index).unwrap_or(0),
            leaf,
        }
    }

    /// An event with both its entry and its leaf.
    pub(crate) fn event(self) -> Result<Event, Error> {
        let position = Position(self.position);
        let entry = Entry::decode(self.leaf.as_slice());
        Ok(Event {
            position: self.position,
            index: self.index,
            log: self.log,
            entry: Some(entry.map_err(|source| Error::Corrupt { position, source })?),
            leaf: self.leaf,
        })
    }
}

/// Reads entries one after the other. Clones share a connection.
#[derive(Clone, Debug)]
pub(crate) enum Scan {
    File(Arc<Mutex<Connection>>),
    Server(Database),
}

impl Scan {
    /// Of the log that lies at this place, which is open already; of a server with the connections of this pool.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn open(config: &Config, database: &Database) -> Result<Self, Error> {
        let Some(file) = config.sqlite_file() else {
            return Ok(Self::Server(database.clone()));
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        Ok(Self::File(Arc::new(Mutex::new(connection))))
    }

    /// At most `limit` entries after a position and up to another, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn entries(
        &self,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, DatabaseError> {
        let [after, until] = [after, until].map(|position| i64::try_from(position).unwrap_or(i64::MAX));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match self {
            Self::File(connection) => {
                let connection = Arc::clone(connection);
                let read = move || {
                    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                    read(&connection, after, until, limit)
                };
                match tokio::task::spawn_blocking(read).await {
                    Ok(entries) => Ok(entries?),
                    Err(_) => Err(DatabaseError::from(rusqlite::Error::InvalidQuery)),
                }
            }
            Self::Server(database) => {
                let rows: Vec<Row> = sqlx::query_as(BETWEEN)
                    .bind(after)
                    .bind(until)
                    .bind(limit)
                    .fetch_all(database.pool())
                    .await?;
                Ok(rows.into_iter().map(StoredEntry::of).collect())
            }
        }
    }
}

fn read(
    connection: &Connection,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<StoredEntry>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(BETWEEN)?;
    let rows = statement.query_map(params![after, until, limit], |row| {
        Ok(StoredEntry::of((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
        )))
    })?;
    rows.collect()
}
