//! What kind of app a token is of: HubSpot counts their calls in other ways.

/// Of whom a call's token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An app of the account: a private app, or a service key.
    Private,
    /// An OAuth app, which many accounts have installed.
    OAuth,
}

impl Kind {
    /// Whether its calls count in the account's day, which all its private apps share.
    pub const fn counts_by_day(self) -> bool {
        matches!(self, Self::Private)
    }

    /// Whether its searches count among ten seconds' calls besides.
    pub const fn searches_in_burst(self) -> bool {
        matches!(self, Self::Private)
    }
}
