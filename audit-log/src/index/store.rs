//! The tables of the index, in SQL that is valid on SQLite and on PostgreSQL.

use std::{ops::Range, sync::LazyLock};

use hubkeep_core::database::{Database, Transaction};
use sqlx::any::AnyRow;

use super::{Level, MERGED, RULES};
use crate::Error;

const STATE: &str = "SELECT spans, merged, rules FROM audit_index_end WHERE id = 1";
const ADD_SPAN: &str =
    "UPDATE audit_index_end SET spans = spans + 1 WHERE id = 1 AND spans = $1 AND rules = $2";
const ADD_MERGED: &str =
    "UPDATE audit_index_end SET merged = merged + 1 WHERE id = 1 AND merged = $1 AND rules = $2";
const BEGIN_ANEW: &str = "UPDATE audit_index_end SET spans = 0, merged = 0, rules = $1 WHERE id = 1";
const FORGET_PLACES: &str = "DELETE FROM audit_index";
const FORGET_TIMES: &str = "DELETE FROM audit_index_span";
const PUT: &str = "INSERT INTO audit_index (level, term, span, places) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (level, term, span) DO UPDATE SET places = excluded.places";
const PUT_TIMES: &str = "INSERT INTO audit_index_span (span, first_time, last_time) VALUES ($1, $2, $3) \
    ON CONFLICT (span) DO UPDATE SET first_time = excluded.first_time, last_time = excluded.last_time";
const TIMES: &str = "SELECT span, first_time, last_time FROM audit_index_span \
    WHERE span >= $1 AND span < $2 ORDER BY span";
const PLACES: &str = "SELECT span, places FROM audit_index \
    WHERE level = $1 AND term = $2 AND span >= $3 AND span < $4 ORDER BY span";
const PART: &str = "SELECT term, span, places FROM audit_index \
    WHERE level = $1 AND term >= $2 AND term <= $3 AND span >= $4 AND span < $5 ORDER BY term, span";
const FORGET_PART: &str = "DELETE FROM audit_index \
    WHERE level = $1 AND term >= $2 AND term <= $3 AND span < $4";
const FORGET_TERM: &str = "DELETE FROM audit_index WHERE level = $1 AND term = $2 AND span < $3";
const BETWEEN: &str = "SELECT position, log, log_index, leaf FROM audit_entry \
    WHERE position >= $1 AND position <= $2 ORDER BY position";

/// Positions that are read with one statement.
pub(super) const AT_ONCE: usize = 64;
static AT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=AT_ONCE).map(|place| format!("${place}")).collect();
    let places = places.join(", ");
    format!("SELECT position, log, log_index, leaf FROM audit_entry WHERE position IN ({places})")
});

/// How far the index has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Spans of level 0 that are indexed, of all that begin at position 0.
    pub(super) spans: i64,
    /// Of these, how often 64 were put together.
    pub(super) merged: i64,
    /// By which rules it is made.
    pub(super) rules: i64,
}

impl State {
    /// Whether there are enough small spans to put together.
    pub(super) const fn is_mergeable(self) -> bool {
        self.spans >= (self.merged + 1) * MERGED
    }
}

pub(super) async fn state(database: &Database) -> Result<State, Error> {
    let (spans, merged, rules): (i64, i64, i64) = sqlx::query_as(STATE).fetch_one(database.pool()).await?;
    Ok(State { spans, merged, rules })
}

/// Counts one span more; `false` if others were quicker.
pub(super) async fn add_span(transaction: &mut Transaction, spans: i64) -> Result<bool, Error> {
    let added = sqlx::query(ADD_SPAN).bind(spans).bind(RULES);
    Ok(added.execute(transaction).await?.rows_affected() == 1)
}

/// Says that 64 spans more were put together; `false` if others were quicker.
pub(super) async fn add_merged(transaction: &mut Transaction, merged: i64) -> Result<bool, Error> {
    let added = sqlx::query(ADD_MERGED).bind(merged).bind(RULES);
    Ok(added.execute(transaction).await?.rows_affected() == 1)
}

