//! HubSpot's rate limits: per app in a rolling window, search per second, per account and day. An OAuth app has a window
//! of its own in each account, in which searches do not count, and no day. Calls of the associations API have a window of
//! their own.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// How many calls an account allows.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Calls per app in one burst window.
    pub burst: u32,
    /// Calls of one OAuth app in one burst window, searches left out.
    pub oauth_burst: u32,
    /// The same of particular apps, by id, where it is another than of most.
    pub burst_of_apps: BTreeMap<u64, u32>,
    /// Length of the rolling burst window in milliseconds.
    pub burst_window_ms: u64,
    /// Calls of the associations API per app in one burst window.
    pub associations_burst: u32,
    /// Whether calls of the associations API count in the ordinary burst window besides. HubSpot does not say.
    pub associations_in_burst: bool,
    /// Searches per account and second.
    pub search_per_second: u32,
    /// Calls per account and day; the day ends at midnight in the account's time zone.
    pub daily: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            burst: 100,
            oauth_burst: 110,
            burst_of_apps: BTreeMap::new(),
            burst_window_ms: 10_000,
            associations_burst: 100,
            associations_in_burst: false,
            search_per_second: 5,
            daily: 250_000,
        }
    }
}

impl Limits {
    /// What one app may do in one burst window.
    fn burst_of(&self, app_id: u64, is_oauth: bool) -> u32 {
        let of_most = if is_oauth { self.oauth_burst } else { self.burst };
        self.burst_of_apps.get(&app_id).copied().unwrap_or(of_most)
    }

    /// So wide that nothing is ever refused.
    pub fn unlimited() -> Self {
        Self {
            burst: u32::MAX,
            oauth_burst: u32::MAX,
            associations_burst: u32::MAX,
            search_per_second: u32::MAX,
            daily: u64::from(u32::MAX),
            ..Self::default()
        }
    }
}

/// The limit that a call ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Policy {
    /// The burst window of the app.
    TenSecondlyRolling,
    /// The day of the account.
    Daily,
    /// The searches of the account.
    Secondly,
}

/// What is left after a call, for the headers of the answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Headroom {
    /// The day's limit and what is left of it; an OAuth app has none.
    pub(crate) daily: Option<(u64, u64)>,
    pub(crate) window_ms: u64,
    pub(crate) burst: u32,
    pub(crate) burst_remaining: u32,
}

/// Counts the calls of one account.
#[derive(Debug)]
pub(crate) struct Meter {
    /// What is allowed.
    pub(crate) limits: Limits,
    /// Arrivals inside the burst window, oldest first, by app.
    apps: HashMap<u64, VecDeque<i64>>,
    /// The same of calls of the associations API.
    associations: HashMap<u64, VecDeque<i64>>,
    /// Arrivals of searches inside the last second.
    searches: VecDeque<i64>,
    /// The local day that `used` counts.
    day: i64,
    used: u64,
}

/// A call at the gate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The app that calls.
    pub(crate) app_id: u64,
    /// Whether it is a CRM search.
    pub(crate) is_search: bool,
    /// Whether it is one of the associations API.
    pub(crate) is_association: bool,
    /// Whether the app is an OAuth app.
    pub(crate) is_oauth: bool,
    /// When, in microseconds since 1970.
    pub(crate) at: i64,
    /// The account's distance from UTC in milliseconds.
    pub(crate) utc_offset_ms: i64,
}

impl Meter {
    /// Nothing used yet.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            apps: HashMap::new(),
            associations: HashMap::new(),
            searches: VecDeque::new(),
            day: 0,
            used: 0,
        }
    }

    /// Counts a call, or says which limit refuses it. A refused call uses nothing up.
    pub(crate) fn admit(&mut self, call: Arrival) -> (Headroom, Result<(), Policy>) {
        self.turn_day(call.at, call.utc_offset_ms);
        let since = call.at.saturating_sub(micros(self.limits.burst_window_ms));
        let burst = self.apps.entry(call.app_id).or_default();
        let associations = self.associations.entry(call.app_id).or_default();
        forget_before(burst, since);
        forget_before(associations, since);
        forget_before(&mut self.searches, call.at.saturating_sub(SECOND));
        let most = self.limits.burst_of(call.app_id, call.is_oauth);
        let apart = call.is_association && !self.limits.associations_in_burst;
        let counts_in_burst = !(apart || call.is_oauth && call.is_search);
        let refused = if !call.is_oauth && self.used >= self.limits.daily {
            Some(Policy::Daily)
        } else if call.is_association && associations.len() >= count(self.limits.associations_burst)
            || counts_in_burst && burst.len() >= count(most)
        {
            Some(Policy::TenSecondlyRolling)
        } else if call.is_search && self.searches.len() >= count(self.limits.search_per_second) {
            Some(Policy::Secondly)
        } else {
            None
        };
        if refused.is_none() {
            if counts_in_burst {
                burst.push_back(call.at);
            }
            if call.is_association {
                associations.push_back(call.at);
            }
            if !call.is_oauth {
                self.used += 1;
            }
            if call.is_search {
                self.searches.push_back(call.at);
            }
        }
        // A call of the associations API tells what is left of that window.
        let (window, most) = match call.is_association {
            true => (associations.len(), self.limits.associations_burst),
            false => (burst.len(), most),
        };
        let in_window = u32::try_from(window).unwrap_or(u32::MAX);
        (
            self.headroom(in_window, most, call.is_oauth),
            refused.map_or(Ok(()), Err),
        )
    }

    /// Counts calls that somebody else makes with an app's token, at a time and at a distance from UTC in milliseconds.
    pub(crate) fn use_elsewhere(
        &mut self,
        app_id: u64,
        is_oauth: bool,
        calls: u32,
        (at, offset): (i64, i64),
    ) {
        if !is_oauth {
            self.consume_daily(u64::from(calls), at, offset);
        }
        let burst = self.apps.entry(app_id).or_default();
        burst.extend((0..calls).map(|_| at));
    }

    /// Uses up `calls` of today as another app of the account would.
    pub(crate) fn consume_daily(&mut self, calls: u64, at: i64, utc_offset_ms: i64) {
        self.turn_day(at, utc_offset_ms);
        self.used = self.used.saturating_add(calls);
    }

    /// What was used today, and when the day ends in microseconds since 1970.
    pub(crate) fn today(&mut self, at: i64, utc_offset_ms: i64) -> (u64, i64) {
        self.turn_day(at, utc_offset_ms);
        (self.used, (self.day + 1) * DAY - utc_offset_ms * 1_000)
    }

    fn turn_day(&mut self, at: i64, utc_offset_ms: i64) {
        let day = (at + utc_offset_ms * 1_000).div_euclid(DAY);
        if day != self.day {
            self.day = day;
            self.used = 0;
        }
    }

    fn headroom(&self, in_window: u32, most: u32, is_oauth: bool) -> Headroom {
        Headroom {
            daily: (!is_oauth).then(|| (self.limits.daily, self.limits.daily.saturating_sub(self.used))),
            window_ms: self.limits.burst_window_ms,
            burst: most,
            burst_remaining: most.saturating_sub(in_window),
        }
    }
}

fn forget_before(arrivals: &mut VecDeque<i64>, edge: i64) {
    while arrivals.front().is_some_and(|at| *at <= edge) {
        arrivals.pop_front();
    }
}

fn micros(millis: u64) -> i64 {
    i64::try_from(millis)
        .unwrap_or(i64::MAX / 1_000)
        .saturating_mul(1_000)
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
