//! The tables `access_record` and `access_version`.

use hubkeep_core::database::{Database, Transaction};
use sqlx::{Any, Decode, FromRow, Row as _, Type, any::AnyRow};

use super::Error;

/// The table's name, for the associated data of what is sealed in it.
pub(super) const TABLE: &str = "access_record";
/// The column, likewise.
pub(super) const COLUMN: &str = "sealed";

/// A row as the database has it, perhaps altered: what cannot be read is empty, and hides no other.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: String,
    pub(super) record_id: String,
    revision: i64,
    pub(super) sealed: Vec<u8>,
}

impl Row {
    pub(super) fn new(kind: &str, record_id: &str, revision: u64, sealed: Vec<u8>) -> Self {
        Self {
            kind: kind.to_owned(),
            record_id: record_id.to_owned(),
            revision: i64::try_from(revision).unwrap_or(i64::MAX),
            sealed,
        }
    }

    pub(super) fn revision(&self) -> u64 {
        u64::try_from(self.revision).unwrap_or(0)
    }
}

impl<'r> FromRow<'r, AnyRow> for Row {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            kind: cell(row, "kind"),
            record_id: cell(row, "record_id"),
            revision: cell(row, "revision"),
            sealed: cell(row, COLUMN),
        })
    }
}

fn cell<'r, T: Decode<'r, Any> + Type<Any> + Default>(row: &'r AnyRow, name: &str) -> T {
    row.try_get(name).unwrap_or_default()
}

/// How often grants and people were changed.
pub(super) async fn version(database: &Database) -> Result<i64, Error> {
    let version = sqlx::query_scalar("SELECT version FROM access_version WHERE counter_id = 1")
        .fetch_one(database.pool())
        .await?;
    Ok(version)
}

/// Every record, by id.
pub(super) async fn all(database: &Database) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as(
        "SELECT kind, record_id, revision, sealed FROM access_record ORDER BY kind, record_id",
    )
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

/// Moves the counter, if it still stands at `version`: whoever else changes something waits until this transaction has
/// ended, and then finds that it does not.
pub(super) async fn advance(transaction: &mut Transaction, version: i64) -> Result<bool, Error> {
    let done =
        sqlx::query("UPDATE access_version SET version = version + 1 WHERE counter_id = 1 AND version = $1")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a record in the place of the one that is there, if there is one.
pub(super) async fn put(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO access_record (kind, record_id, revision, sealed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, record_id) DO UPDATE SET revision = excluded.revision, sealed = excluded.sealed",
    )
    .bind(&row.kind)
    .bind(&row.record_id)
    .bind(row.revision)
    .bind(row.sealed.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
