//! Whether anything is sealed beside entries, and how long it is kept.

use std::time::Duration;

use hubkeep_core::config::Fault;
use serde::{Deserialize, Serialize};

/// A month, as durations count it.
const MONTH: Duration = Duration::from_secs(2_630_016);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is personal, sealed beside entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Whether anything is sealed beside new entries. What lies there already is kept for its time, and opened, all the same.
    pub enabled: bool,
    /// How long it is kept: 13 months unless set, 1 day at least. What is older is removed, and not opened any more.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// How often what is older is looked for: 1 h unless set.
    #[serde(with = "humantime_serde")]
    pub sweep_every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            keep: MONTH * 13,
            sweep_every: Duration::from_secs(60 * 60),
        }
    }
}

impl Config {
    pub(crate) fn check(&self, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, problem: &str| {
            faults.push(Fault {
                key: format!("audit.payloads.{key}"),
                problem: problem.to_owned(),
            });
        };
        if self.keep < DAY {
            fault(
                "keep",
                "must be at least 1day; to seal nothing, set audit.payloads.enabled = false",
            );
        }
        if self.sweep_every.is_zero() || self.sweep_every > DAY {
            fault("sweep_every", "must be more than 0 and at most 1day");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_months_are_the_default_and_every_fault_is_named() {
        let thirteen = humantime::parse_duration("13 months").expect("a duration");
        assert_eq!(Config::default().keep, thirteen);
        let config = Config {
            enabled: true,
            keep: Duration::ZERO,
            sweep_every: Duration::ZERO,
        };
        let mut faults = Vec::new();
        config.check(&mut faults);
        assert_eq!(faults.len(), 2);
    }
}
