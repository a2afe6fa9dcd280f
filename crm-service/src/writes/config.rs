//! How long writes are kept account of.

use std::time::Duration;

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

/// What callers are promised.
const LEAST_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// HubSpot gives up a request after this, and may carry it out until then.
const AT_IT_FOR: Duration = Duration::from_secs(100);

/// Seconds are better; what stands for HubSpot on loopback may be asked more often.
const LEAST_BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How long writes are kept account of.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The result of a write that was asked for with a request id is kept for so long: 7 days at least.
    #[serde(with = "humantime_serde")]
    pub kept_for: Duration,
    /// A write of unknown outcome that is not found at HubSpot is taken to be not done only when so much time has passed since
    /// it can have been sent. HubSpot gives up a request after 100 s (its status 524); before that it may still carry it out.
    #[serde(with = "humantime_serde")]
    pub not_done_after: Duration,
    /// A write of unknown outcome is looked for ever more seldom, and in the end after so much time, which chance makes up to
    /// twice as long. Where HubSpot is down for hours, it is found so late after that.
    #[serde(with = "humantime_serde")]
    pub longest_between_looks: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kept_for: LEAST_KEPT,
            not_done_after: Duration::from_secs(120),
            longest_between_looks: Duration::from_secs(15 * 60),
        }
    }
}

impl Config {
    /// Notes a time in which HubSpot may still carry a write out. Whoever stands for HubSpot on loopback may be quicker.
    pub(crate) fn check_patience(&self, asks_hubspot: bool, faults: &mut Vec<Fault>) {
        if asks_hubspot && self.not_done_after <= AT_IT_FOR {
            faults.push(Fault::new(
                "writes.not_done_after",
                "must be more than 100s: HubSpot may carry a write out until then",
            ));
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if self.kept_for < LEAST_KEPT {
            faults.push(Fault::new(
                "writes.kept_for",
                "must be 7 days at least: callers are promised that",
            ));
        }
        if self.longest_between_looks < LEAST_BETWEEN_LOOKS {
            faults.push(Fault::new(
                "writes.longest_between_looks",
                "must be 100ms at least: each look is a call of the portal's limits",
            ));
        }
    }
}
