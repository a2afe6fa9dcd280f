//! How often HubSpot is asked about the tokens of a rotation, and how consumers are told.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    config::{Fault, Validate},
};
use serde::{Deserialize, Serialize};

/// How rotations are followed up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// How soon after the switch HubSpot is asked whether it still accepts the old token, and the shortest time between
    /// two such questions. They become rarer as the rotation gets older.
    #[serde(with = "humantime_serde")]
    pub probe_soonest: Duration,
    /// The longest time between two such questions.
    #[serde(with = "humantime_serde")]
    pub probe_latest: Duration,
    /// How often each replica looks for what is due.
    #[serde(with = "humantime_serde")]
    pub look_every: Duration,
    /// How webhooks are delivered.
    pub webhook: hubkeep_webhook::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            probe_soonest: Duration::from_secs(15),
            probe_latest: Duration::from_secs(3_600),
            look_every: Duration::from_secs(1),
            webhook: hubkeep_webhook::Config::default(),
        }
    }
}

impl Config {
    /// When HubSpot is asked next about a rotation that was switched then: after a quarter of its age.
    pub(super) fn next_probe(&self, switched: Timestamp, now: Timestamp) -> Timestamp {
        let wait = now.since(switched) / 4;
        now.plus(wait.clamp(self.probe_soonest, self.probe_latest))
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if self.probe_soonest < Duration::from_secs(1) || self.probe_soonest > self.probe_latest {
            let problem = "must be at least 1s, and not longer than rotation.probe_latest";
            faults.push(Fault::new("rotation.probe_soonest", problem));
        }
        if self.look_every < Duration::from_millis(100) || self.look_every > Duration::from_secs(60) {
            faults.push(Fault::new("rotation.look_every", "must be from 100ms to 1m"));
        }
        self.webhook.validate(faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_rarer_as_a_rotation_gets_older() {
        let config = Config::default();
        let switched = Timestamp::from_micros(0);
        let wait = |age: u64| {
            let now = switched.plus(Duration::from_secs(age));
            config.next_probe(switched, now).since(now).as_secs()
        };
        assert_eq!(
            [wait(0), wait(60), wait(400), wait(7_200), wait(604_800)],
            [15, 15, 100, 1_800, 3_600]
        );
    }
}
