//! How a portal's limits are shared among those who call.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_core::{
    config::{Fault, Validate},
    id::ClientSlug,
};
use serde::{Deserialize, Serialize};

/// Who is not named in `weights` has this.
pub(super) const USUAL_WEIGHT: u32 = 10;
/// The greatest weight: a hundred times the usual one.
const GREATEST_WEIGHT: u32 = 1_000;
/// Stands for every portal.
const EVERY: &str = "*";
/// More could not be left for people: it is half of the lowest limit of any subscription.
const MOST_RESERVED: u32 = 50;

/// The parts of each limit. Replicas of one deployment over PostgreSQL share them by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Calls of each day that are left for others: credential-service, other apps of the account, and calls of several
    /// replicas that cross near the end. Never more than a hundredth of the daily limit.
    pub daily_reserve: u64,
    /// How much of a portal each caller gets while several wait, by its name: who has twice the weight gets twice as
    /// much. From 1 to 1000; 10 for whoever is not named.
    pub weights: BTreeMap<String, u32>,
    /// Callers for whose calls nobody waits, by name: all that they call comes after others' calls, as walks and batches do.
    pub batch_callers: BTreeSet<String>,
    /// Places of the burst, from 0 to 50, that are left for calls with a person behind them (handles with an end user),
    /// in portals that had such a call within the last 5 minutes.
    pub reserved_for_people: u32,
    /// Calls of one portal that may wait and be under way at once in this process. Less than `grpc.max_in_flight`, so that
    /// one portal cannot take all of it.
    pub max_per_portal: usize,
    /// The same of one caller: what it sends to a portal that is slow leaves it places for others, and other callers room at
    /// this portal. Less than `grpc.max_in_flight_per_caller`. The last eighth of `max_per_portal` is for calls with a person
    /// behind them, and for callers who have fewer than 8.
    pub max_per_portal_and_caller: usize,
    /// Portals, by slug, in whose accounts no other app calls; `*` for all. What HubSpot counts of a day there beyond what this
    /// deployment has called is then put on record as use of a token by somebody else, also if it came while nobody here
    /// called.
    pub only_app_in: BTreeSet<String>,
    /// Whether calls about associations count in the ordinary interval besides their own. HubSpot does not say; set it if
    /// they are refused for TEN_SECONDLY_ROLLING while `hubkeep quota` shows room.
    pub associations_in_burst: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            daily_reserve: 50,
            weights: BTreeMap::new(),
            batch_callers: BTreeSet::new(),
            reserved_for_people: 4,
            max_per_portal: 768,
            max_per_portal_and_caller: 400,
            only_app_in: BTreeSet::new(),
            associations_in_burst: false,
        }
    }
}

impl Config {
    /// The weight of a caller.
    pub(super) fn weight_of(&self, caller: &str) -> u32 {
        self.weights.get(caller).copied().unwrap_or(USUAL_WEIGHT)
    }

    /// Whether no other app of a portal's account calls.
    pub(super) fn is_alone_in(&self, portal: &ClientSlug) -> bool {
        self.only_app_in.contains(portal.as_str()) || self.only_app_in.contains(EVERY)
    }

    /// Whether nobody waits for the calls of a caller.
    pub(super) fn is_for_batches(&self, caller: &str) -> bool {
        self.batch_callers.contains(caller)
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        for (caller, weight) in &self.weights {
            if !(1..=GREATEST_WEIGHT).contains(weight) {
                let key = format!("quota.weights.{caller}");
                faults.push(Fault::new(&key, "must be from 1 to 1000"));
            }
        }
        if self.reserved_for_people > MOST_RESERVED {
            faults.push(Fault::new("quota.reserved_for_people", "must be from 0 to 50"));
        }
        for portal in &self.only_app_in {
            if portal != EVERY && portal.parse::<ClientSlug>().is_err() {
                let problem = format!("{portal:?} is neither a portal's slug nor *");
                faults.push(Fault::new("quota.only_app_in", &problem));
            }
        }
        for (key, most) in [
            ("quota.max_per_portal", self.max_per_portal),
            ("quota.max_per_portal_and_caller", self.max_per_portal_and_caller),
        ] {
            if most == 0 {
                faults.push(Fault::new(key, "must be at least 1"));
            }
        }
    }
}
