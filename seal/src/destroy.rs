//! Destroying keys: what was sealed under them, and what was hashed with them, can never be read or made again.

use hubkeep_core::{
    clock::Timestamp,
    database::{self, Database, Transaction},
};

use crate::{Error, Keyring, Owner};

impl Keyring {
    /// Destroys every key of an owner, as part of a transaction, and none is made for it again. Gives the purposes of
    /// the keys that there were, sorted. Call [`forget`](Self::forget) when it is committed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn destroy(&self, transaction: &mut Transaction, owner: Owner) -> Result<Vec<String>, Error> {
        Ok(destroy(transaction, owner, self.now()).await?)
    }

    /// Forgets the keys of an owner that this process has unwrapped. They are wiped from memory when nobody uses them
    /// any more.
    pub fn forget(&self, owner: Owner) {
        self.forget_unwrapped(owner);
    }
}

async fn destroy(
    transaction: &mut Transaction,
    owner: Owner,
    now: Timestamp,
) -> Result<Vec<String>, database::Error> {
    let owner = owner.to_string();
    sqlx::query("INSERT INTO seal_destroyed (owner, destroy_time) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&owner)
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    let purposes = sqlx::query_scalar("SELECT purpose FROM seal_key WHERE owner = $1 ORDER BY purpose")
        .bind(&owner)
        .fetch_all(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM seal_key WHERE owner = $1")
        .bind(&owner)
        .execute(&mut *transaction)
        .await?;
    Ok(purposes)
}

/// Whether the keys of an owner were destroyed.
pub(crate) async fn is_destroyed(database: &Database, owner: Owner) -> Result<bool, database::Error> {
    let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM seal_destroyed WHERE owner = $1")
        .bind(owner.to_string())
        .fetch_one(database.pool())
        .await?;
    Ok(found != 0)
}
