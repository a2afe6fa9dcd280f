//! The limits by name.

/// Which of a portal's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// Every call of an app but those about associations: in a rolling interval.
    Burst,
    /// Searches, which also count as calls.
    Search,
    /// Calls of the associations API, which have an interval and a day of their own.
    Associations,
    /// Every call: in a day.
    Daily,
}

impl Bucket {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Search => "search",
            Self::Associations => "associations",
            Self::Daily => "daily",
        }
    }

    /// The limit that HubSpot's `policyName` names in the refusal of a call that paid here. One that is not known stops
    /// what the call is of.
    pub fn of_policy(self, policy: &str) -> Self {
        match (policy, self) {
            ("DAILY", _) => Self::Daily,
            ("SECONDLY", _) => Self::Search,
            (_, Self::Associations) => Self::Associations,
            _ => Self::Burst,
        }
    }
}
