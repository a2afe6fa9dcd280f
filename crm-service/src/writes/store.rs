//! The table `write_call`.

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
};
use sqlx::{FromRow as _, Row as _, any::AnyRow};

use super::{Error, State};

/// One write, as it is kept.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) write_key: String,
    /// Whose.
    pub portal_id: PortalId,
    /// Its slug.
    pub client_slug: String,
    /// Who asked for it.
    pub caller: String,
    /// By which request id; empty where by none.
    pub request_id: String,
    /// Which call of the request.
    pub part: u32,
    /// The call.
    pub call_id: String,
    /// The number of what was asked for, as entries have it.
    pub operation: i32,
    /// The type of the records.
    pub object_type: String,
    pub(super) asked_mac: String,
    /// How far it has come.
    pub state: State,
    pub(super) holder: String,
    /// When it began.
    pub begin_time: Timestamp,
    pub(super) until_time: Timestamp,
    /// When its state was last found out.
    pub end_time: Timestamp,
    /// How that was found out.
    pub settled_by: String,
    /// Empty where there is none.
    pub(super) sealed_answer: Vec<u8>,
    /// What entries have for the record; empty where it is not known to be one.
    pub object_ref: String,
    /// A keyed hash of the limits by pipeline and owner under which it is made; empty of one that nobody can ask for again, and of
    /// one that an older version has begun.
    pub(super) bounds_mac: String,
}

/// The key of a write without a request id.
pub(super) fn unnamed(call_id: &str) -> String {
    format!("call/{call_id}")
}

macro_rules! columns {
    () => {
        "write_key, portal_id, client_slug, caller, request_id, part, call_id, operation, object_type, asked_mac, state, \
         holder, begin_time, until_time, end_time, settled_by, sealed_answer, object_ref, \
         bounds_mac"
    };
}

/// What a write has become.
pub(super) struct End<'a> {
    pub(super) state: State,
    pub(super) at: Timestamp,
    pub(super) settled_by: &'a str,
    /// Empty where there is none.
    pub(super) sealed_answer: &'a [u8],
    /// Empty where it stays as it is.
    pub(super) object_ref: &'a str,
}

/// Takes up a write that nobody has. Gives whether nobody had.
pub(super) async fn insert(database: &Database, row: &Row) -> Result<bool, Error> {
    let mut transaction = database.begin().await?;
    let inserted = insert_in(&mut transaction, row).await?;
    transaction.commit().await?;
    Ok(inserted)
}

