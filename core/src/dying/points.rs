//! Ends the process at the point that the environment names: `DIES_AT=7` at once at the seventh, `DIES_AT=7 DIES_LATE=150` when
//! all others had so many milliseconds to go on as far as they can, and the task at that point did not.
//!
//! A point is where polling a watched future comes back: it waits for something, or has ended. An await that does not wait is
//! the same state as the next one that does. Points count from the first request on.

use std::{
    future::poll_fn,
    process,
    sync::{
        LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static PASSED: AtomicU64 = AtomicU64::new(0);
/// At which point, and how long the others may go on.
static DIES: LazyLock<Option<(u64, Option<Duration>)>> = LazyLock::new(named);

#[expect(
    clippy::disallowed_methods,
    reason = "no build of the product has this, and none of its configurations names it"
)]
fn named() -> Option<(u64, Option<Duration>)> {
    let at = std::env::var("DIES_AT").ok()?.parse().ok()?;
    let late = std::env::var("DIES_LATE").ok();
    let late = late.and_then(|millis| millis.parse().ok());
    Some((at, late.map(Duration::from_millis)))
}

/// The future of a request: from the first on, points count.
pub fn first<F: Future>(future: F) -> impl Future<Output = F::Output> {
    REQUESTED.store(true, Ordering::SeqCst);
    watched(future)
}

/// The future of a task that makes writes, or keeps account of them.
pub fn watched<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let mut future = Box::pin(future);
    let mut stopped = false;
    poll_fn(move |context| {
        if stopped {
            return Poll::Pending;
        }
        let polled = future.as_mut().poll(context);
        stopped = stops_here();
        if stopped { Poll::Pending } else { polled }
    })
}

/// Whether the task goes on no further, and the process ends soon. It ends here, if it is to end at once: by SIGABRT, so that
/// nothing is written any more and nothing is dropped.
fn stops_here() -> bool {
    let Some((at, late)) = *DIES else { return false };
    if !REQUESTED.load(Ordering::SeqCst) || PASSED.fetch_add(1, Ordering::SeqCst) + 1 != at {
        return false;
    }
    let Some(late) = late else { process::abort() };
    thread::spawn(move || {
        thread::sleep(late);
        process::abort();
    });
    true
}
