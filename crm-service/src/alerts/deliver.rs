//! Tells receivers of alerts until they have taken it. One that takes nothing holds up neither the evaluation nor the other.

use std::{sync::Arc, time::Duration};

use futures::future::{join_all, pending};
use hubkeep_audit_log::{AuditLog, Draft, Operation, Outcome};
use hubkeep_core::{
    clock::SharedClock,
    database::Database,
    error::ErrorReason,
    id::{CallId, CallerName},
    random::SharedRandom,
};

use super::{
    Alerts, Deps, Error, Shared,
    addressee::Addressee,
    alert::Alert,
    contain::contained,
    not_told::NotTold,
    store::{
        alerts,
        deliveries::{self, Due},
    },
};
use crate::{credentials::Credentials, notify::Notify};

/// How often it is looked whether somebody is to be told again.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// So many are told before it is looked again who is to be told.
const AT_ONCE: u32 = 32;
/// The first wait before somebody is told again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// What receivers are told with.
#[derive(Debug)]
pub(super) struct Deliveries {
    database: Database,
    log: AuditLog,
    notify: Notify,
    credentials: Credentials,
    caller: CallerName,
    clock: SharedClock,
    random: SharedRandom,
    deliver_for: Duration,
    shared: Arc<Shared>,
}

impl Deliveries {
    pub(super) fn new(deps: Deps, alerts: &Alerts) -> Self {
        Self {
            database: deps.database,
            log: deps.log,
            notify: deps.notify,
            credentials: deps.credentials,
            caller: deps.caller,
            clock: deps.clock,
            random: deps.random,
            deliver_for: alerts.config.deliver_for,
            shared: alerts.shared.clone(),
        }
    }

    /// For ever; it is let go of when it is to end.
    pub(super) async fn run(&self) {
        let there_are = Addressee::ALL
            .into_iter()
            .filter(|to| there_is(&self.notify, *to));
        join_all(there_are.map(|to| self.tell_one(to))).await;
        pending().await
    }

    async fn tell_one(&self, to: Addressee) {
        let (mut fails, mut news) = (false, self.shared.change.subscribe());
        loop {
            match self.tell_due(to).await {
                Ok(()) => fails = false,
                Err(error) if !fails => {
                    fails = true;
                    tracing::warn!(%error, receiver = to.name(), "alerts cannot be told: they are told later");
                }
                Err(_) => {}
            }
            tokio::select! {
                _ = news.changed() => {}
                () = self.clock.sleep(LOOKS_EVERY) => {}
            }
        }
    }

    /// Tells what is due.
    async fn tell_due(&self, to: Addressee) -> Result<(), Error> {
        let due = deliveries::due(&self.database, to, self.clock.now(), AT_ONCE).await?;
        for due in due {
            let Some(alert) = alerts::find(&self.database, due.alert_id).await? else {
                deliveries::end(&self.database, &due, to).await?;
                continue;
            };
            match self.tell(&alert, &due, to).await {
                Ok(()) => {
                    deliveries::end(&self.database, &due, to).await?;
                    self.on_record(&alert, to, Outcome::ok()).await;
                }
                Err(error) => {
                    self.not_told(&alert, &due, to, &error).await?;
                    if error.concerns_all() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    async fn tell(&self, alert: &Alert, due: &Due, to: Addressee) -> Result<(), NotTold> {
        match to.receiver() {
            Some(receiver) => Ok(self.notify.tell(receiver, &alert.note(due.change)).await?),
            None => contained(&self.credentials, alert, due.change).await,
        }
    }

    async fn not_told(&self, alert: &Alert, due: &Due, to: Addressee, error: &NotTold) -> Result<(), Error> {
        let now = self.clock.now();
        let (alert_id, name) = (alert.alert_id, to.name());
        if now.since(due.since) >= self.deliver_for {
            tracing::error!(%error, alert_id, receiver = name, "an alert was not told, and is given up");
            deliveries::end(&self.database, due, to).await?;
            let outcome = Outcome::failed(ErrorReason::ConsumerNotTold);
            self.on_record(alert, to, outcome).await;
            return Ok(());
        }
        if due.attempts == 0 {
            tracing::warn!(%error, alert_id, receiver = name, "an alert was not told: it is told again");
        }
        let next = now.plus(wait_after(due.attempts));
        // A receiver that fails is left alone with all that it should be told; one that refuses, with this.
        let all = error.concerns_all();
        deliveries::put_off(&self.database, (due, all), to, next).await
    }

    async fn on_record(&self, alert: &Alert, to: Addressee, outcome: Outcome) {
        let Ok(call_id) = CallId::make(&*self.clock, &*self.random) else {
            tracing::error!(
                alert_id = alert.alert_id,
                "that an alert was told is not on record: no randomness"
            );
            return;
        };
        let draft = Draft::system(Operation::AlertTell, call_id)
            .caller(&self.caller)
            .subject(&format!("alert {} to {}", alert.alert_id, to.name()));
        let draft = match alert.client_slug.parse() {
            Ok(slug) => draft.claimed_slug(&slug),
            Err(_) => draft,
        };
        if let Err(error) = self.log.admin(draft, outcome).await {
            tracing::error!(%error, alert_id = alert.alert_id, "that an alert was told is not on record");
        }
    }
}

/// Whether an alert can go there.
pub(super) fn there_is(notify: &Notify, to: Addressee) -> bool {
    to.receiver().is_none_or(|receiver| notify.has(receiver))
}

/// How long to wait after so many attempts that failed before this one.
fn wait_after(attempts: u64) -> Duration {
    let doubled = u32::try_from(attempts).unwrap_or(u32::MAX).min(16);
    FIRST_WAIT
        .saturating_mul(2_u32.saturating_pow(doubled))
        .min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_the_longest() {
        assert_eq!(wait_after(0), FIRST_WAIT);
        assert_eq!(wait_after(2), FIRST_WAIT * 4);
        assert_eq!(wait_after(u64::MAX), LONGEST_WAIT);
    }
}