/// Takes up those of them that nobody has: all, or none if it fails.
pub(super) async fn insert_all(database: &Database, rows: &[Row]) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    for row in rows {
        insert_in(&mut transaction, row).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The same, but for those of portals that were erased.
pub(super) async fn insert_of_portals(database: &Database, rows: &[Row]) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    for row in rows {
        let erased: i64 = sqlx::query_scalar("SELECT count(*) FROM erased_portal WHERE portal_id = $1")
            .bind(row.portal_id.as_i64())
            .fetch_one(&mut transaction)
            .await?;
        if erased == 0 {
            insert_in(&mut transaction, row).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

async fn insert_in(transaction: &mut Transaction, row: &Row) -> Result<bool, Error> {
    let done = sqlx::query(concat!(
        "INSERT INTO write_call (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT DO NOTHING"
    ))
    .bind(&row.write_key)
    .bind(row.portal_id.as_i64())
    .bind(&row.client_slug)
    .bind(&row.caller)
    .bind(&row.request_id)
    .bind(i64::from(row.part))
    .bind(&row.call_id)
    .bind(i64::from(row.operation))
    .bind(&row.object_type)
    .bind(&row.asked_mac)
    .bind(row.state.number())
    .bind(&row.holder)
    .bind(row.begin_time.as_micros())
    .bind(row.until_time.as_micros())
    .bind(row.end_time.as_micros())
    .bind(&row.settled_by)
    .bind(&row.sealed_answer)
    .bind(&row.object_ref)
    .bind(&row.bounds_mac)
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes up again, by another call, a write that was not done. Gives whether it was still there as it was. Of an erasure it stays
/// known that the call before has not done it: addresses are on a list for that.
pub(super) async fn take_again(database: &Database, before: &Row, now: &Row) -> Result<bool, Error> {
    let mut transaction = database.begin().await?;
    let done = sqlx::query(
        "UPDATE write_call SET call_id = $1, state = $2, holder = $3, begin_time = $4, until_time = $5, end_time = $6, \
         settled_by = '', sealed_answer = $10, bounds_mac = $11 WHERE write_key = $7 AND call_id = $8 AND state = $9",
    )
    .bind(&now.call_id)
    .bind(now.state.number())
    .bind(&now.holder)
    .bind(now.begin_time.as_micros())
    .bind(now.until_time.as_micros())
    .bind(now.end_time.as_micros())
    .bind(&before.write_key)
    .bind(&before.call_id)
    .bind(before.state.number())
    .bind(&now.sealed_answer)
    .bind(&now.bounds_mac)
    .execute(&mut transaction)
    .await?;
    let taken = done.rows_affected() > 0;
    if taken && before.operation == i32::from(Operation::ContactErase) {
        let given_up = Row {
            write_key: unnamed(&before.call_id),
            ..before.clone()
        };
        insert_in(&mut transaction, &given_up).await?;
    }
    transaction.commit().await?;
    Ok(taken)
}

/// The write of this key.
pub(super) async fn find(database: &Database, write_key: &str) -> Result<Option<Row>, Error> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM write_call WHERE write_key = $1"
    ))
    .bind(write_key)
    .fetch_optional(database.pool())
    .await?;
    row.map(|row| Ok(Row::from_row(&row)?)).transpose()
}

/// The write of this call.
pub(super) async fn find_call(database: &Database, call_id: &str) -> Result<Option<Row>, Error> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM write_call WHERE call_id = $1"
    ))
    .bind(call_id)
    .fetch_optional(database.pool())
    .await?;
    row.map(|row| Ok(Row::from_row(&row)?)).transpose()
}

/// Says what became of a write, if it is still as it was. Gives whether it was.
pub(super) async fn end(database: &Database, row: &Row, end: &End<'_>) -> Result<bool, Error> {
    let mut transaction = database.begin().await?;
    let done = sqlx::query(
        "UPDATE write_call SET state = $1, end_time = $2, settled_by = $3, sealed_answer = $4, \
         object_ref = COALESCE(NULLIF($8, ''), object_ref) WHERE write_key = $5 AND call_id = $6 AND state = $7",
    )
    .bind(end.state.number())
    .bind(end.at.as_micros())
    .bind(end.settled_by)
    .bind(end.sealed_answer)
    .bind(&row.write_key)
    .bind(&row.call_id)
    .bind(row.state.number())
    .bind(end.object_ref)
    .execute(&mut transaction)
    .await?;
    transaction.commit().await?;
    Ok(done.rows_affected() > 0)
}

/// Lets go of a write that was not sent, if it is still as it was. Gives whether it was.
pub(super) async fn free(database: &Database, row: &Row) -> Result<bool, Error> {
    let mut transaction = database.begin().await?;
    let done = sqlx::query("DELETE FROM write_call WHERE write_key = $1 AND call_id = $2 AND state = $3")
        .bind(&row.write_key)
        .bind(&row.call_id)
        .bind(row.state.number())
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(done.rows_affected() > 0)
}

