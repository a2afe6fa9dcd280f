//! The table `consumer`. What its columns `tags` and `webhook` hold is sealed.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::CallerName,
};
use sqlx::FromRow;

use super::super::{
    Error,
    consumers::{Consumer, Portals},
};

/// The place in which webhooks lie, for the associated data of their sealing.
pub(in super::super) const TABLE: &str = "consumer";
/// The column, likewise.
pub(in super::super) const COLUMN: &str = "webhook";
/// The other sealed column.
pub(in super::super) const TAGS: &str = "tags";

#[derive(FromRow)]
struct Row {
    consumer_name: String,
    client_slugs: String,
    tags: Option<Vec<u8>>,
    webhook: Option<Vec<u8>>,
    deadline_micros: i64,
    register_time: i64,
}

/// A consumer as its row has it: with its tags and its webhook sealed.
#[derive(Clone, Debug)]
pub(in super::super) struct Stored {
    pub(in super::super) consumer: Consumer,
    pub(in super::super) tags: Option<Vec<u8>>,
    pub(in super::super) webhook: Option<Vec<u8>>,
}

pub(in super::super) async fn by_name(
    database: &Database,
    name: &CallerName,
) -> Result<Option<Stored>, Error> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT consumer_name, client_slugs, tags, webhook, deadline_micros, register_time FROM consumer \
         WHERE consumer_name = $1",
    )
    .bind(name.as_str())
    .fetch_optional(database.pool())
    .await?;
    row.map(Stored::try_from).transpose()
}

/// At most `limit` consumers whose name is greater than `after`, by name.
pub(in super::super) async fn page(
    database: &Database,
    after: &str,
    limit: usize,
) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT consumer_name, client_slugs, tags, webhook, deadline_micros, register_time FROM consumer \
         WHERE consumer_name > $1 ORDER BY consumer_name LIMIT $2",
    )
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// The consumers that name portals by tags.
pub(in super::super) async fn with_tags(database: &Database) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT consumer_name, client_slugs, tags, webhook, deadline_micros, register_time FROM consumer \
         WHERE tags IS NOT NULL ORDER BY consumer_name",
    )
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// All consumers, as a switch sees them.
pub(in super::super) async fn all(transaction: &mut Transaction) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT consumer_name, client_slugs, tags, webhook, deadline_micros, register_time FROM consumer \
         ORDER BY consumer_name",
    )
    .fetch_all(&mut *transaction)
    .await?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// Stores a consumer; `false` if there is one of this name.
pub(in super::super) async fn insert(transaction: &mut Transaction, stored: &Stored) -> Result<bool, Error> {
    let consumer = &stored.consumer;
    let done = sqlx::query(
        "INSERT INTO consumer (consumer_name, client_slugs, tags, webhook, deadline_micros, register_time) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(consumer.name.as_str())
    .bind(consumer.portals.to_text())
    .bind(stored.tags.as_deref())
    .bind(stored.webhook.as_deref())
    .bind(i64::try_from(consumer.deadline.as_micros()).unwrap_or(i64::MAX))
    .bind(consumer.register_time.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes another sealed webhook over the one that a consumer has.
pub(in super::super) async fn set_webhook(
    transaction: &mut Transaction,
    name: &CallerName,
    webhook: &[u8],
) -> Result<(), Error> {
    sqlx::query("UPDATE consumer SET webhook = $1 WHERE consumer_name = $2")
        .bind(webhook)
        .bind(name.as_str())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Removes a consumer; `false` if there is none.
pub(in super::super) async fn remove(
    transaction: &mut Transaction,
    name: &CallerName,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM consumer WHERE consumer_name = $1")
        .bind(name.as_str())
        .execute(&mut *transaction)
        .await?;
    Ok(done.rows_affected() == 1)
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let broken = || Error::BrokenRow(row.consumer_name.clone());
        Ok(Self {
            consumer: Consumer {
                name: row.consumer_name.parse().map_err(|_| broken())?,
                portals: Portals::of_text(&row.client_slugs).ok_or_else(broken)?,
                deadline: Duration::from_micros(u64::try_from(row.deadline_micros).map_err(|_| broken())?),
                register_time: Timestamp::from_micros(row.register_time),
            },
            tags: row.tags,
            webhook: row.webhook,
        })
    }
}
