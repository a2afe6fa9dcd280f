//! What a process writes to, kept from it for a while.

use std::path::PathBuf;

use hubkeep_tests::support::{disk::WriteLock, keeping::Keeping};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::callers::Stage;

/// What cannot be written.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// The rows of writes.
    Rows,
    /// The log.
    Log,
}

/// A lock that others wait for; in a file until it is dropped, in a table until it is released.
pub enum Lock {
    File(WriteLock),
    Table(PgConnection),
}

impl Lock {
    /// Takes it, waiting for whoever writes now.
    pub async fn take(stage: &Stage, what: What) -> Self {
        match &stage.keeping {
            Keeping::Files => {
                let name = match what {
                    What::Rows => "crm-service.db",
                    What::Log => "crm-service-audit.db",
                };
                let file: PathBuf = stage.hubkeep.folder().join(name);
                Self::File(WriteLock::take(&file))
            }
            Keeping::Postgres { data, audit } => {
                let (fresh, lock) = match what {
                    What::Rows => (data, "BEGIN; LOCK TABLE write_call IN EXCLUSIVE MODE"),
                    What::Log => (audit, "BEGIN; LOCK TABLE audit_position IN EXCLUSIVE MODE"),
                };
                let connected = PgConnection::connect(&fresh.url_with_password()).await;
                let mut connection = connected.expect("a server");
                connection.execute(lock).await.expect("locks");
                Self::Table(connection)
            }
        }
    }

    /// Others may write.
    pub async fn release(self) {
        match self {
            Self::File(lock) => drop(lock),
            Self::Table(mut connection) => {
                connection.execute("ROLLBACK").await.expect("unlocks");
            }
        }
    }
}
