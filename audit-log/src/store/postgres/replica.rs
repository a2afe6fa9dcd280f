//! The replicas that write one log, and their leases. A replica that is alive renews its lease; one that was not heard
//! of for as long as a lease lasts is taken for lost. The database's clock decides.

use std::time::Duration;

use hubkeep_core::clock::{SharedClock, Tick};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use tokio::sync::watch;

use super::server::{Line, Server};
use crate::DatabaseError;

/// How long a lease lasts without being renewed, in microseconds: 10 s.
pub(super) const LEASE: i64 = 10_000_000;
const LASTS: Duration = Duration::from_secs(10);

/// The database's clock, in microseconds since 1970.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}
pub(super) use now;

const REGISTER: &str = concat!(
    "INSERT INTO audit_replica (replica_id, session, seen_time) VALUES (CAST(gen_random_uuid() AS TEXT), 1, ",
    now!(),
    ") RETURNING replica_id, session"
);
/// Waits until a batch that an earlier session left under way has ended: each holds a share of the row's key.
const RESUME: &str = concat!(
    "WITH mine AS MATERIALIZED (SELECT replica_id FROM audit_replica WHERE replica_id = $1 FOR UPDATE) \
    UPDATE audit_replica r SET session = r.session + 1, seen_time = ",
    now!(),
    " FROM mine WHERE r.replica_id = mine.replica_id RETURNING r.replica_id, r.session"
);
/// Waits for no batch, however long one takes: it leaves the key alone.
const RENEW: &str = concat!(
    "UPDATE audit_replica SET seen_time = ",
    now!(),
    " WHERE replica_id = $1"
);
/// Waits for nobody: a row that is held belongs to a batch under way, or is being removed by another. The next beat
/// looks again.
const EXPIRE: &str = concat!(
    "WITH lost AS MATERIALIZED (SELECT replica_id FROM audit_replica WHERE replica_id <> $1 AND seen_time < ",
    now!(),
    " - $2 ORDER BY replica_id FOR UPDATE SKIP LOCKED) \
    DELETE FROM audit_replica r USING lost WHERE r.replica_id = lost.replica_id"
);
const LEAVE: &str = "DELETE FROM audit_replica WHERE replica_id = $1";

/// A replica as its present connection knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registered {
    pub(super) replica_id: String,
    pub(super) session: i64,
}

/// Begins a session of this replica: under the id that it has, unless it was taken for lost meanwhile; then under a
/// new one.
pub(super) async fn register(
    connection: &mut PgConnection,
    known: Option<String>,
) -> Result<Registered, DatabaseError> {
    let resumed = match known {
        Some(known) => {
            sqlx::query(RESUME)
                .bind(known)
                .fetch_all(&mut *connection)
                .await?
        }
        None => Vec::new(),
    };
    match resumed.first() {
        Some(row) => registered(row),
        None => registered(&sqlx::query(REGISTER).fetch_one(connection).await?),
    }
}

fn registered(row: &PgRow) -> Result<Registered, DatabaseError> {
    Ok(Registered {
        replica_id: row.try_get("replica_id")?,
        session: row.try_get("session")?,
    })
}

/// Gives the lease back: what this replica left open is now anybody's to close.
pub(super) async fn leave(connection: &mut PgConnection, replica_id: &str) -> Result<(), DatabaseError> {
    sqlx::query(LEAVE).bind(replica_id).execute(connection).await?;
    Ok(())
}

/// Keeps the lease of this replica, and takes away those that ran out, on a connection of its own.
#[derive(Debug)]
pub(crate) struct Lease {
    line: Line,
    replica: watch::Receiver<Option<String>>,
    clock: SharedClock,
    /// When the database was last out of reach. Others may not have reached it either, and live.
    failed: Option<Tick>,
}

impl Lease {
    pub(super) fn new(server: Server, replica: watch::Receiver<Option<String>>) -> Self {
        Self {
            clock: server.clock(),
            line: Line::new(server),
            replica,
            failed: None,
        }
    }

    /// Renews the lease. Gives the number of other replicas that are taken for lost from now on: by this one alone.
    /// After a failure nobody is taken for lost for as long as a lease lasts, so that all can come back first.
    pub(crate) async fn renew(&mut self) -> Result<u64, DatabaseError> {
        let replica_id = self.replica.borrow().clone().unwrap_or_default();
        let now = self.clock.tick();
        let expires = self.failed.is_none_or(|failed| now.since(failed) > LASTS);
        let renewed = |mut connection: PgConnection| async move {
            sqlx::query(RENEW)
                .bind(&replica_id)
                .execute(&mut connection)
                .await?;
            if !expires {
                return Ok((connection, 0));
            }
            let expired = sqlx::query(EXPIRE)
                .bind(&replica_id)
                .bind(LEASE)
                .execute(&mut connection)
                .await?;
            Ok((connection, expired.rows_affected()))
        };
        let renewed = self.line.run(renewed).await;
        if renewed.is_err() {
            self.failed = Some(self.clock.tick());
        }
        renewed
    }
}
