//! The tables of the room: `handle` and `seen_time` here, others in files of their names.

pub(super) mod budgets;
pub(super) mod reservations;
pub(super) mod successions;
pub(super) mod users;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallerName, GrantId, HandleId, PortalId},
};
use sqlx::FromRow;

use super::Error;

/// The table's name, for the associated data of what is sealed in it.
pub(super) const TABLE: &str = "handle";

/// Rows deleted at once.
const SWEEP: i64 = 4_096;

#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) handle_id: String,
    pub(super) secret_mac: Vec<u8>,
    pub(super) portal_id: i64,
    pub(super) client_slug: String,
    pub(super) caller: String,
    pub(super) expire_time: i64,
    /// The grant, where it is known.
    pub(super) grant_id: Option<String>,
    pub(super) claims: Vec<u8>,
    /// Where its revocation stands on the feed.
    pub(super) revocation_seq: Option<i64>,
}

/// Every column of a [`Row`], named: a later one must not change what is read here.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT handle_id, secret_mac, portal_id, client_slug, caller, expire_time, grant_id, claims, revocation_seq ",
            "FROM handle ",
            $rest
        )
    };
}

pub(super) async fn insert(transaction: &mut Transaction, row: &Row) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO handle (handle_id, secret_mac, portal_id, client_slug, caller, expire_time, grant_id, claims) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.handle_id)
    .bind(row.secret_mac.as_slice())
    .bind(row.portal_id)
    .bind(&row.client_slug)
    .bind(&row.caller)
    .bind(row.expire_time)
    .bind(row.grant_id.as_deref())
    .bind(row.claims.as_slice())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) async fn by_mac(database: &Database, mac: &[u8]) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE secret_mac = $1"))
        .bind(mac)
        .fetch_optional(database.pool())
        .await?;
    Ok(row)
}

pub(super) async fn by_id(database: &Database, handle_id: HandleId) -> Result<Option<Row>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE handle_id = $1"))
        .bind(handle_id.to_string())
        .fetch_optional(database.pool())
        .await?;
    Ok(row)
}

/// Whether there is a row of a handle, as a transaction sees it.
pub(super) async fn is_there(transaction: &mut Transaction, handle_id: HandleId) -> Result<bool, Error> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM handle WHERE handle_id = $1")
        .bind(handle_id.to_string())
        .fetch_one(&mut *transaction)
        .await?;
    Ok(count > 0)
}

/// Which handles are wanted, of those that were not ended themselves and whose time is not over.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// Of this portal; `None` for every portal.
    pub(super) portal_id: Option<PortalId>,
    /// Of this caller; `None` for every caller.
    pub(super) caller: Option<&'a CallerName>,
    pub(super) now: Timestamp,
    /// With a smaller id.
    pub(super) before: String,
    /// At most so many.
    pub(super) limit: usize,
}

/// The handles that are wanted, newest first.
pub(super) async fn page(database: &Database, wanted: &Wanted<'_>) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "WHERE ($1 = 0 OR portal_id = $1) AND ($2 = '' OR caller = $2) AND expire_time > $3 \
         AND revocation_seq IS NULL AND handle_id < $4 ORDER BY handle_id DESC LIMIT $5"
    ))
    .bind(wanted.portal_id.map_or(0, PortalId::as_i64))
    .bind(wanted.caller.map_or("", CallerName::as_str))
    .bind(wanted.now.as_micros())
    .bind(wanted.before.as_str())
    .bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    Ok(rows)
}

/// Whether a caller has any row.
pub(super) async fn has_any_of(database: &Database, caller: &CallerName) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM handle WHERE caller = $1 LIMIT 1")
        .bind(caller.as_str())
        .fetch_optional(database.pool())
        .await?;
    Ok(found.is_some())
}

