//! What an alert is about, contained.

use super::{
    alert::{Alert, Change},
    not_told::NotTold,
};
use crate::credentials::{Contained, Credentials};

/// Contains what a firing alert is about: its caller, or the portal where all callers are counted together; nobody where it
/// names neither. That it is resolved lifts nothing: an operator has to look.
pub(super) async fn contained(
    credentials: &Credentials,
    alert: &Alert,
    change: Change,
) -> Result<(), NotTold> {
    if change == Change::Resolved {
        return Ok(());
    }
    let Some(whom) = whom(alert) else {
        return Ok(());
    };
    let reason = format!("alert {}: {}", alert.alert_id, alert.kind.name());
    let known = credentials.contain(&whom, &reason).await;
    let known = known.map_err(NotTold::NotContained)?;
    tracing::warn!(alert_id = alert.alert_id, %whom, known, "contained by an alert: lift it when you know why");
    Ok(())
}

fn whom(alert: &Alert) -> Option<Contained> {
    match alert.subject.as_str() {
        "" => alert.client_slug.parse().ok().map(Contained::Portal),
        caller => caller.parse().ok().map(Contained::Caller),
    }
}
