//! Handles of the table `handle`, whosever they are, living or not.

use hubkeep_core::{clock::Timestamp, database::Database};

use super::super::{Error, store::Row};

/// At most `limit` handles that end after `time`, with an id greater than `after`, by id.
pub(super) async fn page(
    database: &Database,
    time: Timestamp,
    after: &str,
    limit: usize,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT handle_id, secret_mac, portal_id, client_slug, caller, expire_time, grant_id, claims, revocation_seq \
         FROM handle WHERE expire_time > $1 AND handle_id > $2 ORDER BY handle_id LIMIT $3",
    )
    .bind(time.as_micros())
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}
