//! How long a delivery may take, how often it is tried, and how much of an answer is read.

use std::time::Duration;

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

/// How deliveries are made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// How long a connection may take to open.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long one attempt may take in all.
    #[serde(with = "humantime_serde")]
    pub attempt_timeout: Duration,
    /// How often a delivery is tried before it is given back as failed: at least once.
    pub attempts: u32,
    /// How long the first wait between two attempts is; each further one is twice as long, less by chance.
    #[serde(with = "humantime_serde")]
    pub first_wait: Duration,
    /// The largest answer that is read, in bytes. What it says does not matter, only that it ends.
    pub max_answer_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(15),
            attempts: 4,
            first_wait: Duration::from_millis(500),
            max_answer_bytes: 64 * 1024,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if !(1..=10).contains(&self.attempts) {
            faults.push(Fault::new("webhook.attempts", "must be from 1 to 10"));
        }
        if self.attempt_timeout.is_zero() || self.attempt_timeout > Duration::from_secs(60) {
            faults.push(Fault::new(
                "webhook.attempt_timeout",
                "must be more than 0 and at most 1m",
            ));
        }
        if self.first_wait.is_zero() {
            faults.push(Fault::new("webhook.first_wait", "must be more than 0"));
        }
    }
}
