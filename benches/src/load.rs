//! Callers in a closed loop: each makes its next call when it has the answer to the last, or at its own pace.

use std::{future::Future, sync::Arc, time::Duration};

use hubkeep_core::clock::{SharedClock, Tick};
use tokio::task::JoinSet;

use crate::{Failure, figures::median, process};

/// A call that can be made again and again.
pub(crate) trait Work: Send + Sync + 'static {
    /// Makes the call once. `caller` counts from 0 the callers that call at the same time, `turn` from 0 the calls of
    /// this one.
    fn once(&self, caller: usize, turn: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What the callers saw.
#[derive(Debug, Default)]
pub(crate) struct Load {
    latencies: Vec<Duration>,
    /// When each was answered, from the beginning.
    answered: Vec<Duration>,
    took: Duration,
    cpu: Duration,
}

impl Load {
    /// So many callers at once, for so long. Calls under way when the time is over still end, and count.
    ///
    /// # Errors
    /// With the first call that fails: figures of failing calls would be none.
    pub(crate) async fn run(
        clock: &SharedClock,
        callers: usize,
        length: Duration,
        work: &Arc<impl Work>,
    ) -> Result<Self, Failure> {
        Self::paced(clock, callers, length, Duration::ZERO, work).await
    }

    /// The same of callers who begin a call every so often, or when the last one is answered, if that is later.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub(crate) async fn paced(
        clock: &SharedClock,
        callers: usize,
        length: Duration,
        every: Duration,
        work: &Arc<impl Work>,
    ) -> Result<Self, Failure> {
        let began = clock.tick();
        let cpu_began = process::cpu_used()?;
        let until = began.plus(length);
        let mut calling = JoinSet::new();
        for caller in 0..callers {
            // Not all in the same instant.
            let first = began.plus(every.mul_f64(as_f64(caller) / as_f64(callers)));
            let times = Times {
                began,
                first,
                every,
                until,
            };
            calling.spawn(call_until(Arc::clone(clock), times, caller, Arc::clone(work)));
        }
        let mut load = Self::default();
        while let Some(ended) = calling.join_next().await {
            let (mut latencies, mut answered) = ended??;
            load.latencies.append(&mut latencies);
            load.answered.append(&mut answered);
        }
        load.took = clock.tick().since(began);
        load.cpu = process::cpu_used()?.saturating_sub(cpu_began);
        load.latencies.sort_unstable();
        Ok(load)
    }

    /// Calls.
    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }

    /// Calls that were answered between these times from the beginning.
    pub(crate) fn answered_within(&self, from: Duration, to: Duration) -> f64 {
        let within = self.answered.iter().filter(|at| (from..to).contains(*at));
        as_f64(within.count())
    }

    /// Calls a second.
    pub(crate) fn per_second(&self) -> f64 {
        as_f64(self.latencies.len()) / self.took.as_secs_f64()
    }

    /// Microseconds of CPU that this process used for each call: callers, HubSpot and everything between them. It says
    /// more than the time where others work on the machine too.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / as_f64(self.latencies.len())
    }

    pub(crate) fn median_ms(&self) -> f64 {
        median(self.latencies.iter().map(|latency| as_ms(*latency)))
    }

    /// What 99 of 100 calls took at most.
    pub(crate) fn p99_ms(&self) -> f64 {
        let place = self.latencies.len().saturating_sub(1) * 99 / 100;
        self.latencies.get(place).copied().map_or(0.0, as_ms)
    }
}

/// When a caller calls.
struct Times {
    began: Tick,
    first: Tick,
    every: Duration,
    until: Tick,
}

async fn call_until(
    clock: SharedClock,
    times: Times,
    caller: usize,
    work: Arc<impl Work>,
) -> Result<(Vec<Duration>, Vec<Duration>), Failure> {
    let (mut latencies, mut answered) = (Vec::new(), Vec::new());
    let mut due = times.first;
    for turn in 0.. {
        clock.sleep_until(due).await;
        let began = clock.tick();
        if began >= times.until {
            break;
        }
        work.once(caller, turn).await?;
        let ended = clock.tick();
        latencies.push(ended.since(began));
        answered.push(ended.since(times.began));
        due = due.plus(times.every);
    }
    Ok((latencies, answered))
}

/// A duration in milliseconds.
pub(crate) fn as_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::SystemClock;

    use super::*;

    struct Fails;

    impl Work for Fails {
        async fn once(&self, _caller: usize, turn: u64) -> Result<(), Failure> {
            if turn < 3 { Ok(()) } else { Err("broken".into()) }
        }
    }

    #[tokio::test]
    async fn there_are_no_figures_of_calls_that_fail() {
        let clock = SystemClock::shared();
        let load = Load::run(&clock, 2, Duration::from_secs(5), &Arc::new(Fails)).await;
        assert_eq!(load.expect_err("it fails").to_string(), "broken");
    }

    #[test]
    fn the_slowest_of_a_hundred_is_not_the_ninety_ninth() {
        let latencies = (1..=100).map(Duration::from_millis).collect();
        let load = Load {
            latencies,
            answered: Vec::new(),
            took: Duration::from_secs(4),
            cpu: Duration::from_secs(1),
        };
        assert_eq!((load.p99_ms(), load.median_ms()), (99.0, 50.0));
        assert_eq!((load.per_second(), load.cpu_us()), (25.0, 10_000.0));
    }
}
