//! Time: the only place that asks the machine what time it is, and a way to skip ahead.
//!
//! Skipping moves rate windows, daily counters, search lag and time stamps; it does not shorten the delays that
//! a fault puts into an answer, which pass on the machine's own clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// The simulator's clock: real time plus what a test has skipped.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    origin_micros: i64,
    skipped_micros: AtomicI64,
}

impl Clock {
    /// A clock that starts at the machine's time.
    pub(crate) fn start() -> Self {
        let (wall, origin) = now();
        let since_epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            origin,
            origin_micros: to_micros(since_epoch),
            skipped_micros: AtomicI64::new(0),
        }
    }

    /// Microseconds since 1970. Never goes back, even when the machine's wall clock does.
    pub(crate) fn micros(&self) -> i64 {
        let elapsed = to_micros(now().1.saturating_duration_since(self.origin));
        self.origin_micros
            .saturating_add(elapsed)
            .saturating_add(self.skipped_micros.load(Ordering::Relaxed))
    }

    /// Makes it later by `by`, at once.
    pub(crate) fn skip(&self, by: Duration) {
        self.skipped_micros.fetch_add(to_micros(by), Ordering::Relaxed);
    }
}

/// The machine's wall clock and its monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulator reads the machine's clock"
)]
fn now() -> (SystemTime, Instant) {
    (SystemTime::now(), Instant::now())
}

/// Lets real time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "delays on the wire are real: the caller under test waits for them"
)]
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

fn to_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A time the way HubSpot writes it: `2026-09-08T10:15:00.000Z`.
pub(crate) fn iso(micros: i64) -> String {
    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Milliseconds since 1970 of a date or a time in any of the ways HubSpot accepts: milliseconds, RFC 3339, a bare date.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse::<i64>() {
        return Some(millis);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let day = text.parse::<jiff::civil::Date>().ok()?;
    Some(
        day.to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_millisecond(),
    )
}
