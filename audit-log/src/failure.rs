//! Why an entry did not become durable.

use std::{sync::Arc, time::Duration};

use thiserror::Error as ThisError;

/// Why an entry did not become durable.
#[derive(Clone, Debug, ThisError)]
pub enum Failure {
    /// It took longer than this.
    #[error("it was not durable within {0:?}")]
    Deadline(Duration),
    /// The database refused the batch that it was in.
    #[error("the database refused it: {0}")]
    Database(DatabaseError),
    /// Its intent was closed before: this process was taken for lost, and another recorded its outcome as unknown.
    #[error("its intent was closed before")]
    Closed,
    /// The log was stopped.
    #[error("the log is stopped")]
    Stopped,
}

/// What a database said to a batch. Shared by everybody who waits for the batch.
#[derive(Clone, Debug, ThisError)]
pub enum DatabaseError {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(Arc<rusqlite::Error>),
    /// PostgreSQL refused, or could not be reached.
    #[error(transparent)]
    Postgres(Arc<sqlx::Error>),
    /// The server did not answer for this long. Its connection is given up.
    #[error("the database was silent for {0:?}")]
    Silent(Duration),
    /// This replica was taken for lost again and again while it tried to write.
    #[error("this replica's lease ran out")]
    LeaseLost,
    /// The server forgets what it has committed when its machine stops.
    #[error("the database's setting fsync is off: a commit would not be durable")]
    NotDurable,
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(Arc::new(error))
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
