//! The tables `quota_replica`, `quota_share`, `quota_unaccounted`, `quota_day` and `quota_moving`.
//!
//! The first two are used on PostgreSQL only, and by its clock: on SQLite one process has everything. Whoever reads and
//! writes shares holds one lock, so that what all hold together is known.

use std::{collections::HashMap, time::Duration};

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{ClientSlug, PortalId},
};
use serde::Serialize;

use super::{callers::Wanted, error::ShareError, limit::Limit, moving::Told, outside::Unaccounted};

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
}

/// A row as it goes to the database.
#[derive(Serialize)]
struct Row {
    portal_id: i64,
    bucket: String,
    is_sum: i64,
    places: i64,
    wanted: i64,
    whole: i64,
    interval_us: i64,
    callers: String,
}

type Read = (i64, String, String, i64, i64, i64, i64, String);

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
) -> Result<Vec<Share>, ShareError> {
    let ids: Vec<i64> = portals.iter().map(|portal| portal.as_i64()).collect();
    let rows: Vec<Read> = sqlx::query_as(
        "SELECT portal_id, bucket, replica, places, wanted, whole, interval_us, callers FROM quota_share \
         WHERE is_sum = 0 AND portal_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)))",
    )
    .bind(serde_json::to_string(&ids)?)
    .fetch_all(&mut *transaction)
    .await?;
    Ok(rows.into_iter().filter_map(share).collect())
}

/// Writes what a replica holds now, and forgets what it neither holds nor wants.
pub(super) async fn write(
    transaction: &mut Transaction,
    replica: &str,
    shares: &[Share],
) -> Result<(), ShareError> {
    let rows: Vec<Row> = shares.iter().map(row).collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO quota_share (portal_id, bucket, replica, is_sum, places, wanted, whole, interval_us, callers) \
         SELECT x.portal_id, x.bucket, $1, x.is_sum, x.places, x.wanted, x.whole, x.interval_us, x.callers \
         FROM json_to_recordset(CAST($2 AS json)) AS x(portal_id BIGINT, bucket TEXT, is_sum BIGINT, places BIGINT, \
         wanted BIGINT, whole BIGINT, interval_us BIGINT, callers TEXT) \
         ON CONFLICT (portal_id, bucket, replica) DO UPDATE SET is_sum = excluded.is_sum, places = excluded.places, wanted = excluded.wanted, \
         whole = excluded.whole, interval_us = excluded.interval_us, callers = excluded.callers",
    )
    .bind(replica)
    .bind(serde_json::to_string(&rows)?)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM quota_share WHERE replica = $1 AND places = 0 AND wanted = 0")
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
    sqlx::query("UPDATE quota_share SET places = 0, wanted = 0, callers = '[]' WHERE replica = $1")
        .bind(replica)
        .execute(&mut *transaction)
        .await?;
    write(transaction, replica, shares).await?;
    renew(transaction, replica, holds_for).await?;
    Ok(())
}

