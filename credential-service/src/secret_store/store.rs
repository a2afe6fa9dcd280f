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
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO sealed_secret (secret_id, sealed, create_time) VALUES ($1, $2, $3)")
        .bind(secret_id)
        .bind(sealed)
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

pub(super) async fn find(database: &Database, secret_id: &str) -> Result<Option<Vec<u8>>, Error> {
    let sealed = sqlx::query_scalar("SELECT sealed FROM sealed_secret WHERE secret_id = $1")
        .bind(secret_id)
        .fetch_optional(database.pool())
        .await?;
    Ok(sealed)
}
