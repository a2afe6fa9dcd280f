//! The limits by name.

/// Which of a portal's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Every call: in a rolling interval.
    Burst,
    /// Searches, which also count as calls.
    Search,
    /// Every call: in a day.
    Daily,
}

impl Bucket {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Search => "search",
            Self::Daily => "daily",
        }
    }

    /// The limit that HubSpot's `policyName` names. One that is not known stops everything, as the burst does.
    pub fn of_policy(policy: &str) -> Self {
        match policy {
            "DAILY" => Self::Daily,
            "SECONDLY" => Self::Search,
            _ => Self::Burst,
        }
    }
}