fn share((portal, bucket, replica, places, wanted, whole, interval, callers): Read) -> Option<Share> {
    let count = |number: i64| usize::try_from(number).unwrap_or(0);
    Some(Share {
        portal_id: u64::try_from(portal).ok().and_then(PortalId::new)?,
        of: match bucket.as_str() {
            BURSTS => Of::Bursts,
            word => Of::One(Limit::by_word(word)?),
        },
        replica,
        places: count(places),
        wanted: count(wanted),
        whole: count(whole),
        interval: Duration::from_micros(u64::try_from(interval).unwrap_or(0)),
        // A newer version may say it otherwise: then it counts as one that says nothing of it.
        callers: serde_json::from_str(&callers).unwrap_or_default(),
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
    })
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Puts what a replica has seen with what all have seen, and gives that.
pub(super) async fn add_unaccounted(
    database: &Database,
    portal: PortalId,
    seen: Unaccounted,
) -> Result<Unaccounted, ShareError> {
    let calls = i64::try_from(seen.calls).unwrap_or(i64::MAX);
    let (calls, since, last_seen): (i64, i64, i64) = sqlx::query_as(
        "INSERT INTO quota_unaccounted (portal_id, calls, since_time, last_seen_time, noted_time) \
         VALUES ($1, $2, $3, $4, 0) ON CONFLICT (portal_id) DO UPDATE SET \
         calls = quota_unaccounted.calls + excluded.calls, last_seen_time = excluded.last_seen_time \
         RETURNING calls, since_time, last_seen_time",
    )
    .bind(portal.as_i64())
    .bind(calls)
    .bind(seen.since.as_micros())
    .bind(seen.last_seen.as_micros())
    .fetch_one(database.pool())
    .await?;
    Ok(Unaccounted {
        calls: u64::try_from(calls).unwrap_or(0),
        since: Timestamp::from_micros(since),
        last_seen: Timestamp::from_micros(last_seen),
    })
}

/// Whether what was seen is to be noted now: by one of all who ask, once in `apart`.
pub(super) async fn is_to_be_noted(
    database: &Database,
    portal: PortalId,
    now: Timestamp,
    apart: Duration,
) -> Result<bool, ShareError> {
    let done =
        sqlx::query("UPDATE quota_unaccounted SET noted_time = $2 WHERE portal_id = $1 AND noted_time <= $3")
            .bind(portal.as_i64())
            .bind(now.as_micros())
            .bind(now.minus(apart).as_micros())
            .execute(database.pool())
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Adds calls to those of a portal's day that ends then; gives those of all replicas.
pub(super) async fn add_calls(
    transaction: &mut Transaction,
    portal: PortalId,
    ends: Timestamp,
    calls: u64,
) -> Result<u64, ShareError> {
    let calls = i64::try_from(calls).unwrap_or(i64::MAX);
    let (all,): (i64,) = sqlx::query_as(
        "INSERT INTO quota_day (portal_id, end_time, calls) VALUES ($1, $2, $3) \
         ON CONFLICT (portal_id, end_time) DO UPDATE SET calls = quota_day.calls + excluded.calls RETURNING calls",
    )
    .bind(portal.as_i64())
    .bind(ends.as_micros())
    .bind(calls)
    .fetch_one(&mut *transaction)
    .await?;
    Ok(u64::try_from(all).unwrap_or(0))
}

/// Forgets days that ended before then.
pub(super) async fn forget_days(database: &Database, before: Timestamp) -> Result<(), ShareError> {
    sqlx::query("DELETE FROM quota_day WHERE end_time < $1")
        .bind(before.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Tells until when HubSpot moves a portal, unless an operator has said since that it does not.
pub(super) async fn tell_moving(
    database: &Database,
    portal: &ProvenPortal,
    told: Told,
) -> Result<(), ShareError> {
    sqlx::query(
        "INSERT INTO quota_moving (portal_id, until_time, client_slug) VALUES ($1, $2, $3) ON CONFLICT (portal_id) \
         DO UPDATE SET until_time = excluded.until_time, client_slug = excluded.client_slug \
         WHERE quota_moving.until_time < excluded.until_time AND quota_moving.lifts = $4",
    )
    .bind(portal.portal_id().as_i64())
    .bind(told.until.as_micros())
    .bind(portal.client_slug().as_str())
    .bind(i64::try_from(told.lifts).unwrap_or(i64::MAX))
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Says that HubSpot does not move a portal: what was told before counts no more.
pub(super) async fn lift_moving(database: &Database, portal: PortalId) -> Result<(), ShareError> {
    sqlx::query("UPDATE quota_moving SET until_time = 0, lifts = lifts + 1 WHERE portal_id = $1")
        .bind(portal.as_i64())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// The portal of this name of which was told that it is moved, and until when.
pub(super) async fn find_moving(
    database: &Database,
    client_slug: &ClientSlug,
) -> Result<Option<(PortalId, Timestamp)>, ShareError> {
    let row: Option<(i64, i64)> =
        sqlx::query_as("SELECT portal_id, until_time FROM quota_moving WHERE client_slug = $1")
            .bind(client_slug.as_str())
            .fetch_optional(database.pool())
            .await?;
    Ok(row.and_then(|(portal, until)| Some((PortalId::from_i64(portal)?, Timestamp::from_micros(until)))))
}

/// The portals that HubSpot moves, and until when; and those of which an operator has ever said that it does not.
pub(super) async fn moving(
    database: &Database,
    now: Timestamp,
) -> Result<HashMap<PortalId, Told>, ShareError> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT portal_id, until_time, lifts FROM quota_moving WHERE until_time > $1 OR lifts > 0",
    )
    .bind(now.as_micros())
    .fetch_all(database.pool())
    .await?;
    let told = |(portal, until, lifts)| {
        let told = Told {
            until: Timestamp::from_micros(until),
            lifts: u64::try_from(lifts).unwrap_or(0),
        };
        Some((PortalId::from_i64(portal)?, told))
    };
    Ok(rows.into_iter().filter_map(told).collect())
}
