//! Entries out of their table, and what is known of them out of the index and the tables of spans, in SQL that is valid on
//! SQLite and on PostgreSQL. All of it in the transaction that says where the log begins now.

use std::{collections::BTreeSet, sync::LazyLock};

use hubkeep_core::{clock::Timestamp, database::Transaction};

use super::stored;
use crate::{Error, Position, position::SPAN};

const MOVE_ON: &str = "INSERT INTO audit_pruned (log, first_index, from_position, to_position, newest_time, pruned_time) \
    VALUES ($1, $3, $4, $5, $6, $7) ON CONFLICT (log) DO UPDATE SET first_index = excluded.first_index, \
    to_position = excluded.to_position, pruned_time = excluded.pruned_time, \
    newest_time = CASE WHEN excluded.newest_time > audit_pruned.newest_time THEN excluded.newest_time \
    ELSE audit_pruned.newest_time END WHERE audit_pruned.first_index = $2";
const CLIENT: &str = "INSERT INTO audit_pruned_client (client_slug, log) VALUES ($1, $2) ON CONFLICT (client_slug, log) DO NOTHING";
/// The newest span stays: the writer may have marked it for what it is about to write.
const SPANS: &str = "DELETE FROM audit_client_span WHERE client_slug = $1 AND span >= $2 AND span <= $3 \
    AND span < (SELECT position / 1024 FROM audit_position WHERE id = 1) \
    AND NOT EXISTS (SELECT 1 FROM audit_entry e \
        WHERE e.position / 1024 = +audit_client_span.span AND e.client_slug = audit_client_span.client_slug)";
/// Positions in one statement.
const AT_ONCE: usize = 64;
static DELETE: LazyLock<String> = LazyLock::new(|| {
    let places = places_from(2);
    format!("DELETE FROM audit_entry WHERE log = $1 AND position IN ({places})")
});
/// What lay sealed beside them, and that it was erased.
static DELETE_BESIDE: LazyLock<[String; 2]> = LazyLock::new(|| {
    let places = places_from(1);
    ["audit_payload", "audit_payload_erased"]
        .map(|table| format!("DELETE FROM {table} WHERE position IN ({places})"))
});

fn places_from(first: usize) -> String {
    let places = first..first.saturating_add(AT_ONCE);
    let places: Vec<String> = places.map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// What goes.
pub(super) struct Gone<'a> {
    pub(super) log: &'a str,
    /// Where the log has begun.
    pub(super) from_index: u64,
    /// Where it begins then.
    pub(super) below_index: u64,
    /// Where its entries are, in order.
    pub(super) positions: Vec<Position>,
    /// The slugs in them.
    pub(super) slugs: BTreeSet<&'a str>,
    /// When the newest of them was made.
    pub(super) newest: Timestamp,
}

impl Gone<'_> {
    fn ends(&self) -> (Position, Position) {
        let at = |position: Option<&Position>| position.copied().unwrap_or(Position::START);
        (at(self.positions.first()), at(self.positions.last()))
    }

    /// Says where the log begins; `false` if it does not begin where it was read to begin.
    pub(super) async fn move_on(&self, transaction: &mut Transaction, now: Timestamp) -> Result<bool, Error> {
        let (first, last) = self.ends();
        let moved = sqlx::query(MOVE_ON)
            .bind(self.log)
            .bind(stored(self.from_index))
            .bind(stored(self.below_index))
            .bind(first.as_i64())
            .bind(last.as_i64())
            .bind(self.newest.as_micros())
            .bind(now.as_micros());
        Ok(moved.execute(transaction).await?.rows_affected() == 1)
    }

    /// Takes the entries out, and gives how many there were.
    pub(super) async fn delete(&self, transaction: &mut Transaction) -> Result<u64, Error> {
        let mut deleted = 0_u64;
        for positions in self.positions.chunks(AT_ONCE) {
            let last = positions.last().copied().unwrap_or(Position::START);
            let padded = || positions.iter().chain(std::iter::repeat(&last)).take(AT_ONCE);
            for beside in &*DELETE_BESIDE {
                let query = sqlx::query(beside.as_str());
                let query = padded().fold(query, |query, position| query.bind(position.as_i64()));
                query.execute(&mut *transaction).await?;
            }
            let query = sqlx::query(DELETE.as_str()).bind(self.log);
            let query = padded().fold(query, |query, position| query.bind(position.as_i64()));
            let done = query.execute(&mut *transaction).await?;
            deleted = deleted.saturating_add(done.rows_affected());
        }
        Ok(deleted)
    }

    /// Forgets where they were, but for the slugs that stood in them.
    pub(super) async fn forget(&self, transaction: &mut Transaction) -> Result<(), Error> {
        let (first, last) = self.ends();
        for slug in &self.slugs {
            if !self.log.ends_with("/system") {
                let named = sqlx::query(CLIENT).bind(*slug).bind(self.log);
                named.execute(&mut *transaction).await?;
            }
            let spans = sqlx::query(SPANS).bind(*slug);
            let spans = spans.bind(first.as_i64() / SPAN).bind(last.as_i64() / SPAN);
            spans.execute(&mut *transaction).await?;
        }
        crate::index::forget_log(transaction, self.log, last).await
    }
}
