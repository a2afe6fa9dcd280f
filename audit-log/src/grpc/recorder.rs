//! Puts on the log what the chassis refuses before any method sees it.

use std::{future::Future, pin::Pin};

use hubkeep_core::{
    clock::SharedClock,
    grpc::{Refusal, RefusalLog},
    id::CallId,
    random::SharedRandom,
};

use crate::{AuditLog, Draft, Error, Operation, Outcome, Position};

/// Puts refusals of the chassis on the service's own log. They name no portal: nothing was proven.
#[derive(Debug)]
pub struct RefusalRecorder {
    log: AuditLog,
    clock: SharedClock,
    random: SharedRandom,
}

impl RefusalRecorder {
    /// A recorder for this log.
    pub const fn new(log: AuditLog, clock: SharedClock, random: SharedRandom) -> Self {
        Self { log, clock, random }
    }

    async fn write(&self, refusal: &Refusal) -> Result<Position, Error> {
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let draft = Draft::system(Operation::Other, call_id).refusal(refusal);
        self.log.denied(draft, Outcome::refused(refusal.reason)).await
    }
}

impl RefusalLog for RefusalRecorder {
    fn record(&self, refusal: Refusal) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if let Err(error) = self.write(&refusal).await {
                // Refused it is all the same.
                tracing::error!(request_id = %refusal.request_id, %error, "a refusal is not on the log");
            }
        })
    }
}
