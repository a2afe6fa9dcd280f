//! What a portal may still do, as it is told to those who ask.

use std::time::Duration;

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::clock::Timestamp;

use super::{App, Unaccounted};

/// From where a limit is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// HubSpot has said nothing of it yet, or not since the day began.
    Assumed,
    /// An answer's headers said so.
    Header,
    /// The usage endpoint said so.
    Usage,
    /// A call was refused.
    Refused,
}

/// One limit. Numbers are of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketState {
    /// What HubSpot allows in an interval, or in a day.
    pub limit: Option<u64>,
    /// This replica's part of it.
    pub share: Option<u64>,
    /// What counts now.
    pub used: Option<u64>,
    /// What this replica may do now.
    pub left: Option<u64>,
    /// The rolling interval; `None` for a day.
    pub interval: Option<Duration>,
    /// When the day ends.
    pub reset: Option<Timestamp>,
    /// From where it is known.
    pub known: Known,
    /// When HubSpot last spoke of it.
    pub as_of: Option<Timestamp>,
    /// Until when nothing is sent.
    pub paused_until: Option<Timestamp>,
    /// Calls that wait for room.
    pub waiting: usize,
    /// When what is left will be used up, at the rate of late; of a day, and `None` where that is not known or not before
    /// its end.
    pub exhausted: Option<Timestamp>,
    /// At least so many of those that count were made by nobody of this deployment; of a day, and `None` where it is not
    /// known yet.
    pub others: Option<u64>,
}

impl BucketState {
    /// The same without what changes by itself while nothing happens.
    const fn steady(self) -> Self {
        Self {
            exhausted: None,
            ..self
        }
    }
}

/// All limits of a portal.
#[derive(Clone, Debug)]
pub struct State {
    /// Whose.
    pub portal: ProvenPortal,
    /// Its IANA time zone; empty where it is not known.
    pub time_zone: String,
    /// When it was looked at.
    pub observed: Timestamp,
    /// Calls in a rolling interval, of all apps that were called with together.
    pub burst: BucketState,
    /// The same of each of them.
    pub bursts: Vec<(App, BucketState)>,
    /// Searches in a second.
    pub search: BucketState,
    /// Calls of the associations API in a rolling interval.
    pub associations: BucketState,
    /// Calls in a day.
    pub daily: BucketState,
    /// What somebody else has called with the portal's token, as far as it was seen; `None` if nothing.
    pub unaccounted: Option<Unaccounted>,
    /// Until when calls are refused because HubSpot has not answered for this portal; `None` where they go on.
    pub broken_until: Option<Timestamp>,
    /// Until when calls are refused because HubSpot moves this portal between data centres; `None` where they go on.
    pub moving_until: Option<Timestamp>,
}

impl State {
    /// Whether the two say the same, whenever they were looked at.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let buckets = |state: &Self| {
            [state.burst, state.search, state.associations, state.daily].map(BucketState::steady)
        };
        let rest = |state: &Self| (state.unaccounted, state.broken_until, state.moving_until);
        self.time_zone == other.time_zone
            && self.bursts == other.bursts
            && buckets(self) == buckets(other)
            && rest(self) == rest(other)
    }
}

/// The bursts of several apps together; `None` of none.
pub(super) fn total(bursts: &[(App, BucketState)]) -> Option<BucketState> {
    let bursts = bursts.iter().map(|(_, burst)| *burst);
    bursts.reduce(|one, other| {
        let sum = |of: fn(&BucketState) -> Option<u64>| {
            of(&one)
                .zip(of(&other))
                .map(|(one, other)| one.saturating_add(other))
        };
        // Of what is known of each, that which was said last.
        let latest = if other.as_of > one.as_of { other } else { one };
        BucketState {
            limit: sum(|burst| burst.limit),
            share: sum(|burst| burst.share),
            used: sum(|burst| burst.used),
            left: sum(|burst| burst.left),
            interval: one.interval.max(other.interval),
            // Nothing is sent only where no app may.
            paused_until: one
                .paused_until
                .zip(other.paused_until)
                .map(|(one, other)| one.min(other)),
            waiting: one.waiting.saturating_add(other.waiting),
            ..latest
        }
    })
}
