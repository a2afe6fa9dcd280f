//! The table `sealed_secret`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};

use super::Error;

pub(super) async fn insert(
    transaction: &mut Transaction,
    secret_id: &str,
    sealed: &[u8],
    place: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO sealed_secret (secret_id, sealed, place, create_time) VALUES ($1, $2, $3, $4)")
        .bind(secret_id)
        .bind(sealed)
        .bind(place)
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// The sealed bytes, and where they rest instead if that is elsewhere.
pub(super) async fn find(database: &Database, secret_id: &str) -> Result<Option<(Vec<u8>, String)>, Error> {
    let found = sqlx::query_as("SELECT sealed, place FROM sealed_secret WHERE secret_id = $1")
        .bind(secret_id)
        .fetch_optional(database.pool())
        .await?;
    Ok(found)
}

pub(super) async fn delete(transaction: &mut Transaction, secret_id: &str) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM sealed_secret WHERE secret_id = $1")
        .bind(secret_id)
        .execute(&mut *transaction)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether a row names this place.
pub(super) async fn is_named(database: &Database, place: &str) -> Result<bool, Error> {
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sealed_secret WHERE place = $1")
        .bind(place)
        .fetch_one(database.pool())
        .await?;
    Ok(rows > 0)
}

/// Everything whose id begins so.
pub(super) async fn delete_all(transaction: &mut Transaction, prefix: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM sealed_secret WHERE SUBSTR(secret_id, 1, LENGTH($1)) = $1")
        .bind(prefix)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}
