//! The table `alert`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
};
use sqlx::{Row as _, any::AnyRow};

use super::{Error, broken, duration, micros, signed, unsigned};
use crate::alerts::{Alert, kind::Kind, rule::Severity};

macro_rules! columns {
    () => {
        "alert_id, change_number, kind, portal_id, client_slug, subject, severity, counted, threshold, window_us, \
         fire_time, resolve_time, position, call_id, actor_ref"
    };
}

/// Which alerts are listed. What is empty excludes nothing.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Only those of this portal.
    pub client_slug: String,
    /// Only those that fire, or only those that do not.
    pub firing: Option<bool>,
}

impl Which {
    /// As statements have it: 0 for all, 1 for those that fire, 2 for the others.
    const fn number(&self) -> i64 {
        match self.firing {
            None => 0,
            Some(true) => 1,
            Some(false) => 2,
        }
    }
}

/// Keeps a new one.
pub(in crate::alerts) async fn insert(transaction: &mut Transaction, alert: &Alert) -> Result<(), Error> {
    sqlx::query(concat!(
        "INSERT INTO alert (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    ))
    .bind(signed(alert.alert_id))
    .bind(signed(alert.change))
    .bind(alert.kind.name())
    .bind(signed(alert.portal_id))
    .bind(&alert.client_slug)
    .bind(&alert.subject)
    .bind(alert.severity.name())
    .bind(signed(alert.count))
    .bind(signed(alert.threshold))
    .bind(micros(alert.window))
    .bind(alert.fire_time.as_micros())
    .bind(alert.resolve_time.map_or(0, Timestamp::as_micros))
    .bind(signed(alert.position))
    .bind(&alert.call_id)
    .bind(&alert.actor_ref)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Says that one is resolved. Gives whether it is there.
pub(in crate::alerts) async fn resolve(
    transaction: &mut Transaction,
    alert_id: u64,
    change: u64,
    at: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE alert SET change_number = $2, resolve_time = $3 WHERE alert_id = $1")
        .bind(signed(alert_id))
        .bind(signed(change))
        .bind(at.as_micros().max(1))
        .execute(&mut *transaction)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Those that fire.
pub(in crate::alerts) async fn firing(database: &Database) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM alert WHERE resolve_time = 0 ORDER BY alert_id"
    ))
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(|row| Ok(read(row)?)).collect()
}

/// One of them.
pub(in crate::alerts) async fn find(database: &Database, alert_id: u64) -> Result<Option<Alert>, Error> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM alert WHERE alert_id = $1"))
        .bind(signed(alert_id))
        .fetch_optional(database.pool())
        .await?;
    row.map(|row| Ok(read(&row)?)).transpose()
}

/// A page of them, the newest first, older than this one.
pub(in crate::alerts) async fn list(
    database: &Database,
    which: &Which,
    before: u64,
    limit: u32,
) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM alert WHERE alert_id < $1 AND ($2 = '' OR client_slug = $2) AND (CAST($3 AS BIGINT) = 0 \
         OR (CAST($3 AS BIGINT) = 1 AND resolve_time = 0) OR (CAST($3 AS BIGINT) = 2 AND resolve_time <> 0)) \
         ORDER BY alert_id DESC LIMIT $4"
    ))
    .bind(signed(before))
    .bind(&which.client_slug)
    .bind(which.number())
    .bind(i64::from(limit))
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(|row| Ok(read(row)?)).collect()
}

/// Those that changed after this change and up to that one, in order.
pub(in crate::alerts) async fn changes(
    database: &Database,
    which: &Which,
    (after, until): (u64, u64),
    limit: u32,
) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM alert WHERE change_number > $1 AND change_number <= $2 AND ($3 = '' OR client_slug = $3) \
         AND (CAST($4 AS BIGINT) = 0 OR resolve_time = 0) ORDER BY change_number LIMIT $5"
    ))
    .bind(signed(after))
    .bind(signed(until))
    .bind(&which.client_slug)
    .bind(which.number())
    .bind(i64::from(limit))
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(|row| Ok(read(row)?)).collect()
}

/// Forgets those that were resolved before this.
pub(in crate::alerts) async fn forget_resolved(database: &Database, before: Timestamp) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM alert WHERE resolve_time <> 0 AND resolve_time < $1")
        .bind(before.as_micros())
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Alert, sqlx::Error> {
    let number = |name: &str| row.try_get::<i64, _>(name);
    let text = |name: &str| row.try_get::<String, _>(name);
    let resolve_time = number("resolve_time")?;
    Ok(Alert {
        alert_id: unsigned(number("alert_id")?),
        change: unsigned(number("change_number")?),
        kind: Kind::named(&text("kind")?).ok_or_else(|| broken("alert.kind"))?,
        portal_id: unsigned(number("portal_id")?),
        client_slug: text("client_slug")?,
        subject: text("subject")?,
        actor_ref: text("actor_ref")?,
        severity: Severity::named(&text("severity")?).ok_or_else(|| broken("alert.severity"))?,
        count: unsigned(number("counted")?),
        threshold: unsigned(number("threshold")?),
        window: duration(number("window_us")?),
        fire_time: Timestamp::from_micros(number("fire_time")?),
        resolve_time: (resolve_time != 0).then(|| Timestamp::from_micros(resolve_time)),
        position: unsigned(number("position")?),
        call_id: text("call_id")?,
    })
}
