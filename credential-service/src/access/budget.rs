//! How much a handle, or any handle under a grant, may do in its whole life.

use serde::{Deserialize, Serialize};

/// The most that can be named of calls or records.
pub const MOST: u64 = 1_000_000_000;

/// How much may be done: `None` for any amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Calls.
    pub max_calls: Option<u64>,
    /// Records read or written.
    pub max_records: Option<u64>,
}

impl Budget {
    /// Whether it limits anything.
    pub const fn is_limited(self) -> bool {
        self.max_calls.is_some() || self.max_records.is_some()
    }

    /// Whether it allows nothing that `limit` does not.
    pub fn is_within(self, limit: Self) -> bool {
        let fits = |amount: Option<u64>, limit: Option<u64>| match (amount, limit) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(amount), Some(limit)) => amount <= limit,
        };
        fits(self.max_calls, limit.max_calls) && fits(self.max_records, limit.max_records)
    }

    /// The same, with the amounts of `limit` where none is named here.
    #[must_use]
    pub const fn or(self, limit: Self) -> Self {
        const fn either(amount: Option<u64>, other: Option<u64>) -> Option<u64> {
            if amount.is_some() { amount } else { other }
        }
        Self {
            max_calls: either(self.max_calls, limit.max_calls),
            max_records: either(self.max_records, limit.max_records),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn calls(max: u64) -> Budget {
        Budget {
            max_calls: Some(max),
            max_records: None,
        }
    }

    #[test]
    fn what_is_not_limited_is_within_no_limit() {
        assert!(calls(1).is_within(Budget::default()));
        assert!(calls(1).is_within(calls(1)));
        assert!(!calls(2).is_within(calls(1)));
        assert!(!Budget::default().is_within(calls(1)));
        assert_eq!(Budget::default().or(calls(7)), calls(7));
        assert_eq!(calls(3).or(calls(7)), calls(3));
    }
}
