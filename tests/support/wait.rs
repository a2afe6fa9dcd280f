//! Waiting for what will come soon. Every wait has a bound, and says what it waited for when that is over.

use std::time::Duration;

/// How long anything may take that ought to happen at once.
pub const BOUND: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(2);

/// Waits until `holds`, and panics with `what` when `bound` is over first.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tests let real time pass: between two looks"
)]
pub async fn wait_until(what: &str, bound: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + bound;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "not within {bound:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until a condition holds: `eventually!(condition)`, or with a bound of its own
/// `eventually!(Duration::from_secs(6), condition)`. The condition may await.
#[macro_export]
macro_rules! eventually {
    ($bound:expr, $condition:expr) => {
        $crate::wait_until(stringify!($condition), $bound, async || $condition).await
    };
    ($condition:expr) => {
        $crate::eventually!($crate::BOUND, $condition)
    };
}
