//! The table `pair_turn`. It is used on PostgreSQL only, and by its clock: on SQLite there is one process.

use std::time::Duration;

use hubkeep_core::database::{Database, Error};

/// The database's own time, in microseconds since 1970.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}

/// Lost turns that are cleared away at once.
const AT_ONCE: i64 = 100;

/// Takes all of these pairs, or none where another has one of them. Gives whether they are taken. They are in order, so that two who
/// want the same wait for each other in one direction only. What this turn has taken already, and has not heard of, it takes again.
pub(super) async fn take(
    database: &Database,
    holder: &str,
    pairs: &[String],
    holds_for: Duration,
) -> Result<bool, Error> {
    let mut transaction = database.begin().await?;
    let done = sqlx::query(concat!(
        "INSERT INTO pair_turn (pair, holder, until_time) SELECT x.value, $1, ",
        now!(),
        " + $3 FROM json_array_elements_text(CAST($2 AS json)) WITH ORDINALITY AS x(value, place) ORDER BY x.place \
         ON CONFLICT (pair) DO UPDATE SET holder = excluded.holder, until_time = excluded.until_time \
         WHERE pair_turn.holder = excluded.holder OR pair_turn.until_time < ",
        now!()
    ))
    .bind(holder)
    .bind(serde_json::json!(pairs).to_string())
    .bind(i64::try_from(holds_for.as_micros()).unwrap_or(i64::MAX))
    .execute(&mut transaction)
    .await?;
    if done.rows_affected() < u64::try_from(pairs.len()).unwrap_or(u64::MAX) {
        transaction.rollback().await?;
        return Ok(false);
    }
    transaction.commit().await?;
    Ok(true)
}

/// Gives back what a turn has taken.
pub(super) async fn give_back(database: &Database, holder: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM pair_turn WHERE holder = $1")
        .bind(holder)
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Clears away some of what lost processes have left, the oldest first. What somebody is at is left to it.
pub(super) async fn forget_lost(database: &Database) -> Result<(), Error> {
    sqlx::query(concat!(
        "DELETE FROM pair_turn WHERE pair IN (SELECT pair FROM pair_turn WHERE until_time < ",
        now!(),
        " ORDER BY until_time LIMIT $1 FOR UPDATE SKIP LOCKED)"
    ))
    .bind(AT_ONCE)
    .execute(database.pool())
    .await?;
    Ok(())
}
