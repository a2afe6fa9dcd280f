//! How every method is answered: worked on to its end, put on record, and only then released.

use std::{future::Future, time::Duration};

use hubkeep_audit_log::{AuditLog, Operation};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    error::ServiceError,
    grpc::Context,
    random::SharedRandom,
};
use tonic::{Request, Response, Status};

use super::Error;
use crate::record::Act;

/// The one way from a request to its answer. What passes it leaves an audit entry, also when it is refused.
#[derive(Clone, Debug)]
pub struct Desk {
    log: AuditLog,
    clock: SharedClock,
    random: SharedRandom,
}

impl Desk {
    /// A desk that writes to this log.
    pub const fn new(log: AuditLog, clock: SharedClock, random: SharedRandom) -> Self {
        Self { log, clock, random }
    }

    /// Does what a request asks, writes the entry of it, and answers.
    ///
    /// The work runs in a task of its own: a caller that hangs up must not cut an act from its entry.
    pub(super) async fn answer<M, T, F>(
        &self,
        request: Request<M>,
        operation: Operation,
        work: impl FnOnce(Act, M) -> F + Send,
    ) -> Result<Response<T>, Status>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let context = Context::of(&request)?;
        let act = self
            .begin(context.clone(), operation)
            .map_err(|error| context.refuse(&error))?;
        let work = work(act.clone(), request.into_inner());
        let desk = self.clone();
        let task = tokio::spawn(async move { desk.on_record(&act, work.await).await });
        match task.await.map_err(Error::from).flatten() {
            Ok(answer) => Ok(Response::new(answer)),
            Err(error) => Err(context.refuse(&error)),
        }
    }

    /// The point on the clock that is this far away.
    pub(super) fn time_in(&self, duration: Duration) -> Tick {
        self.clock.tick().plus(duration)
    }

    /// The beginning of an act.
    pub(super) fn begin(&self, context: Context, operation: Operation) -> Result<Act, Error> {
        Ok(Act::begin(context, operation, &self.clock, &*self.random)?)
    }

    /// Closes an act with its entry; gives the result back only if the entry is durable.
    pub(super) async fn on_record<T>(&self, act: &Act, result: Result<T, Error>) -> Result<T, Error> {
        let refusal = result.as_ref().err().map(|error| error as &dyn ServiceError);
        act.close(&self.log, &self.clock, refusal).await?;
        result
    }
}
