//! The tables `quota_replica` and `quota_share`; others are in the files below.
//!
//! They are used on PostgreSQL only, and by its clock: on SQLite one process has everything. Whoever reads and
//! writes shares holds one lock, so that what all hold together is known.

pub(super) mod days;
pub(super) mod moving;
pub(super) mod processes;
pub(super) mod unaccounted;

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
};
use serde::Serialize;

use super::{callers::Wanted, error::ShareError, limit::Limit, peers::Told};

/// Among those who hold it, shares stay as they were read.
const LOCK: &str = "hubkeep/crm-service/quota";

/// The database's own time, in microseconds since 1970.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}

/// The word for the bursts of all apps of a portal.
const BURSTS: &str = "burst";

/// What a share is a share of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// One limit.
    One(Limit),
    /// The bursts of all apps together, as versions count that know of no apps: what they hold is read, and what newer ones hold is
    /// written for them.
    Bursts,
}

/// What one replica holds and wants of one limit of a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) portal_id: PortalId,
    pub(super) of: Of,
    pub(super) replica: String,
    /// Places that it may take.
    pub(super) places: usize,
    /// Places that it could use.
    pub(super) wanted: usize,
    /// The places of all replicas together, where HubSpot has told it so; else 0.
    pub(super) whole: usize,
    /// How long a call counts.
    pub(super) interval: Duration,
    /// What each caller could use of it; nobody where an older version has told it.
    pub(super) callers: Vec<Wanted>,
    /// What is told to whoever looks for calls that nobody here has made.
    pub(super) told: Told,
}

/// A share as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) share: Share,
    /// Until when the lease of its replica holds: another time after each renewal. 0 if there is none.
    pub(super) lease_until: Timestamp,
}

/// A row as it goes to the database.
#[derive(Serialize, sqlx::FromRow)]
struct Row {
    portal_id: i64,
    bucket: String,
    is_sum: i64,
    places: i64,
    wanted: i64,
    whole: i64,
    interval_us: i64,
    callers: String,
    counted: i64,
    unexplained: i64,
}

/// A row as it comes from there.
#[derive(sqlx::FromRow)]
struct Read {
    #[sqlx(flatten)]
    row: Row,
    replica: String,
    lease_until: i64,
}

/// Begins work on shares: nobody else changes them until it ends.
pub(super) async fn begin(database: &Database) -> Result<Transaction, ShareError> {
    let mut transaction = database.begin().await?;
    // Who is cut off in the middle must not keep the others from renewing their leases.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '1500ms'")
        .execute(&mut transaction)
        .await?;
    transaction.lock(LOCK).await?;
    Ok(transaction)
}

/// Renews the lease of a replica. Gives the time by the database's clock.
pub(super) async fn renew(
    transaction: &mut Transaction,
    replica: &str,
    holds_for: Duration,
) -> Result<Timestamp, ShareError> {
    let until: i64 = sqlx::query_scalar(concat!(
        "INSERT INTO quota_replica (replica, lease_until) VALUES ($1, ",
        now!(),
        " + $2) ON CONFLICT (replica) DO UPDATE SET lease_until = excluded.lease_until RETURNING lease_until"
    ))
    .bind(replica)
    .bind(micros(holds_for))
    .fetch_one(&mut *transaction)
    .await?;
    Ok(Timestamp::from_micros(until).minus(holds_for))
}

