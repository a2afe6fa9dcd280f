//! Heads: how far something that is kept elsewhere had come when the log was last told. They only grow. Who finds the
//! thing itself behind its head knows that it was restored from a backup.

use hubkeep_core::database::Database;

use crate::{AuditLog, Error};

const RAISE: &str = "INSERT INTO audit_head (head_name, number, final) VALUES ($1, $2, $3) \
    ON CONFLICT (head_name) DO UPDATE SET number = excluded.number, \
    final = CASE WHEN excluded.final > audit_head.final THEN excluded.final ELSE audit_head.final END \
    WHERE audit_head.number < excluded.number";
const ALL: &str = "SELECT head_name, number, final FROM audit_head";

/// How far something has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What.
    pub name: String,
    /// How far.
    pub number: u64,
    /// Whether it ends there: once final, always final.
    pub is_final: bool,
}

impl AuditLog {
    /// Tells the log how far something has come. One that is there already is raised, never lowered. Durable when this
    /// returns.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn raise_head(&self, head: &Head) -> Result<(), Error> {
        raise(self.database(), head).await
    }

    /// All heads.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn heads(&self) -> Result<Vec<Head>, Error> {
        all(self.database()).await
    }
}

async fn raise(database: &Database, head: &Head) -> Result<(), Error> {
    sqlx::query(RAISE)
        .bind(&head.name)
        .bind(i64::try_from(head.number).unwrap_or(i64::MAX))
        .bind(i64::from(head.is_final))
        .execute(database.pool())
        .await?;
    Ok(())
}

async fn all(database: &Database) -> Result<Vec<Head>, Error> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(ALL).fetch_all(database.pool()).await?;
    let heads = rows.into_iter().map(|(name, number, is_final)| Head {
        name,
        number: u64::try_from(number).unwrap_or(0),
        is_final: is_final != 0,
    });
    Ok(heads.collect())
}