/// Whether any of these handles was ended, or its row is gone, as a transaction sees it.
pub(super) async fn is_any_ended(
    transaction: &mut Transaction,
    handles: impl Iterator<Item = HandleId>,
) -> Result<bool, Error> {
    for handle_id in handles {
        let seq: Option<Option<i64>> =
            sqlx::query_scalar("SELECT revocation_seq FROM handle WHERE handle_id = $1")
                .bind(handle_id.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
        if !matches!(seq, Some(None)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many of these handles there are, and how many of them were ended before their time.
pub(super) async fn ended_among(database: &Database, handles: &[HandleId]) -> Result<(u64, u64), Error> {
    // At most three: a handle is narrowed no deeper.
    let [first, second, third] = [0, 1, 2].map(|n| handles.get(n).map(HandleId::to_string));
    let (found, ended): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(revocation_seq) FROM handle \
         WHERE handle_id = $1 OR handle_id = $2 OR handle_id = $3",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .fetch_one(database.pool())
    .await?;
    Ok((unsigned(found), unsigned(ended)))
}

/// How many handles of a grant live.
pub(super) async fn count_of_grant(
    database: &Database,
    grant_id: &GrantId,
    now: Timestamp,
) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM handle WHERE grant_id = $1 AND expire_time > $2 AND revocation_seq IS NULL",
    )
    .bind(grant_id.as_str())
    .bind(now.as_micros())
    .fetch_one(database.pool())
    .await?;
    Ok(unsigned(count))
}

/// The living handles of a portal that were issued under a grant.
pub(super) async fn of_grant_and_portal(
    transaction: &mut Transaction,
    portal_id: PortalId,
    grant_id: &GrantId,
    now: Timestamp,
) -> Result<Vec<String>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT handle_id FROM handle \
         WHERE portal_id = $1 AND grant_id = $2 AND expire_time > $3 AND revocation_seq IS NULL",
    )
    .bind(portal_id.as_i64())
    .bind(grant_id.as_str())
    .bind(now.as_micros())
    .fetch_all(&mut *transaction)
    .await?;
    Ok(ids)
}

/// The handles of a caller and portal that were not ended themselves and whose time is not over.
pub(super) async fn ids_of(
    transaction: &mut Transaction,
    portal_id: PortalId,
    caller: &CallerName,
    now: Timestamp,
) -> Result<Vec<String>, Error> {
    let ids = sqlx::query_scalar(
        "SELECT handle_id FROM handle \
         WHERE portal_id = $1 AND caller = $2 AND expire_time > $3 AND revocation_seq IS NULL",
    )
    .bind(portal_id.as_i64())
    .bind(caller.as_str())
    .bind(now.as_micros())
    .fetch_all(&mut *transaction)
    .await?;
    Ok(ids)
}

/// Marks a handle as revoked; `false` if it was already.
pub(super) async fn revoke(
    transaction: &mut Transaction,
    handle_id: HandleId,
    seq: u64,
) -> Result<bool, Error> {
    let done =
        sqlx::query("UPDATE handle SET revocation_seq = $1 WHERE handle_id = $2 AND revocation_seq IS NULL")
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .bind(handle_id.to_string())
            .execute(&mut *transaction)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes every handle of a portal, living or not.
pub(super) async fn delete_of(transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
    sqlx::query("DELETE FROM handle WHERE portal_id = $1")
        .bind(portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Deletes some of the handles that ended before `time`.
pub(super) async fn sweep(database: &Database, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM handle WHERE handle_id IN (SELECT handle_id FROM handle WHERE expire_time < $1 LIMIT $2)",
    )
    .bind(time.as_micros())
    .bind(SWEEP)
    .execute(database.pool())
    .await?;
    Ok(())
}

/// The latest time that was written down.
pub(super) async fn seen_time(database: &Database) -> Result<Timestamp, Error> {
    let micros: i64 = sqlx::query_scalar("SELECT seen_time FROM seen_time WHERE seen_id = 1")
        .fetch_one(database.pool())
        .await?;
    Ok(Timestamp::from_micros(micros))
}

/// Writes a time down, if it is later than the one that is there, and gives the later of the two.
pub(super) async fn note_seen_time(database: &Database, time: Timestamp) -> Result<Timestamp, Error> {
    let micros: i64 = sqlx::query_scalar(
        "UPDATE seen_time SET seen_time = CASE WHEN seen_time < $1 THEN $1 ELSE seen_time END WHERE seen_id = 1 \
         RETURNING seen_time",
    )
    .bind(time.as_micros())
    .fetch_one(database.pool())
    .await?;
    Ok(Timestamp::from_micros(micros))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
