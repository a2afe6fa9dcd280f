//! The table of wrapped keys, `seal_key`.

use hubkeep_core::{
    clock::Timestamp,
    database::{self, Database},
};

use crate::place::{Owner, Purpose};

/// A row.
pub(crate) struct WrappedKey {
    pub(crate) key_id: String,
    pub(crate) kek_id: String,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) commitment: Vec<u8>,
}

pub(crate) async fn find(
    database: &Database,
    owner: Owner,
    purpose: Purpose,
) -> Result<Option<WrappedKey>, database::Error> {
    let row: Option<(String, String, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT key_id, kek_id, wrapped, commitment FROM seal_key WHERE owner = $1 AND purpose = $2",
    )
    .bind(owner.to_string())
    .bind(purpose.name())
    .fetch_optional(database.pool())
    .await?;
    Ok(row.map(|(key_id, kek_id, wrapped, commitment)| WrappedKey {
        key_id,
        kek_id,
        wrapped,
        commitment,
    }))
}

/// Stores a key, unless another process was quicker: then that one's stays.
pub(crate) async fn insert_if_absent(
    database: &Database,
    owner: Owner,
    purpose: Purpose,
    key: &WrappedKey,
    now: Timestamp,
) -> Result<(), database::Error> {
    sqlx::query(
        "INSERT INTO seal_key (key_id, owner, purpose, kek_id, wrapped, commitment, create_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (owner, purpose) DO NOTHING",
    )
    .bind(&key.key_id)
    .bind(owner.to_string())
    .bind(purpose.name())
    .bind(&key.kek_id)
    .bind(key.wrapped.as_slice())
    .bind(key.commitment.as_slice())
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(())
}
