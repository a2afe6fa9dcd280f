//! Why an entry did not become durable.

use std::{path::PathBuf, sync::Arc, time::Duration};

use thiserror::Error as ThisError;

use crate::room::Lack;

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
    /// A disk that the log needs is nearly full: what is under way is recorded, and nothing new.
    #[error(transparent)]
    NoRoom(Lack),
    /// Earlier calls of the portal have ended, and that is not on record yet: the log has refused it, and it is tried again.
    #[error("outcomes of earlier calls in the same log are not recorded yet")]
    Behind,
    /// What the log has come to has waited for so long to be anchored: nothing is written to HubSpot until it is.
    #[error(
        "what the log has come to was not anchored for {}: see that the places under audit.anchors take it; nothing is written \
         meanwhile",
        humantime::format_duration(Duration::from_secs(.0.as_secs()))
    )]
    Unanchored(Duration),
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
    /// The file of the log is not where it was, or another is there.
    #[error(
        "the log's file {} was moved away, removed or replaced while it was open: put it back, or stop the service and find \
         out who did that; what was recorded is in the file that was there",
        .0.display()
    )]
    Replaced(PathBuf),
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