/// Forgets the shares of replicas whose lease was over an interval and so much more ago: what they sent counts no more.
pub(super) async fn forget_the_lost(transaction: &mut Transaction, more: Duration) -> Result<(), ShareError> {
    sqlx::query(concat!(
        "DELETE FROM quota_share WHERE EXISTS (SELECT 1 FROM quota_replica AS r ",
        "WHERE r.replica = quota_share.replica AND r.lease_until + quota_share.interval_us + $1 < ",
        now!(),
        ")"
    ))
    .bind(micros(more))
    .execute(&mut *transaction)
    .await?;
    sqlx::query(concat!(
        "DELETE FROM quota_replica WHERE lease_until + 60000000 < ",
        now!(),
        " AND NOT EXISTS (SELECT 1 FROM quota_share AS s WHERE s.replica = quota_replica.replica)"
    ))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// What all replicas hold of these portals. Sums are nobody's.
pub(super) async fn read(
    transaction: &mut Transaction,
    portals: &[PortalId],
) -> Result<Vec<Held>, ShareError> {
    let ids: Vec<i64> = portals.iter().map(|portal| portal.as_i64()).collect();
    let rows: Vec<Read> = sqlx::query_as(
        "SELECT s.portal_id, s.bucket, s.replica, s.is_sum, s.places, s.wanted, s.whole, s.interval_us, s.callers, s.counted, \
         s.unexplained, COALESCE(r.lease_until, 0) AS lease_until FROM quota_share AS s \
         LEFT JOIN quota_replica AS r ON r.replica = s.replica \
         WHERE s.is_sum = 0 AND s.portal_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)))",
    )
    .bind(serde_json::to_string(&ids)?)
    .fetch_all(&mut *transaction)
    .await?;
    Ok(rows.into_iter().filter_map(held).collect())
}

/// Writes what a replica holds now, and forgets what it neither holds nor wants, and has had no calls of late.
pub(super) async fn write(
    transaction: &mut Transaction,
    replica: &str,
    shares: &[Share],
) -> Result<(), ShareError> {
    let rows: Vec<Row> = shares.iter().map(row).collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO quota_share (portal_id, bucket, replica, is_sum, places, wanted, whole, interval_us, callers, counted, unexplained) \
         SELECT x.portal_id, x.bucket, $1, x.is_sum, x.places, x.wanted, x.whole, x.interval_us, x.callers, x.counted, x.unexplained \
         FROM json_to_recordset(CAST($2 AS json)) AS x(portal_id BIGINT, bucket TEXT, is_sum BIGINT, places BIGINT, \
         wanted BIGINT, whole BIGINT, interval_us BIGINT, callers TEXT, counted BIGINT, unexplained BIGINT) \
         ON CONFLICT (portal_id, bucket, replica) DO UPDATE SET is_sum = excluded.is_sum, places = excluded.places, wanted = excluded.wanted, \
         whole = excluded.whole, interval_us = excluded.interval_us, callers = excluded.callers, counted = excluded.counted, unexplained = excluded.unexplained",
    )
    .bind(replica)
    .bind(serde_json::to_string(&rows)?)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM quota_share WHERE replica = $1 AND places = 0 AND wanted = 0 AND counted <= 0")
        .bind(replica)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// A replica gives everything back that is not among these shares, and has its lease for so much longer.
pub(super) async fn leave(
    transaction: &mut Transaction,
    replica: &str,
    shares: &[Share],
    holds_for: Duration,
) -> Result<(), ShareError> {
    sqlx::query(
        "UPDATE quota_share SET places = 0, wanted = 0, callers = '[]', counted = 0 WHERE replica = $1",
    )
    .bind(replica)
    .execute(&mut *transaction)
    .await?;
    write(transaction, replica, shares).await?;
    renew(transaction, replica, holds_for).await?;
    Ok(())
}

fn held(
    Read {
        row,
        replica,
        lease_until,
    }: Read,
) -> Option<Held> {
    let count = |number: i64| usize::try_from(number).unwrap_or(0);
    let share = Share {
        portal_id: PortalId::from_i64(row.portal_id)?,
        of: match row.bucket.as_str() {
            BURSTS => Of::Bursts,
            word => Of::One(Limit::by_word(word)?),
        },
        replica,
        places: count(row.places),
        wanted: count(row.wanted),
        whole: count(row.whole),
        interval: Duration::from_micros(u64::try_from(row.interval_us).unwrap_or(0)),
        // A newer version may say it otherwise: then it counts as one that says nothing of it.
        callers: serde_json::from_str(&row.callers).unwrap_or_default(),
        told: Told {
            counted: usize::try_from(row.counted).ok(),
            unexplained: count(row.unexplained),
        },
    };
    Some(Held {
        share,
        lease_until: Timestamp::from_micros(lease_until),
    })
}

fn row(share: &Share) -> Result<Row, serde_json::Error> {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(Row {
        portal_id: share.portal_id.as_i64(),
        bucket: match &share.of {
            Of::One(limit) => limit.word(),
            Of::Bursts => BURSTS.to_owned(),
        },
        is_sum: i64::from(share.of == Of::Bursts),
        places: count(share.places),
        wanted: count(share.wanted),
        whole: count(share.whole),
        interval_us: micros(share.interval),
        callers: serde_json::to_string(&share.callers)?,
        counted: share.told.counted.map_or(-1, count),
        unexplained: count(share.told.unexplained),
    })
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
