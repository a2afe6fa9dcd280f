//! Work that goes on beside a log, as long as it is open.

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A task, if it was started, and how it is told to end.
#[derive(Debug, Default)]
pub(crate) struct Background {
    pub(crate) end: CancellationToken,
    task: TaskTracker,
}

impl Background {
    /// Starts it. On the heap from the first: the state of such a task is large, and would be moved from frame to frame on the stack.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.task.spawn(Box::pin(work));
    }

    /// Starts what goes on for ever by itself: it is dropped where it waits when it is told to end.
    pub(crate) fn start_until_end(&self, work: impl Future<Output = ()> + Send + 'static) {
        let end = self.end.clone();
        self.start(async move {
            end.run_until_cancelled(work).await;
        });
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn stop(&self) {
        self.end.cancel();
        self.task.close();
        self.task.wait().await;
    }
}
