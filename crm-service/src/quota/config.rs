//! How this replica shares HubSpot's limits with others.

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

/// More replicas than searches in a second could not share them: each takes at least one.
const MOST_REPLICAS: u32 = 5;

/// The parts of each limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// How many replicas of crm-service share each portal's limits, from 1 to 5. Each takes its part of burst and
    /// search, rounded down, so that all together never pass them; the daily limit needs no parts, for HubSpot says
    /// with each answer what all have used.
    pub replicas: u32,
    /// Calls of each day that are left for others: credential-service, other apps of the account, and calls of several
    /// replicas that cross near the end. Never more than a hundredth of the daily limit.
    pub daily_reserve: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            replicas: 1,
            daily_reserve: 50,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if !(1..=MOST_REPLICAS).contains(&self.replicas) {
            faults.push(Fault {
                key: "quota.replicas".to_owned(),
                problem: "must be from 1 to 5: HubSpot allows five searches a second".to_owned(),
            });
        }
    }
}
