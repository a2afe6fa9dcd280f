//! When it is time to delete what ended long ago.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hubkeep_core::clock::Tick;

/// Often enough to keep up with thousands of handles a second, and too seldom to be felt.
const EVERY: Duration = Duration::from_secs(1);

/// When the last sweep of this process was.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweeps(Arc<Mutex<Option<Tick>>>);

impl Sweeps {
    /// Whether the next sweep is due; whoever is told so does it.
    pub(super) fn is_due(&self, now: Tick) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.since(last) >= EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}
