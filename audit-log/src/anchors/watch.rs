//! How long something waits already to be anchored, and whom that concerns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use hubkeep_core::clock::Timestamp;

/// Nothing waits, as far as is known.
const NOTHING: i64 = i64::MAX;

/// Since when the oldest waits that is not anchored everywhere, as this process saw it last. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Waiting(Arc<AtomicI64>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NOTHING)))
    }
}

impl Waiting {
    /// For how long; `None` if nothing waits.
    pub(crate) fn age(&self, now: Timestamp) -> Option<Duration> {
        match self.0.load(Ordering::Acquire) {
            NOTHING => None,
            since => Some(now.since(Timestamp::from_micros(since))),
        }
    }

    pub(super) fn set(&self, since: Option<Timestamp>) {
        let since = since.map_or(NOTHING, Timestamp::as_micros);
        self.0.store(since, Ordering::Release);
    }
}

/// Tells how long the oldest waits.
pub(super) fn tell(age: Duration) {
    metrics::gauge!("hubkeep_audit_unanchored_seconds").set(age.as_secs_f64());
}
