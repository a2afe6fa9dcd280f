//! What an answer to a call of this service's own shows of the limit that it shares with crm-service.

use std::time::Duration;

use super::budget::{CALLS, WINDOW};

/// What was lent was paid before it was told that calls come; it has arrived so much later at the latest, and counts from then.
const ARRIVES_WITHIN: Duration = hubkeep_hubspot::LONGEST_CONNECT;
/// The lowest limit of any subscription, where HubSpot's answer does not say it.
const LIMIT: usize = 100;

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// There is much room.
    Roomy,
    /// More than half: lent places may be on their way, and are not seen yet.
    Busy,
    /// So much that places which were lent count.
    Lent,
}

impl Reading {
    /// So many calls are left of `max`, and so many of those that are used are our own.
    pub(super) fn of(left: usize, own: usize, max: Option<usize>) -> Self {
        if left.saturating_add(own) < CALLS {
            Self::Lent
        } else if left < max.unwrap_or(LIMIT) / 2 {
            Self::Busy
        } else {
            Self::Roomy
        }
    }

    /// After it was told that calls come, further calls wait for so long.
    pub(super) const fn wait(self) -> Duration {
        match self {
            Self::Roomy => Duration::ZERO,
            Self::Busy => ARRIVES_WITHIN,
            Self::Lent => WINDOW.saturating_add(ARRIVES_WITHIN),
        }
    }
}
