//! Appending to PostgreSQL: one connection, one statement for each batch, beside other replicas that do the same.
//!
//! | file | holds |
//! |---|---|
//! | `server` | connections, and what they are held to |
//! | `replica` | who writes, and how it is known that they live |
//! | `batch` | the statement |
//! | `doubt` | what may have been written, and what becomes of it |

mod batch;
mod doubt;
mod replica;
mod server;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::watch;

use self::{
    batch::{Answer, Columns},
    doubt::Doubts,
    replica::Registered,
};
use super::{Appended, Written};
use crate::{DatabaseError, Position, pending::Pending};

pub(crate) use self::{replica::Lease, server::Server};

/// A connection on which this replica may write.
#[derive(Debug)]
struct Session {
    connection: PgConnection,
    replica: Registered,
}

/// The way to the server.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    server: Server,
    /// The id under which this replica is registered, for the keeper of its lease.
    replica: watch::Sender<Option<String>>,
    session: Option<Session>,
    doubts: Doubts,
}

impl PostgresStore {
    /// Registers this replica. The tables are there already.
    pub(crate) async fn open(server: Server) -> Result<Self, DatabaseError> {
        let mut store = Self {
            server,
            replica: watch::Sender::new(None),
            session: None,
            doubts: Doubts::default(),
        };
        store.session = Some(store.begin().await?);
        Ok(store)
    }

    /// What keeps the lease of this replica.
    pub(crate) fn lease(&self) -> Lease {
        Lease::new(self.server.clone(), self.replica.subscribe())
    }

    /// Writes a batch in one statement. Where the server does not answer in time, or the connection is lost, nobody
    /// knows whether it was written: intents are refused, and closed as soon as they are seen to be there.
    pub(crate) async fn append(&mut self, mut batch: Vec<Pending>) -> Appended {
        let mut sent = false;
        match self.write(&batch, &mut sent).await {
            Ok((positions, written)) => Appended {
                batch,
                positions,
                result: Ok(written),
            },
            Err(error) => {
                if sent {
                    self.doubts.add(&mut batch, &error);
                }
                Appended {
                    batch,
                    positions: Vec::new(),
                    result: Err(error),
                }
            }
        }
    }

    /// Whether intents may have been written that were refused.
    pub(crate) fn is_in_doubt(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// Looks whether intents were written that were refused. Where the server cannot be reached, they stay in doubt.
    pub(crate) async fn clear_doubt(&mut self) {
        match self.begin().await {
            Ok(session) => self.session = Some(session),
            Err(error) => tracing::debug!(%error, "the log's database cannot be reached"),
        }
    }

    /// Gives the lease back, if the server can be reached: what is open is closed sooner then.
    pub(crate) async fn close(mut self) {
        let Some(Session {
            mut connection,
            replica,
        }) = self.session.take()
        else {
            return;
        };
        let left = async {
            replica::leave(&mut connection, &replica.replica_id).await?;
            Ok(connection.close().await?)
        };
        if let Err(error) = self.server.connected(left).await {
            tracing::debug!(%error, "the lease was not given back, and runs out by itself");
        }
    }

    /// While this runs there is no session: if it fails, the connection is not used again.
    async fn write(
        &mut self,
        batch: &[Pending],
        sent: &mut bool,
    ) -> Result<(Vec<Option<Position>>, Written), DatabaseError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.begin().await?,
        };
        let columns = Columns::of(batch);
        *sent = true;
        let mut answer = self.send(&columns, &mut session).await?;
        if !answer.admitted {
            *sent = false;
            drop(session);
            session = self.begin().await?;
            *sent = true;
            answer = self.send(&columns, &mut session).await?;
        }
        *sent = false;
        if !answer.admitted {
            return Err(DatabaseError::LeaseLost);
        }
        let mut positions = columns.places(&answer, batch.len());
        let found = doubt::find_earlier(&mut session.connection, batch, &mut positions);
        let found = self.server.in_time(found).await;
        if found.is_ok() {
            self.session = Some(session);
        }
        Ok((positions, columns.written(&answer)))
    }

    async fn send(&self, columns: &Columns<'_>, session: &mut Session) -> Result<Answer, DatabaseError> {
        let sent = columns.append(&mut session.connection, &session.replica);
        self.server.in_time(sent).await
    }

    /// A new connection, and a new session of this replica on it.
    async fn begin(&mut self) -> Result<Session, DatabaseError> {
        let server = self.server.clone();
        server.connected(self.connect()).await
    }

    async fn connect(&mut self) -> Result<Session, DatabaseError> {
        let mut connection = self.server.connect().await?;
        let known = self.replica.borrow().clone();
        let replica = replica::register(&mut connection, known.clone()).await?;
        if known.as_ref() != Some(&replica.replica_id) {
            if known.is_some() {
                tracing::warn!("this replica was taken for lost: its open intents are closed by others");
            }
            self.replica.send_replace(Some(replica.replica_id.clone()));
        }
        self.doubts.clear(&mut connection, &replica.replica_id).await?;
        Ok(Session { connection, replica })
    }
}
