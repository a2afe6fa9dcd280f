//! The table `certificate_succession`.

use hubkeep_core::{clock::Timestamp, database::Database};

use super::{super::Error, SWEEP};

/// The table's name, for the associated data of what is sealed in it.
pub(in crate::handles) const TABLE: &str = "certificate_succession";

/// Writes down what took the place of a certificate, in the place of what was said of it before.
pub(in crate::handles) async fn put(
    database: &Database,
    thumbprint: &str,
    sealed: &[u8],
    expire_time: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO certificate_succession (thumbprint, sealed, expire_time) VALUES ($1, $2, $3) \
         ON CONFLICT (thumbprint) DO UPDATE SET sealed = excluded.sealed, expire_time = excluded.expire_time",
    )
    .bind(thumbprint)
    .bind(sealed)
    .bind(expire_time.as_micros())
    .execute(database.pool())
    .await?;
    Ok(())
}

/// What took the place of a certificate, sealed.
pub(in crate::handles) async fn of(database: &Database, thumbprint: &str) -> Result<Option<Vec<u8>>, Error> {
    let sealed = sqlx::query_scalar("SELECT sealed FROM certificate_succession WHERE thumbprint = $1")
        .bind(thumbprint)
        .fetch_optional(database.pool())
        .await?;
    Ok(sealed)
}

/// Deletes some of what ended before `time`.
pub(in crate::handles) async fn sweep(database: &Database, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM certificate_succession WHERE thumbprint IN \
         (SELECT thumbprint FROM certificate_succession WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(time.as_micros())
    .bind(SWEEP)
    .execute(database.pool())
    .await?;
    Ok(())
}
