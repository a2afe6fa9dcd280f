//! The table `connection_attempt`.

use hubkeep_core::{clock::Timestamp, database::Database};

use super::Error;

/// The table's name, for the associated data of what is sealed in it.
pub(in super::super) const TABLE: &str = "connection_attempt";
/// Rows deleted at once.
const SWEEP: i64 = 256;

pub(in super::super) async fn insert(
    database: &Database,
    mac: &[u8],
    sealed: &[u8],
    expire_time: Timestamp,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO connection_attempt (state_mac, sealed, expire_time) VALUES ($1, $2, $3)")
        .bind(mac)
        .bind(sealed)
        .bind(expire_time.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Takes what was begun with this state out of the table: nobody gets it twice.
pub(in super::super) async fn take(database: &Database, mac: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let sealed = sqlx::query_scalar("DELETE FROM connection_attempt WHERE state_mac = $1 RETURNING sealed")
        .bind(mac)
        .fetch_optional(database.pool())
        .await?;
    Ok(sealed)
}

/// Deletes some of those whose time is over.
pub(in super::super) async fn sweep(database: &Database, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM connection_attempt WHERE state_mac IN \
         (SELECT state_mac FROM connection_attempt WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(now.as_micros())
    .bind(SWEEP)
    .execute(database.pool())
    .await?;
    Ok(())
}
