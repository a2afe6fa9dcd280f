//! The table of wrapped keys, `seal_key`.

use hubkeep_core::{
    clock::Timestamp,
    database::{self, Database},
};

use crate::place::{Owner, Purpose};

/// A wrapped key, and what wrapped it.
pub(crate) struct WrappedKey {
    pub(crate) key_id: String,
    pub(crate) kek_id: String,
    pub(crate) kek_version: u32,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) commitment: Vec<u8>,
}

/// A wrapped key, and whose it is, as it stands in the table.
pub(crate) struct Row {
    pub(crate) owner: String,
    pub(crate) purpose: String,
    pub(crate) key: WrappedKey,
}

#[derive(sqlx::FromRow)]
struct Stored {
    key_id: String,
    owner: String,
    purpose: String,
    kek_id: String,
    kek_version: i64,
    wrapped: Vec<u8>,
    commitment: Vec<u8>,
}

/// Every column of a [`Stored`], named: a later one must not change what is read here.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT key_id, owner, purpose, kek_id, kek_version, wrapped, commitment FROM seal_key ",
            $rest
        )
    };
}

impl From<Stored> for Row {
    fn from(stored: Stored) -> Self {
        Self {
            owner: stored.owner,
            purpose: stored.purpose,
            key: WrappedKey {
                key_id: stored.key_id,
                kek_id: stored.kek_id,
                kek_version: unsigned(stored.kek_version),
                wrapped: stored.wrapped,
                commitment: stored.commitment,
            },
        }
    }
}

/// How many keys a version of the key-encryption key wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VersionCount {
    /// The version.
    pub(crate) version: u32,
    /// The keys in the table that name it.
    pub(crate) keys: u64,
}

pub(crate) async fn find(
    database: &Database,
    owner: Owner,
    purpose: Purpose,
) -> Result<Option<WrappedKey>, database::Error> {
    let row = sqlx::query_as::<_, Stored>(select!("WHERE owner = $1 AND purpose = $2"))
        .bind(owner.to_string())
        .bind(purpose.name())
        .fetch_optional(database.pool())
        .await?;
    Ok(row.map(|row| Row::from(row).key))
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
        "INSERT INTO seal_key (key_id, owner, purpose, kek_id, kek_version, wrapped, commitment, create_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (owner, purpose) DO NOTHING",
    )
    .bind(&key.key_id)
    .bind(owner.to_string())
    .bind(purpose.name())
    .bind(&key.kek_id)
    .bind(i64::from(key.kek_version))
    .bind(key.wrapped.as_slice())
    .bind(key.commitment.as_slice())
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(())
}

/// At most `limit` keys that other versions than `version` wrapped, by id, after the id `after`.
pub(crate) async fn page_of_others(
    database: &Database,
    version: u32,
    after: &str,
    limit: i64,
) -> Result<Vec<Row>, database::Error> {
    let rows = sqlx::query_as::<_, Stored>(select!(
        "WHERE kek_version <> $1 AND key_id > $2 ORDER BY key_id LIMIT $3"
    ))
    .bind(i64::from(version))
    .bind(after)
    .bind(limit)
    .fetch_all(database.pool())
    .await?;
    Ok(rows.into_iter().map(Row::from).collect())
}

/// Puts `new` in the place of `old`, if `old` still stands there; `false` if somebody else was quicker.
pub(crate) async fn swap(
    database: &Database,
    old: &WrappedKey,
    new: &WrappedKey,
) -> Result<bool, database::Error> {
    let done = sqlx::query(
        "UPDATE seal_key SET kek_id = $1, kek_version = $2, wrapped = $3 \
         WHERE key_id = $4 AND kek_id = $5 AND kek_version = $6 AND wrapped = $7",
    )
    .bind(&new.kek_id)
    .bind(i64::from(new.kek_version))
    .bind(new.wrapped.as_slice())
    .bind(&old.key_id)
    .bind(&old.kek_id)
    .bind(i64::from(old.kek_version))
    .bind(old.wrapped.as_slice())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many keys each version wrapped, the oldest version first.
pub(crate) async fn count_by_version(database: &Database) -> Result<Vec<VersionCount>, database::Error> {
    let counts: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT kek_version, COUNT(*) FROM seal_key GROUP BY kek_version ORDER BY kek_version",
    )
    .fetch_all(database.pool())
    .await?;
    let count = |(version, keys)| VersionCount {
        version: unsigned(version),
        keys: u64::try_from(keys).unwrap_or(0),
    };
    Ok(counts.into_iter().map(count).collect())
}

/// A version as it is stored. What is none is 0, which no key-encryption key has.
fn unsigned(version: i64) -> u32 {
    u32::try_from(version).unwrap_or(0)
}
