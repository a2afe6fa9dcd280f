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
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
