//! The tables `alert_rule`, `alert`, `alert_delivery` and `alert_evaluation`.

pub(super) mod alerts;
pub(super) mod deliveries;
pub(super) mod evaluation;
pub(super) mod rules;

use std::time::Duration;

use hubkeep_core::{database::Transaction, id::PortalId};

use super::Error;

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn broken(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} is none").into())
}

/// Forgets all of a portal.
pub(super) async fn forget_portal(transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
    for statement in [
        "DELETE FROM alert_delivery WHERE alert_id IN (SELECT alert_id FROM alert WHERE portal_id = $1)",
        "DELETE FROM alert WHERE portal_id = $1",
        "DELETE FROM alert_rule WHERE portal_id = $1",
    ] {
        sqlx::query(statement)
            .bind(portal.as_i64())
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
