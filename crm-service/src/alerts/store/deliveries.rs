//! The table `alert_delivery`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};

use super::{Error, signed, unsigned};
use crate::alerts::{addressee::Addressee, alert::Change};

/// One thing that is still to be told.
#[derive(Clone, Copy, Debug)]
pub(in crate::alerts) struct Due {
    pub(in crate::alerts) alert_id: u64,
    pub(in crate::alerts) change: Change,
    /// How often it was tried.
    pub(in crate::alerts) attempts: u64,
    /// Since when it is to be told.
    pub(in crate::alerts) since: Timestamp,
}

/// Somebody is to be told.
pub(in crate::alerts) async fn insert(
    transaction: &mut Transaction,
    (alert_id, change): (u64, Change),
    to: Addressee,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO alert_delivery (alert_id, receiver, ordinal, attempts, since_time, next_time) \
         VALUES ($1, $2, $3, 0, $4, $4)",
    )
    .bind(signed(alert_id))
    .bind(to.name())
    .bind(change.ordinal())
    .bind(now.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// What somebody is to be told by now, the oldest first. That an alert is resolved waits until it is told that it fired.
pub(in crate::alerts) async fn due(
    database: &Database,
    to: Addressee,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Due>, Error> {
    let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT d.alert_id, d.ordinal, d.attempts, d.since_time FROM alert_delivery AS d \
         WHERE d.receiver = $1 AND d.next_time <= $2 AND NOT EXISTS (SELECT 1 FROM alert_delivery AS e \
         WHERE e.alert_id = d.alert_id AND e.receiver = d.receiver AND e.ordinal < d.ordinal) \
         ORDER BY d.next_time, d.alert_id LIMIT $3",
    )
    .bind(to.name())
    .bind(now.as_micros())
    .bind(i64::from(limit))
    .fetch_all(database.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(alert_id, ordinal, attempts, since)| Due {
            alert_id: unsigned(alert_id),
            change: Change::of_ordinal(ordinal),
            attempts: unsigned(attempts),
            since: Timestamp::from_micros(since),
        })
        .collect())
}

/// It was told, or is given up.
pub(in crate::alerts) async fn end(database: &Database, due: &Due, to: Addressee) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM alert_delivery WHERE alert_id = $1 AND receiver = $2 AND ordinal = $3")
        .bind(signed(due.alert_id))
        .bind(to.name())
        .bind(due.change.ordinal())
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// It was not taken, and is tried again then; with all that they are to be told by then, or alone.
pub(in crate::alerts) async fn put_off(
    database: &Database,
    (due, all): (&Due, bool),
    to: Addressee,
    next: Timestamp,
) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "UPDATE alert_delivery SET attempts = attempts + 1, next_time = $4 \
         WHERE alert_id = $1 AND receiver = $2 AND ordinal = $3",
    )
    .bind(signed(due.alert_id))
    .bind(to.name())
    .bind(due.change.ordinal())
    .bind(next.as_micros())
    .execute(&mut transaction)
    .await?;
    if all {
        sqlx::query("UPDATE alert_delivery SET next_time = $2 WHERE receiver = $1 AND next_time < $2")
            .bind(to.name())
            .bind(next.as_micros())
            .execute(&mut transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Forgets what was to be told before this: also to receivers that there are no more.
pub(in crate::alerts) async fn forget(database: &Database, before: Timestamp) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM alert_delivery WHERE since_time < $1")
        .bind(before.as_micros())
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}
