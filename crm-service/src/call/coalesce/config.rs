//! How long reads wait for each other.

use std::time::Duration;

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

/// Longer than this nobody should wait for others.
const LONGEST: Duration = Duration::from_millis(50);
/// A call that has less time than this many windows left goes alone.
const WINDOWS_LEFT: u32 = 100;

/// How reads are coalesced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// How long a read waits for others like it, where one is under way already; at most 50 ms. 0 s makes each by itself.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
}

impl Config {
    /// Less time than this until the deadline, and a call waits for nobody.
    pub(super) fn least_left(self) -> Duration {
        self.window.saturating_mul(WINDOWS_LEFT)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: Duration::from_millis(5),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if self.window > LONGEST {
            faults.push(Fault::new("coalesce.window", "must be at most 50ms"));
        }
    }
}
