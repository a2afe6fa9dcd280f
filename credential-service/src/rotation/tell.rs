//! Tells consumers of rotations by webhook, until they have heard. One replica tells, and the others let it.

use std::time::Duration;

use hubkeep_audit_log::{Draft, Operation, Outcome};
use hubkeep_core::{clock::Timestamp, error::ErrorReason, id::CallId};
use hubkeep_webhook::Message;
use serde_json::json;

use super::{
    Error, Rotations,
    rotation::{Rotation, Task},
    state::Standing,
    store::{rotations, tasks},
};

/// How long a replica has for one delivery with all its attempts before another may make it.
const LEASE: Duration = Duration::from_secs(15 * 60);

impl Rotations {
    /// Tasks whose consumers are to be told by now: one of each, of at most so many consumers.
    pub(super) async fn due_deliveries(&self, limit: usize) -> Result<Vec<Task>, Error> {
        let now = self.clock.now();
        let mut due = Vec::new();
        for consumer in tasks::due_consumers(&self.database, now, limit).await? {
            due.extend(tasks::first_due(&self.database, &consumer, now).await?);
        }
        Ok(due)
    }

    /// Tells one consumer of its task, if no other replica does, and writes down what became of it.
    pub(super) async fn tell(&self, task: Task) {
        let (rotation_id, consumer) = (task.rotation_id, task.consumer.clone());
        if let Err(error) = self.claim_and_deliver(task).await {
            tracing::warn!(%error, rotation = %rotation_id, %consumer, "a consumer could not be told of a rotation");
            // It is due still: nobody hurries.
            self.clock.sleep(self.config.look_every).await;
        }
    }

    async fn claim_and_deliver(&self, task: Task) -> Result<(), Error> {
        let lease = self.clock.now().plus(LEASE);
        if !tasks::claim(&self.database, &task, lease).await? {
            return Ok(());
        }
        let rotation = rotations::by_id(&self.database, task.rotation_id, self.clock.now()).await?;
        let webhook = self.webhook_of(&task.consumer).await?;
        let (Some(rotation), Some(webhook)) = (rotation, webhook) else {
            return Ok(());
        };
        let message = Message {
            id: task.delivery_id.to_string(),
            body: body(&rotation, &task).into(),
        };
        let delivered = self
            .sender
            .deliver(&webhook.address, &webhook.secret, &message)
            .await;
        let now = self.clock.now();
        let (after, outcome) = match delivered {
            Ok(_) => {
                let after = Task {
                    told_time: Some(now),
                    next_tell_time: None,
                    failed_deliveries: 0,
                    last_failure: String::new(),
                    ..task
                };
                (after, Outcome::ok())
            }
            Err(error) => {
                let failed_deliveries = task.failed_deliveries.saturating_add(1);
                let next = now.plus(self.config.next_delivery(failed_deliveries));
                // Whoever takes nothing is left alone with all that it should be told.
                tasks::put_off(&self.database, &task.consumer, now, next).await?;
                let after = Task {
                    next_tell_time: Some(next),
                    failed_deliveries,
                    last_failure: error.to_string(),
                    ..task
                };
                (after, Outcome::failed(ErrorReason::ConsumerNotTold))
            }
        };
        if !tasks::delivered(&self.database, &after, lease).await? {
            // Acknowledged meanwhile, given anew, or removed.
            return Ok(());
        }
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let draft = Draft::portal(&rotation.proven(), Operation::RotationTell, call_id)
            .caller(&self.name)
            .subject(after.consumer.as_str())
            .credential_version(rotation.credential_version)
            .token(rotation.fingerprint_in_force());
        if let Err(error) = self.log.admin(draft, outcome).await {
            tracing::warn!(%error, rotation = %rotation.rotation_id, "a delivery is not on the log");
        }
        Ok(())
    }
}

/// The message: a type, a time, and what a watcher is given, too.
fn body(rotation: &Rotation, task: &Task) -> Vec<u8> {
    let rolled_back = rotation.standing == Standing::RolledBack;
    let kind = if rolled_back {
        "rotation.rolled_back"
    } else {
        "rotation.switched"
    };
    let decided = rotation.end.as_ref().filter(|_| rolled_back);
    let body = json!({
        "type": kind,
        "timestamp": rfc3339(decided.map_or(rotation.switch_time, |end| end.time)),
        "data": {
            "rotation_id": rotation.rotation_id.to_string(),
            "client_slug": rotation.client_slug.as_str(),
            "portal_id": rotation.portal_id.get(),
            "credential_name": rotation.credential_name.as_str(),
            "credential_version": rotation.credential_version,
            "token_fingerprint": rotation.fingerprint_in_force().as_str(),
            "store_version": rotation.store_version,
            "due_time": rfc3339(task.due_time),
            "rolled_back": rolled_back,
        },
    });
    body.to_string().into_bytes()
}

fn rfc3339(time: Timestamp) -> String {
    prost_types::Timestamp::from(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_rfc_3339() {
        assert_eq!(
            rfc3339(Timestamp::from_micros(1_795_369_525_000_000)),
            "2026-11-22T17:45:25Z"
        );
    }
}
