//! Carries each call on a task of its own: when a caller hangs up, what was sent is still recorded to its end, and
//! what still waits to be sent is not sent.

use hubkeep_core::dying::watched;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::{Call, Error, Next, Presented, Reply, Step};

/// The step. Stands first, so that nothing below can be cut off half-way.
#[derive(Debug)]
pub struct Detach {
    under_way: TaskTracker,
}

impl Detach {
    /// Calls are counted by this tracker while they are under way, also those whose caller is gone.
    pub const fn new(under_way: TaskTracker) -> Self {
        Self { under_way }
    }
}

impl Step<Call<Presented>> for Detach {
    type Out = Call<Presented>;

    async fn take(&self, call: Call<Presented>, next: &Next<Call<Presented>>) -> Result<Reply, Error> {
        // Fires when this future is dropped, which happens when the caller hangs up.
        let _gone = call.caller_gone.clone().drop_guard();
        let next = next.clone();
        let carrying = async move { next.run(call).await };
        let carried = self.under_way.spawn(watched(carrying.in_current_span()));
        carried.await.unwrap_or_else(|lost| Err(Error::from(lost)))
    }
}
