//! The table `access_token`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
};
use sqlx::FromRow;

use super::{Error, pair::SealedPair};
use crate::vault::Credential;

/// A row as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) sequence: u64,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) renew_time: Timestamp,
    pub(super) claimed_until: Timestamp,
    pub(super) failures: u32,
    pub(super) failure: String,
    pub(super) retry_time: Timestamp,
    pub(super) lost_time: i64,
    /// When a new one was last asked for because a redeemer said that HubSpot refuses the one in force.
    pub(super) refused_time: Timestamp,
}

impl Row {
    /// Whether nobody asks, and HubSpot is not left alone.
    pub(super) fn may_be_asked(&self, now: Timestamp) -> bool {
        self.claimed_until <= now && self.retry_time <= now
    }
}

#[derive(FromRow)]
struct Stored {
    sequence: i64,
    sealed: Option<Vec<u8>>,
    renew_time: i64,
    claimed_until: i64,
    failures: i64,
    failure: String,
    retry_time: i64,
    lost_time: i64,
    refused_time: i64,
}

pub(super) async fn find(database: &Database, secret_id: &str) -> Result<Option<Row>, Error> {
    let found: Option<Stored> = sqlx::query_as(
        "SELECT sequence, sealed, renew_time, claimed_until, failures, failure, retry_time, lost_time, refused_time \
         FROM access_token WHERE secret_id = $1",
    )
    .bind(secret_id)
    .fetch_optional(database.pool())
    .await?;
    Ok(found.map(|stored| Row {
        sequence: u64::try_from(stored.sequence).unwrap_or_default(),
        sealed: stored.sealed,
        renew_time: Timestamp::from_micros(stored.renew_time),
        claimed_until: Timestamp::from_micros(stored.claimed_until),
        failures: u32::try_from(stored.failures).unwrap_or(u32::MAX),
        failure: stored.failure,
        retry_time: Timestamp::from_micros(stored.retry_time),
        lost_time: stored.lost_time,
        refused_time: Timestamp::from_micros(stored.refused_time),
    }))
}

/// A row for a consent by which nobody has asked yet, unless there is one.
pub(super) async fn begin(database: &Database, consent: &Credential) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO access_token (secret_id, portal_id, credential_version, sequence, sealed, renew_time, \
         claimed_until, failures, failure, retry_time, lost_time) VALUES ($1, $2, $3, 0, NULL, 0, 0, 0, '', 0, 0) \
         ON CONFLICT DO NOTHING",
    )
    .bind(consent.secret_id())
    .bind(consent.portal_id.as_i64())
    .bind(signed(consent.version))
    .execute(database.pool())
    .await?;
    Ok(())
}

/// What a new refresh token gave.
pub(super) async fn insert(transaction: &mut Transaction, pair: &SealedPair) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO access_token (secret_id, portal_id, credential_version, sequence, sealed, renew_time, \
         claimed_until, failures, failure, retry_time, lost_time) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '', 0, 0)",
    )
    .bind(pair.consent.secret_id())
    .bind(pair.consent.portal_id.as_i64())
    .bind(signed(pair.consent.version))
    .bind(signed(pair.sequence))
    .bind(pair.sealed.as_slice())
    .bind(pair.renew_time.as_micros())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Takes the right to ask; `false` if somebody else has it, or has had it since this row was read: what is stored is newer
/// then, or HubSpot has failed once more.
pub(super) async fn claim(
    database: &Database,
    secret_id: &str,
    row: &Row,
    until: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE access_token SET claimed_until = $1 \
         WHERE secret_id = $2 AND sequence = $3 AND claimed_until = $4 AND failures = $5 AND lost_time = 0",
    )
    .bind(until.as_micros())
    .bind(secret_id)
    .bind(signed(row.sequence))
    .bind(row.claimed_until.as_micros())
    .bind(i64::from(row.failures))
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The same before its time, because HubSpot is said to refuse what is stored: from here on a new one is due.
pub(super) async fn claim_refused(
    database: &Database,
    secret_id: &str,
    row: &Row,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE access_token SET claimed_until = $1, renew_time = 0, refused_time = $2 \
         WHERE secret_id = $3 AND sequence = $4 AND claimed_until = $5 AND refused_time = $6 AND failures = $7 \
         AND lost_time = 0",
    )
    .bind(until.as_micros())
    .bind(now.as_micros())
    .bind(secret_id)
    .bind(signed(row.sequence))
    .bind(row.claimed_until.as_micros())
    .bind(row.refused_time.as_micros())
    .bind(i64::from(row.failures))
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what HubSpot gave, unless somebody else was quicker.
pub(super) async fn renew(database: &Database, pair: &SealedPair) -> Result<(), Error> {
    sqlx::query(
        "UPDATE access_token SET sequence = $1, sealed = $2, renew_time = $3, claimed_until = 0, failures = 0, \
         failure = '', retry_time = 0, lost_time = 0 WHERE secret_id = $4 AND sequence = $5",
    )
    .bind(signed(pair.sequence))
    .bind(pair.sealed.as_slice())
    .bind(pair.renew_time.as_micros())
    .bind(pair.consent.secret_id())
    .bind(signed(pair.sequence.saturating_sub(1)))
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Notes that HubSpot gave none, and when it may be asked again.
pub(super) async fn fail(
    database: &Database,
    secret_id: &str,
    sequence: u64,
    reason: &str,
    retry: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE access_token SET failures = failures + 1, failure = $1, retry_time = $2, claimed_until = 0 \
         WHERE secret_id = $3 AND sequence = $4",
    )
    .bind(reason)
    .bind(retry.as_micros())
    .bind(secret_id)
    .bind(signed(sequence))
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Notes that the refresh token is refused for good.
pub(super) async fn lose(
    database: &Database,
    secret_id: &str,
    sequence: u64,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE access_token SET lost_time = $1, claimed_until = 0 WHERE secret_id = $2 AND sequence = $3",
    )
    .bind(now.as_micros())
    .bind(secret_id)
    .bind(signed(sequence))
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Lets HubSpot be asked by a refresh token that it has refused, at once.
pub(super) async fn forget_loss(database: &Database, secret_id: &str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE access_token SET lost_time = 0, retry_time = 0, renew_time = 0 WHERE secret_id = $1 AND lost_time <> 0",
    )
    .bind(secret_id)
    .execute(database.pool())
    .await?;
    Ok(())
}

/// The versions of a portal's credentials whose refresh token is refused for good.
pub(super) async fn lost_of(database: &Database, portal_id: PortalId) -> Result<Vec<u64>, Error> {
    let versions: Vec<i64> = sqlx::query_scalar(
        "SELECT credential_version FROM access_token WHERE portal_id = $1 AND lost_time <> 0",
    )
    .bind(portal_id.as_i64())
    .fetch_all(database.pool())
    .await?;
    Ok(versions
        .into_iter()
        .filter_map(|version| u64::try_from(version).ok())
        .collect())
}

/// Deletes the row of one consent.
pub(super) async fn remove_one(transaction: &mut Transaction, secret_id: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM access_token WHERE secret_id = $1")
        .bind(secret_id)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes everything of a portal.
pub(super) async fn remove(transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
    sqlx::query("DELETE FROM access_token WHERE portal_id = $1")
        .bind(portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// A number as databases keep it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
