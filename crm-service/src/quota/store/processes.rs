//! Which processes have kept the calls of days that they have made: the table `quota_process`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};

use crate::quota::error::ShareError;

/// A process that may have made calls that it has not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::quota) struct Process {
    pub(in crate::quota) id: String,
    /// So many times it has kept what it had made.
    pub(in crate::quota) keeps: u64,
    /// When it last did, by its own clock.
    pub(in crate::quota) kept_time: Timestamp,
}

/// A process begins: it has kept nothing yet.
pub(in crate::quota) async fn begin(database: &Database, id: &str, now: Timestamp) -> Result<(), ShareError> {
    sqlx::query("INSERT INTO quota_process (process, keeps, kept_time) VALUES ($1, 0, $2)")
        .bind(id)
        .bind(now.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// It keeps once more what it has made.
pub(in crate::quota) async fn keep(
    transaction: &mut Transaction,
    id: &str,
    now: Timestamp,
) -> Result<(), ShareError> {
    sqlx::query(
        "INSERT INTO quota_process (process, keeps, kept_time) VALUES ($1, 1, $2) ON CONFLICT (process) \
         DO UPDATE SET keeps = quota_process.keeps + 1, kept_time = excluded.kept_time",
    )
    .bind(id)
    .bind(now.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// The other processes.
pub(in crate::quota) async fn others(
    transaction: &mut Transaction,
    id: &str,
) -> Result<Vec<Process>, ShareError> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as("SELECT process, keeps, kept_time FROM quota_process WHERE process <> $1")
            .bind(id)
            .fetch_all(&mut *transaction)
            .await?;
    let process = |(id, keeps, kept_time)| Process {
        id,
        keeps: u64::try_from(keeps).unwrap_or(0),
        kept_time: Timestamp::from_micros(kept_time),
    };
    Ok(rows.into_iter().map(process).collect())
}

/// It has kept everything, and stops.
pub(in crate::quota) async fn end(database: &Database, id: &str) -> Result<(), ShareError> {
    sqlx::query("DELETE FROM quota_process WHERE process = $1")
        .bind(id)
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Forgets those that have kept nothing since then.
pub(in crate::quota) async fn forget(database: &Database, before: Timestamp) -> Result<(), ShareError> {
    sqlx::query("DELETE FROM quota_process WHERE kept_time < $1")
        .bind(before.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}
