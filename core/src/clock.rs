//! Time, passed in. [`SystemClock`] is the real one; [`MockClock`] stands until it is moved.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// A point in time: microseconds since 1970-01-01T00:00:00Z. The unit in which databases keep times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point this many microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This point moved forward; stays at the end of time rather than overflow.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }

    /// This point moved back; stays at the beginning of time rather than overflow.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<Timestamp> for prost_types::Timestamp {
    fn from(time: Timestamp) -> Self {
        let seconds = time.0.div_euclid(1_000_000);
        let nanos = time.0.rem_euclid(1_000_000) * 1_000;
        Self {
            seconds,
            nanos: i32::try_from(nanos).unwrap_or(0),
        }
    }
}

impl From<prost_types::Timestamp> for Timestamp {
    fn from(time: prost_types::Timestamp) -> Self {
        let micros = time.seconds.saturating_mul(1_000_000);
        Self(micros.saturating_add(i64::from(time.nanos) / 1_000))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A point on a clock that nobody sets: only differences mean anything. For deadlines and ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(Duration);

impl Tick {
    /// This point moved forward.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// This point moved back; stays at the clock's beginning rather than overflow.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The time a component works by.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day. May jump when the machine's clock is set.
    fn now(&self) -> Timestamp;
    /// A clock that never jumps.
    fn tick(&self) -> Tick;
    /// Ends when the clock has reached `until`.
    fn sleep_until(&self, until: Tick) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A clock, shared by everything in a process.
pub type SharedClock = Arc<dyn Clock>;

impl dyn Clock {
    /// Ends after `duration`.
    pub fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.sleep_until(self.tick().plus(duration))
    }

    /// What `work` gives, or `None` if the clock reaches `until` first.
    pub async fn timeout_at<T>(&self, until: Tick, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep_until(until) => None,
        }
    }

    /// What `work` gives, or `None` if it takes longer than `limit`.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        self.timeout_at(self.tick().plus(limit), work).await
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// The machine's clock, ready to share.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    pub fn shared() -> SharedClock {
        Arc::new(Self {
            start: std::time::Instant::now(),
        })
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(micros(since_1970))
    }

    fn tick(&self) -> Tick {
        Tick(self.start.elapsed())
    }

    fn sleep_until(&self, until: Tick) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let deadline = tokio::time::Instant::from_std(self.start) + until.0;
        Box::pin(tokio::time::sleep_until(deadline))
    }
}

/// A clock for tests: it stands until it is advanced, and sleepers wake as it passes them.
#[derive(Debug)]
pub struct MockClock {
    start: Timestamp,
    elapsed: watch::Sender<Duration>,
}

impl MockClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            start,
            elapsed: watch::Sender::new(Duration::ZERO),
        })
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.elapsed
            .send_modify(|elapsed| *elapsed = elapsed.saturating_add(by));
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        self.start.plus(*self.elapsed.borrow())
    }

    fn tick(&self) -> Tick {
        Tick(*self.elapsed.borrow())
    }

    fn sleep_until(&self, until: Tick) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut elapsed = self.elapsed.subscribe();
        Box::pin(async move {
            // The sender lives as long as `self`, so waiting cannot fail.
            let _ = elapsed.wait_for(|elapsed| *elapsed >= until.0).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_survives_the_wire() {
        for micros in [0, 1, -1, 1_795_366_800_123_456] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::from(prost_types::Timestamp::from(time)), time);
        }
    }

    #[tokio::test]
    async fn a_mock_clock_wakes_sleepers_only_when_it_passes_them() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let shared: SharedClock = clock.clone();
        let sleeper = tokio::spawn(async move { shared.sleep(Duration::from_secs(10)).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.expect("the sleeper wakes");
    }
}