/// Forgets an index.
pub(super) async fn begin_anew(database: &Database) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query(BEGIN_ANEW)
        .bind(RULES)
        .execute(&mut transaction)
        .await?;
    for forget in [FORGET_PLACES, FORGET_TIMES] {
        sqlx::query(forget).execute(&mut transaction).await?;
    }
    Ok(transaction.commit().await?)
}

pub(super) async fn put(
    transaction: &mut Transaction,
    level: Level,
    term: i64,
    span: i64,
    places: Vec<u8>,
) -> Result<(), Error> {
    sqlx::query(PUT)
        .bind(level.number())
        .bind(term)
        .bind(span)
        .bind(places)
        .execute(transaction)
        .await?;
    Ok(())
}

pub(super) async fn put_times(
    transaction: &mut Transaction,
    span: i64,
    (first, last): (i64, i64),
) -> Result<(), Error> {
    sqlx::query(PUT_TIMES)
        .bind(span)
        .bind(first)
        .bind(last)
        .execute(transaction)
        .await?;
    Ok(())
}

/// When the entries of these spans were made.
pub(super) async fn times(database: &Database, spans: Range<i64>) -> Result<Vec<(i64, i64, i64)>, Error> {
    Ok(sqlx::query_as(TIMES)
        .bind(spans.start)
        .bind(spans.end)
        .fetch_all(database.pool())
        .await?)
}

/// Where a term occurs in these spans.
pub(super) async fn places(
    database: &Database,
    level: Level,
    term: i64,
    spans: &Range<i64>,
) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    Ok(sqlx::query_as(PLACES)
        .bind(level.number())
        .bind(term)
        .bind(spans.start)
        .bind(spans.end)
        .fetch_all(database.pool())
        .await?)
}

/// Where terms out of this part of all terms occur in these small spans, by term and span.
pub(super) async fn part(
    database: &Database,
    (first, last): (i64, i64),
    spans: &Range<i64>,
) -> Result<Vec<(i64, i64, Vec<u8>)>, Error> {
    Ok(sqlx::query_as(PART)
        .bind(Level::Small.number())
        .bind(first)
        .bind(last)
        .bind(spans.start)
        .bind(spans.end)
        .fetch_all(database.pool())
        .await?)
}

/// Forgets a term in spans below this one.
pub(super) async fn forget_term(
    transaction: &mut Transaction,
    level: Level,
    term: i64,
    below: i64,
) -> Result<(), Error> {
    let forget = sqlx::query(FORGET_TERM).bind(level.number());
    forget.bind(term).bind(below).execute(transaction).await?;
    Ok(())
}

/// Forgets terms out of this part of all terms in small spans below this one.
pub(super) async fn forget_part(database: &Database, part: (i64, i64), below: i64) -> Result<(), Error> {
    forget_part_of(database, Level::Small, part, below).await
}

/// The same in large spans.
pub(super) async fn forget_large(database: &Database, part: (i64, i64), below: i64) -> Result<(), Error> {
    forget_part_of(database, Level::Large, part, below).await
}

async fn forget_part_of(
    database: &Database,
    level: Level,
    (first, last): (i64, i64),
    below: i64,
) -> Result<(), Error> {
    sqlx::query(FORGET_PART)
        .bind(level.number())
        .bind(first)
        .bind(last)
        .bind(below)
        .execute(database.pool())
        .await?;
    Ok(())
}

/// The entries at these positions, in any order. At most [`AT_ONCE`].
pub(super) async fn at(database: &Database, positions: &[i64]) -> Result<Vec<AnyRow>, Error> {
    let Some(last) = positions.last() else {
        return Ok(Vec::new());
    };
    let padded = positions.iter().chain(std::iter::repeat(last)).take(AT_ONCE);
    let query = padded.fold(sqlx::query(AT.as_str()), |query, position| query.bind(*position));
    Ok(query.fetch_all(database.pool()).await?)
}

/// The entries at these positions and between them, in order.
pub(super) async fn between(database: &Database, first: i64, last: i64) -> Result<Vec<AnyRow>, Error> {
    Ok(sqlx::query(BETWEEN)
        .bind(first)
        .bind(last)
        .fetch_all(database.pool())
        .await?)
}
