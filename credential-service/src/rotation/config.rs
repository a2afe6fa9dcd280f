//! How often HubSpot is asked about the tokens of a rotation, and how consumers are told.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    config::{Fault, Validate},
};
use serde::{Deserialize, Serialize};

/// The longest time between two deliveries.
const AT_LATEST: Duration = Duration::from_secs(3_600);
/// Each takes a connection to somebody else.
const AT_ONCE_AT_MOST: usize = 256;

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
    /// Of how many portals a replica asks at once: of each, one question at a time.
    pub probes_at_once: usize,
    /// How many consumers a replica tells at once: each, one thing at a time.
    pub deliveries_at_once: usize,
    /// How often each replica looks for what is due.
    #[serde(with = "humantime_serde")]
    pub look_every: Duration,
    /// How long after a delivery that was not taken, with all its attempts, the next is made; after each further one
    /// twice as long, but never more than an hour.
    #[serde(with = "humantime_serde")]
    pub tell_again: Duration,
    /// How long the sealed bytes of a token that cannot be put in force any more rest in the vault after its rotation:
    /// longer than a request may take that was begun before.
    #[serde(with = "humantime_serde")]
    pub keep_replaced: Duration,
    /// How webhooks are delivered.
    pub webhook: hubkeep_webhook::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            probe_soonest: Duration::from_secs(15),
            probe_latest: Duration::from_secs(3_600),
            probes_at_once: 32,
            deliveries_at_once: 64,
            look_every: Duration::from_secs(1),
            tell_again: Duration::from_secs(30),
            keep_replaced: Duration::from_secs(300),
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

    /// When HubSpot is asked again about a token that it refused once: not in the same trouble.
    pub(super) fn probe_again(&self, now: Timestamp) -> Timestamp {
        now.plus(self.probe_soonest.saturating_mul(4).min(self.probe_latest))
    }

    /// How long after the so-manieth delivery in vain the next is made.
    pub(super) fn next_delivery(&self, failed: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        self.tell_again.saturating_mul(doubled).min(AT_LATEST)
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
        if self.tell_again < Duration::from_secs(1) || self.tell_again > AT_LATEST {
            faults.push(Fault::new("rotation.tell_again", "must be from 1s to 1h"));
        }
        if self.keep_replaced < Duration::from_secs(1) || self.keep_replaced > AT_LATEST {
            faults.push(Fault::new("rotation.keep_replaced", "must be from 1s to 1h"));
        }
        for (name, number) in [
            ("rotation.probes_at_once", self.probes_at_once),
            ("rotation.deliveries_at_once", self.deliveries_at_once),
        ] {
            if !(1..=AT_ONCE_AT_MOST).contains(&number) {
                faults.push(Fault::new(name, "must be from 1 to 256"));
            }
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

    #[test]
    fn a_rotation_costs_about_two_hundred_questions_in_the_week_that_expire_later_gives() {
        let config = Config::default();
        let switched = Timestamp::from_micros(0);
        let week = switched.plus(Duration::from_secs(7 * 24 * 3_600));
        let (mut asked, mut next) = (0, config.next_probe(switched, switched));
        while next < week {
            asked += 1;
            next = config.next_probe(switched, next);
        }
        assert_eq!(asked, 192);
    }

    #[test]
    fn a_receiver_that_takes_nothing_is_tried_less_and_less_often() {
        let config = Config::default();
        let waits = [1, 2, 3, 7, 8, 40].map(|failed| config.next_delivery(failed).as_secs());
        assert_eq!(waits, [30, 60, 120, 1_920, 3_600, 3_600]);
    }
}
