//! The table `alert_rule`.

use hubkeep_core::{clock::Timestamp, database::Database, id::PortalId};
use sqlx::{Row as _, any::AnyRow};

use super::{Error, broken, duration, micros, signed, unsigned};
use crate::alerts::{
    addressee::Addressee,
    kind::Kind,
    rule::{PutRule, Rule, Severity},
};

/// Puts a rule in the place of what was put before.
pub(in crate::alerts) async fn put(database: &Database, put: &PutRule) -> Result<(), Error> {
    let names: Vec<_> = put
        .rule
        .send_to
        .iter()
        .map(|addressee| addressee.name())
        .collect();
    let mut transaction = database.begin().await?;
    sqlx::query(
        "INSERT INTO alert_rule (portal_id, kind, client_slug, enabled, threshold, window_us, severity, send_to, put_by, \
         put_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (portal_id, kind) DO UPDATE SET \
         client_slug = excluded.client_slug, enabled = excluded.enabled, threshold = excluded.threshold, \
         window_us = excluded.window_us, severity = excluded.severity, send_to = excluded.send_to, \
         put_by = excluded.put_by, put_time = excluded.put_time",
    )
    .bind(put.portal_id.as_i64())
    .bind(put.kind.name())
    .bind(&put.client_slug)
    .bind(i64::from(put.rule.enabled))
    .bind(signed(put.rule.threshold))
    .bind(micros(put.rule.window))
    .bind(put.rule.severity.name())
    .bind(names.join(","))
    .bind(&put.put_by)
    .bind(put.put_time.as_micros())
    .execute(&mut transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes back what was put.
pub(in crate::alerts) async fn take_back(
    database: &Database,
    portal: PortalId,
    kind: Kind,
) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM alert_rule WHERE portal_id = $1 AND kind = $2")
        .bind(portal.as_i64())
        .bind(kind.name())
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Everything that was put, by slug and kind.
pub(in crate::alerts) async fn all(database: &Database) -> Result<Vec<PutRule>, Error> {
    let rows = sqlx::query(
        "SELECT portal_id, kind, client_slug, enabled, threshold, window_us, severity, send_to, put_by, put_time \
         FROM alert_rule ORDER BY client_slug, kind",
    )
    .fetch_all(database.pool())
    .await?;
    rows.iter().map(|row| Ok(read(row)?)).collect()
}

fn read(row: &AnyRow) -> Result<PutRule, sqlx::Error> {
    let number = |name: &str| row.try_get::<i64, _>(name);
    let text = |name: &str| row.try_get::<String, _>(name);
    let receivers = text("send_to")?;
    let names = receivers.split(',').filter(|name| !name.is_empty());
    Ok(PutRule {
        portal_id: PortalId::from_i64(number("portal_id")?).ok_or_else(|| broken("alert_rule.portal_id"))?,
        client_slug: text("client_slug")?,
        kind: Kind::named(&text("kind")?).ok_or_else(|| broken("alert_rule.kind"))?,
        rule: Rule {
            enabled: number("enabled")? != 0,
            threshold: unsigned(number("threshold")?),
            window: duration(number("window_us")?),
            severity: Severity::named(&text("severity")?).ok_or_else(|| broken("alert_rule.severity"))?,
            send_to: names.filter_map(Addressee::named).collect(),
        },
        put_by: text("put_by")?,
        put_time: Timestamp::from_micros(number("put_time")?),
    })
}
