//! What a call has taken of a portal's limits, and what it lacks.

use std::time::Duration;

use hubkeep_core::clock::{Tick, Timestamp};

use super::{bucket::Bucket, kind::Kind, limit::Limit, order::Sent, window::Place};

/// What a call has taken.
#[derive(Debug, Default)]
pub(super) struct Paid {
    pub(super) places: Vec<(Limit, Place)>,
    /// Whether it counts in a day.
    pub(super) daily: bool,
}

impl Paid {
    /// The same, and what another has taken for the same call.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.places.extend(other.places);
        self.daily |= other.daily;
        self
    }

    /// Whether it has taken a place of the associations API.
    pub(super) fn has_associations(&self) -> bool {
        self.places.iter().any(|(limit, _)| *limit == Limit::Associations)
    }

    /// The limit that answers to such a call tell of, if they tell of one.
    pub(super) fn told_of(&self) -> Option<&Limit> {
        let limits = || self.places.iter().map(|(limit, _)| limit);
        let burst = || limits().find(|limit| matches!(limit, Limit::Burst(_)));
        limits()
            .find(|limit| **limit == Limit::Associations)
            .or_else(burst)
    }
}

/// Of whom a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// With whose token it is made.
    pub(super) kind: Kind,
    /// Whether a person is behind it.
    pub(super) is_person: bool,
}

/// No room: in which bucket, and how long there will be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) bucket: Bucket,
    pub(super) wait: Duration,
}

/// When a call was sent, how many places there were then, and what was known of the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentAt {
    pub(super) tick: Tick,
    pub(super) time: Timestamp,
    pub(super) places: usize,
    pub(super) day: Sent,
    /// When this replica had last renewed its lease, by the database's clock.
    pub(super) renewed: Timestamp,
}
