//! A sliding window: at most so many in any stretch of so long.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Tick;

/// The times of the calls that still count.
#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    length: Duration,
    taken: VecDeque<Tick>,
}

impl Window {
    pub(super) const fn new(most: usize, length: Duration) -> Self {
        Self {
            most,
            length,
            taken: VecDeque::new(),
        }
    }

    /// Changes the limit; what was taken still counts.
    pub(super) fn resize(&mut self, most: usize, length: Duration) {
        self.most = most.max(1);
        self.length = length;
    }

    /// How long until there is room; `None` if there is.
    pub(super) fn wait(&mut self, now: Tick) -> Option<Duration> {
        while self
            .taken
            .front()
            .is_some_and(|taken| now.since(*taken) >= self.length)
        {
            self.taken.pop_front();
        }
        // The call that must leave the window before one more fits.
        let blocking = self
            .taken
            .len()
            .checked_sub(self.most)
            .and_then(|place| self.taken.get(place))?;
        Some(blocking.plus(self.length).since(now))
    }

    /// Counts one.
    pub(super) fn take(&mut self, now: Tick) {
        self.taken.push_back(now);
    }
}
