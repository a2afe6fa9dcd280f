//! The table `holder`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::CallerName,
};

use super::{Contained, Error, Holder, Standing};

const CALLER: &str = "caller";
const PERSON: &str = "person";

/// kind, name, contained_time, contained_by, reason.
type Row = (String, String, i64, Option<String>, Option<String>);

fn key(holder: &Holder) -> (&'static str, &str) {
    match holder {
        Holder::Caller(name) => (CALLER, name.as_str()),
        Holder::Person(id) => (PERSON, id.as_str()),
    }
}

pub(super) async fn standing(database: &Database, holder: &Holder) -> Result<Standing, Error> {
    let (kind, name) = key(holder);
    let row: Option<(i64, Option<i64>)> =
        sqlx::query_as("SELECT generation, contained_time FROM holder WHERE kind = $1 AND name = $2")
            .bind(kind)
            .bind(name)
            .fetch_optional(database.pool())
            .await?;
    let (generation, contained_time) = row.unwrap_or((1, None));
    Ok(Standing {
        generation: unsigned(generation),
        contained: contained_time.is_some(),
    })
}

/// Moves the generation, and gives the new one. Whoever moves the same one at once waits for the end of this transaction.
pub(super) async fn next_generation(transaction: &mut Transaction, holder: &Holder) -> Result<u64, Error> {
    let (kind, name) = key(holder);
    let generation: i64 = sqlx::query_scalar(
        "INSERT INTO holder (kind, name, generation) VALUES ($1, $2, 2) \
         ON CONFLICT (kind, name) DO UPDATE SET generation = holder.generation + 1 RETURNING generation",
    )
    .bind(kind)
    .bind(name)
    .fetch_one(transaction)
    .await?;
    Ok(unsigned(generation))
}

/// Contains, and gives the new generation; `None`, and nothing is written, if it is contained already.
pub(super) async fn contain(
    transaction: &mut Transaction,
    holder: &Holder,
    by: &CallerName,
    reason: &str,
    now: Timestamp,
) -> Result<Option<u64>, Error> {
    let (kind, name) = key(holder);
    let generation: Option<i64> = sqlx::query_scalar(
        "INSERT INTO holder (kind, name, generation, contained_time, contained_by, reason) \
         VALUES ($1, $2, 2, $3, $4, $5) \
         ON CONFLICT (kind, name) DO UPDATE SET generation = holder.generation + 1, \
         contained_time = excluded.contained_time, contained_by = excluded.contained_by, reason = excluded.reason \
         WHERE holder.contained_time IS NULL RETURNING generation",
    )
    .bind(kind)
    .bind(name)
    .bind(now.as_micros())
    .bind(by.as_str())
    .bind(reason)
    .fetch_optional(transaction)
    .await?;
    Ok(generation.map(unsigned))
}

/// Whether it was contained.
pub(super) async fn lift(transaction: &mut Transaction, holder: &Holder) -> Result<bool, Error> {
    let (kind, name) = key(holder);
    let done = sqlx::query(
        "UPDATE holder SET contained_time = NULL, contained_by = NULL, reason = NULL \
         WHERE kind = $1 AND name = $2 AND contained_time IS NOT NULL",
    )
    .bind(kind)
    .bind(name)
    .execute(transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn is_contained(transaction: &mut Transaction, holder: &Holder) -> Result<bool, Error> {
    let (kind, name) = key(holder);
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM holder WHERE kind = $1 AND name = $2 AND contained_time IS NOT NULL",
    )
    .bind(kind)
    .bind(name)
    .fetch_one(&mut *transaction)
    .await?;
    Ok(count > 0)
}

pub(super) async fn contained(database: &Database, holder: &Holder) -> Result<Option<Contained>, Error> {
    let (kind, name) = key(holder);
    let row: Option<Row> = sqlx::query_as(
        "SELECT kind, name, contained_time, contained_by, reason FROM holder \
         WHERE kind = $1 AND name = $2 AND contained_time IS NOT NULL",
    )
    .bind(kind)
    .bind(name)
    .fetch_optional(database.pool())
    .await?;
    row.map(read).transpose()
}

pub(super) async fn list(database: &Database) -> Result<Vec<Contained>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT kind, name, contained_time, contained_by, reason FROM holder WHERE contained_time IS NOT NULL \
         ORDER BY contained_time DESC, kind, name",
    )
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<Contained, Error> {
    let (kind, name, time, by, reason) = row;
    let holder = match kind.as_str() {
        CALLER => name.parse().ok().map(Holder::Caller),
        PERSON => name.parse().ok().map(Holder::Person),
        _ => None,
    };
    let by = by.and_then(|by| by.parse().ok());
    let unreadable = || Error::Unreadable(format!("{kind} {name}"));
    Ok(Contained {
        holder: holder.ok_or_else(unreadable)?,
        time: Timestamp::from_micros(time),
        by: by.ok_or_else(unreadable)?,
        reason: reason.unwrap_or_default(),
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
