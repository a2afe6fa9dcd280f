//! The table `handle_budget`: what is left of each budget.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::HandleId,
};

use super::{super::Error, SWEEP};
use crate::access::Budget;

/// Writes down what a new handle may do.
pub(in crate::handles) async fn insert(
    transaction: &mut Transaction,
    handle_id: HandleId,
    budget: Budget,
    expire_time: Timestamp,
) -> Result<(), Error> {
    let stored = |amount: Option<u64>| amount.map(|amount| i64::try_from(amount).unwrap_or(i64::MAX));
    sqlx::query(
        "INSERT INTO handle_budget (handle_id, calls_left, records_left, expire_time) VALUES ($1, $2, $3, $4)",
    )
    .bind(handle_id.to_string())
    .bind(stored(budget.max_calls))
    .bind(stored(budget.max_records))
    .bind(expire_time.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// What is left to a handle. What is not there has nothing left: a row that somebody took out is no budget without limit.
pub(in crate::handles) async fn left(
    transaction: &mut Transaction,
    handle_id: HandleId,
) -> Result<Budget, Error> {
    let row: Option<(Option<i64>, Option<i64>)> =
        sqlx::query_as("SELECT calls_left, records_left FROM handle_budget WHERE handle_id = $1")
            .bind(handle_id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
    let (calls, records) = row.unwrap_or((Some(0), Some(0)));
    let amount = |stored: Option<i64>| stored.map(|stored| u64::try_from(stored).unwrap_or(0));
    Ok(Budget {
        max_calls: amount(calls),
        max_records: amount(records),
    })
}

/// Takes from what is left to a handle. Only what is limited becomes less.
pub(in crate::handles) async fn take(
    transaction: &mut Transaction,
    handle_id: HandleId,
    calls: u64,
    records: u64,
) -> Result<(), Error> {
    let stored = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    sqlx::query(
        "UPDATE handle_budget SET calls_left = calls_left - $1, records_left = records_left - $2 \
         WHERE handle_id = $3",
    )
    .bind(stored(calls))
    .bind(stored(records))
    .bind(handle_id.to_string())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Deletes some of the budgets of handles that ended before `time`.
pub(in crate::handles) async fn sweep(database: &Database, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM handle_budget WHERE handle_id IN \
         (SELECT handle_id FROM handle_budget WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(time.as_micros())
    .bind(SWEEP)
    .execute(database.pool())
    .await?;
    Ok(())
}