/// A page of the writes in one of these states, oldest first; of one portal, or of all. An empty slug excludes nothing.
pub(super) async fn list(
    database: &Database,
    (portal, client_slug): (Option<PortalId>, &str),
    states: &[State],
    after: &(Timestamp, String),
    limit: u32,
) -> Result<Vec<Row>, Error> {
    let states = states.iter().fold(String::from(","), |list, state| {
        format!("{list}{},", state.number())
    });
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM write_call WHERE (CAST($1 AS BIGINT) = 0 OR portal_id = $1) AND ($6 = '' OR client_slug = $6) AND $2 LIKE '%,' || CAST(state AS TEXT) || ',%' \
         AND (begin_time > $3 OR (begin_time = $3 AND write_key > $4)) ORDER BY begin_time, write_key LIMIT $5"
    ))
    .bind(portal.map_or(0, PortalId::as_i64))
    .bind(states)
    .bind(after.0.as_micros())
    .bind(&after.1)
    .bind(i64::from(limit))
    .bind(client_slug)
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(|row| Ok(Row::from_row(row)?)).collect()
}

/// The writes that are said to be under way, and may be of lost processes: of others, or over since before this.
pub(super) async fn doubtful(
    database: &Database,
    (holder, before): (&str, Timestamp),
    limit: u32,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM write_call WHERE state = $1 AND (holder <> $2 OR until_time < $4) ORDER BY begin_time LIMIT $3"
    ))
    .bind(State::UnderWay.number())
    .bind(holder)
    .bind(i64::from(limit))
    .bind(before.as_micros())
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(|row| Ok(Row::from_row(row)?)).collect()
}

/// When the oldest of the writes that are said to be under way was begun.
pub(super) async fn oldest_under_way(database: &Database) -> Result<Option<Timestamp>, Error> {
    let oldest: Option<i64> = sqlx::query_scalar("SELECT MIN(begin_time) FROM write_call WHERE state = $1")
        .bind(State::UnderWay.number())
        .fetch_one(database.pool())
        .await?;
    Ok(oldest.map(Timestamp::from_micros))
}

/// Forgets writes whose outcome was known before this.
pub(super) async fn forget_known(database: &Database, before: Timestamp) -> Result<u64, Error> {
    let mut transaction = database.begin().await?;
    let done = sqlx::query("DELETE FROM write_call WHERE state IN ($1, $2) AND end_time < $3")
        .bind(State::Done.number())
        .bind(State::NotDone.number())
        .bind(before.as_micros())
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(done.rows_affected())
}

/// Forgets all writes of a portal.
pub(super) async fn forget_portal(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
    sqlx::query("DELETE FROM write_call WHERE portal_id = $1")
        .bind(portal.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

impl sqlx::FromRow<'_, AnyRow> for Row {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let number = |name: &str| row.try_get::<i64, _>(name);
        let time = |name: &str| Ok::<_, sqlx::Error>(Timestamp::from_micros(row.try_get(name)?));
        let broken = |what: &str| sqlx::Error::Decode(format!("write_call.{what} is none").into());
        Ok(Self {
            write_key: row.try_get("write_key")?,
            portal_id: PortalId::from_i64(number("portal_id")?).ok_or_else(|| broken("portal_id"))?,
            client_slug: row.try_get("client_slug")?,
            caller: row.try_get("caller")?,
            request_id: row.try_get("request_id")?,
            part: u32::try_from(number("part")?).map_err(|_| broken("part"))?,
            call_id: row.try_get("call_id")?,
            operation: i32::try_from(number("operation")?).map_err(|_| broken("operation"))?,
            object_type: row.try_get("object_type")?,
            asked_mac: row.try_get("asked_mac")?,
            state: State::of_number(number("state")?).ok_or_else(|| broken("state"))?,
            holder: row.try_get("holder")?,
            begin_time: time("begin_time")?,
            until_time: time("until_time")?,
            end_time: time("end_time")?,
            settled_by: row.try_get("settled_by")?,
            sealed_answer: row.try_get("sealed_answer")?,
            object_ref: row.try_get("object_ref")?,
            bounds_mac: row.try_get("bounds_mac")?,
        })
    }
}
