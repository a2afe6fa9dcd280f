//! The table `client_consent`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::CallerName,
};
use sqlx::FromRow;

use super::Error;

/// The table's name, for the associated data of what is sealed in it.
pub(in crate::sessions) const TABLE: &str = "client_consent";

#[derive(Clone, Debug, FromRow)]
pub(in crate::sessions) struct Row {
    pub(in crate::sessions) user_name: String,
    pub(in crate::sessions) client_id: String,
    pub(in crate::sessions) consent_time: i64,
    pub(in crate::sessions) sealed: Vec<u8>,
}

/// Puts a consent in the place of the one before.
pub(in crate::sessions) async fn put(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO client_consent (user_name, client_id, consent_time, sealed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (user_name, client_id) DO UPDATE SET consent_time = excluded.consent_time, sealed = excluded.sealed",
    )
    .bind(&row.user_name)
    .bind(&row.client_id)
    .bind(row.consent_time)
    .bind(row.sealed.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Those of a user, or everybody's, by user and client, after one of them.
pub(in crate::sessions) async fn page(
    database: &Database,
    user: Option<&CallerName>,
    (after_user, after_client): (&str, &str),
    limit: usize,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT user_name, client_id, consent_time, sealed FROM client_consent \
         WHERE ($1 = '' OR user_name = $1) AND (user_name > $2 OR (user_name = $2 AND client_id > $3)) \
         ORDER BY user_name, client_id LIMIT $4",
    )
    .bind(user.map_or("", CallerName::as_str))
    .bind(after_user)
    .bind(after_client)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

pub(in crate::sessions) async fn remove(
    database: &Database,
    user: &CallerName,
    client_id: &str,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM client_consent WHERE user_name = $1 AND client_id = $2")
        .bind(user.as_str())
        .bind(client_id)
        .execute(database.pool())
        .await?;
    Ok(())
}

pub(in crate::sessions) async fn remove_all(database: &Database, user: &CallerName) -> Result<(), Error> {
    sqlx::query("DELETE FROM client_consent WHERE user_name = $1")
        .bind(user.as_str())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// When a consent was given, for the associated data of what is sealed.
pub(in crate::sessions) fn generation(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(0)
}
