//! The table `store_version`.

use hubkeep_core::database::{Database, Transaction};

use super::Error;

pub(super) async fn next(transaction: &mut Transaction) -> Result<u64, Error> {
    let version: i64 = sqlx::query_scalar(
        "UPDATE store_version SET version = version + 1 WHERE counter_id = 1 RETURNING version",
    )
    .fetch_one(&mut *transaction)
    .await?;
    Ok(u64::try_from(version).unwrap_or(0))
}

pub(super) async fn newest(database: &Database) -> Result<u64, Error> {
    let version: i64 = sqlx::query_scalar("SELECT version FROM store_version WHERE counter_id = 1")
        .fetch_one(database.pool())
        .await?;
    Ok(u64::try_from(version).unwrap_or(0))
}

/// Lifts the counter to a version, if it is lower.
pub(super) async fn lift(database: &Database, version: u64) -> Result<(), Error> {
    sqlx::query("UPDATE store_version SET version = $1 WHERE counter_id = 1 AND version < $1")
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .execute(database.pool())
        .await?;
    Ok(())
}
