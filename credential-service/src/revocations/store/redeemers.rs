//! The table `redeemer`.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    database::Database,
    id::{CallerName, RedeemerId},
};

use super::{super::Error, unsigned};

/// Who was not heard for so long is gone. A process that comes back after it has its row written anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// What is known of a redeemer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::revocations) struct Known {
    pub(in crate::revocations) id: String,
    pub(in crate::revocations) applied_seq: u64,
    /// Moves with each message that was heard.
    pub(in crate::revocations) beat: i64,
    /// By the clock of the replica that heard it.
    pub(in crate::revocations) last_beat_time: Timestamp,
}

/// Notes that a redeemer was heard, and what it has acknowledged, which never becomes less. `false`, and nothing is
/// written, if it acknowledges what does not exist, or the row is of a redeemer of another name.
pub(in crate::revocations) async fn note(
    database: &Database,
    id: RedeemerId,
    name: &CallerName,
    applied_seq: u64,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO redeemer (redeemer_id, redeemer_name, applied_seq, beat, last_beat_time) \
         SELECT $1, $2, $3, 1, $4 FROM revocation_counter WHERE counter_id = 1 AND seq >= $3 \
         ON CONFLICT (redeemer_id) DO UPDATE SET beat = redeemer.beat + 1, \
         last_beat_time = excluded.last_beat_time, \
         applied_seq = CASE WHEN excluded.applied_seq > redeemer.applied_seq \
         THEN excluded.applied_seq ELSE redeemer.applied_seq END \
         WHERE redeemer.redeemer_name = excluded.redeemer_name",
    )
    .bind(id.to_string())
    .bind(name.as_str())
    .bind(i64::try_from(applied_seq).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Every redeemer that is known.
pub(in crate::revocations) async fn all(database: &Database) -> Result<Vec<Known>, Error> {
    let rows: Vec<(String, i64, i64, i64)> =
        sqlx::query_as("SELECT redeemer_id, applied_seq, beat, last_beat_time FROM redeemer")
            .fetch_all(database.pool())
            .await?;
    let known = rows.into_iter().map(|(id, applied_seq, beat, time)| Known {
        id,
        applied_seq: unsigned(applied_seq),
        beat,
        last_beat_time: Timestamp::from_micros(time),
    });
    Ok(known.collect())
}

/// Deletes the rows of those who were not heard for long.
pub(in crate::revocations) async fn sweep(database: &Database, now: Timestamp) -> Result<(), Error> {
    sqlx::query("DELETE FROM redeemer WHERE last_beat_time < $1")
        .bind(now.minus(FORGOTTEN_AFTER).as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}
