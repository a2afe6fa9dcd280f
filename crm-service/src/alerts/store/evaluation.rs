//! The one row of `alert_evaluation`: how far the log was evaluated, and by whom.

use std::time::Duration;

use hubkeep_audit_log::Position;
use hubkeep_core::database::{Database, Transaction};

use super::{Error, micros, signed, unsigned};

/// The database's own time, in microseconds since 1970. On PostgreSQL only.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}

/// Begins behind this position, if nothing was ever evaluated.
pub(in crate::alerts) async fn begin(database: &Database, position: Position) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "INSERT INTO alert_evaluation (id, position, last_change, holder, lease_until) VALUES (1, $1, 0, '', 0) \
         ON CONFLICT DO NOTHING",
    )
    .bind(signed(position.get()))
    .execute(&mut transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes the evaluation over, if nobody has it; gives how far it has come.
pub(in crate::alerts) async fn take(
    database: &Database,
    holder: &str,
    holds_for: Duration,
) -> Result<Option<Position>, Error> {
    let statement = if database.is_shared() {
        concat!(
            "UPDATE alert_evaluation SET holder = $1, lease_until = ",
            now!(),
            " + $2 WHERE holder = $1 OR lease_until < ",
            now!(),
            " RETURNING position"
        )
    } else {
        "UPDATE alert_evaluation SET holder = $1, lease_until = $2 RETURNING position"
    };
    let mut transaction = database.begin().await?;
    let position: Option<i64> = sqlx::query_scalar(statement)
        .bind(holder)
        .bind(micros(holds_for))
        .fetch_optional(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(position.map(|position| Position(unsigned(position))))
}

/// Says how far it has come, and holds it for longer; gives the number of the last change of an alert. Nobody else changes any
/// until the transaction ends.
pub(in crate::alerts) async fn advance(
    transaction: &mut Transaction,
    (holder, shared): (&str, bool),
    position: Position,
    holds_for: Duration,
) -> Result<u64, Error> {
    let statement = if shared {
        concat!(
            "UPDATE alert_evaluation SET position = $2, lease_until = ",
            now!(),
            " + $3 WHERE holder = $1 RETURNING last_change"
        )
    } else {
        "UPDATE alert_evaluation SET position = $2, lease_until = $3 WHERE holder = $1 RETURNING last_change"
    };
    let last: Option<i64> = sqlx::query_scalar(statement)
        .bind(holder)
        .bind(signed(position.get()))
        .bind(micros(holds_for))
        .fetch_optional(&mut *transaction)
        .await?;
    last.map(unsigned).ok_or(Error::Lost)
}

/// Says what the number of the last change is.
pub(in crate::alerts) async fn changed(transaction: &mut Transaction, last: u64) -> Result<(), Error> {
    sqlx::query("UPDATE alert_evaluation SET last_change = $1")
        .bind(signed(last))
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Gives it back: another may take it at once.
pub(in crate::alerts) async fn leave(database: &Database, holder: &str) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("UPDATE alert_evaluation SET holder = '', lease_until = 0 WHERE holder = $1")
        .bind(holder)
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// The number of the last change of an alert.
pub(in crate::alerts) async fn last_change(database: &Database) -> Result<u64, Error> {
    let last: Option<i64> = sqlx::query_scalar("SELECT last_change FROM alert_evaluation")
        .fetch_optional(database.pool())
        .await?;
    Ok(last.map_or(0, unsigned))
}
