//! One connection, taken from the pool for a while. Whoever waits for the database waits with a bound, and a
//! connection on which an answer did not come is never used again.

use std::{future::Future, time::Duration};

use sqlx::{Any, AnyConnection, Executor as _, pool::PoolConnection};

/// What `work` gives, or an error when the database is silent for longer than `limit`. What `work` has asked may still
/// be done by the database.
///
/// # Errors
/// Those of `work`, and a timeout.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a server is silent is real time, also where a test holds the clock"
)]
pub async fn bounded<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let silent = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database is silent");
        Err(sqlx::Error::Io(silent).into())
    })
}

/// A connection on loan.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Option<PoolConnection<Any>>,
    limit: Duration,
    /// A statement was sent and its answer has not come: what is read next would be the answer to another question.
    waits: bool,
    /// A transaction is open, and must be undone if nobody ends it.
    open: bool,
}

impl Lease {
    pub(super) const fn new(connection: PoolConnection<Any>, limit: Duration) -> Self {
        Self {
            connection: Some(connection),
            limit,
            waits: false,
            open: false,
        }
    }

    /// Asks the database something, and waits for the answer within the limit.
    pub(super) async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let usable = self.connection.as_mut().filter(|_| !self.waits);
        let connection = usable.ok_or(sqlx::Error::PoolClosed)?;
        self.waits = true;
        let answer = bounded(self.limit, question(connection)).await;
        self.waits = matches!(&answer, Err(sqlx::Error::Io(_)));
        answer
    }

    /// Says whether a transaction is open.
    pub(super) const fn set_open(&mut self, open: bool) {
        self.open = open;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.waits => drop(runtime.spawn(give_back(connection, self.limit, self.open))),
            // Not given back, for it would first be waited for. The server undoes what was open when it is gone.
            _ => drop(connection.detach()),
        }
    }
}

/// Gives a connection back to the pool, with nothing open on it.
async fn give_back(mut connection: PoolConnection<Any>, limit: Duration, open: bool) {
    if open && let Err(error) = bounded(limit, connection.execute("ROLLBACK")).await {
        tracing::warn!(%error, "a connection to the database is given up");
        drop(connection.detach());
        return;
    }
    // The pool asks the server once more whether it is there; one that is not is closed.
    let back = async {
        connection.return_to_pool().await;
        Ok::<(), sqlx::Error>(())
    };
    if bounded(limit, back).await.is_err() {
        tracing::warn!("a connection to the database is given up: the server is silent");
    }
}
