//! The apps whose tokens a portal's calls are made with: HubSpot counts ten seconds' calls for each of them.

use std::time::Duration;

use hubkeep_core::{clock::Tick, id::CredentialName};

use super::{outside::Watch, paced::Paced, peers::Peers};

/// Calls in an interval, until HubSpot's headers say otherwise: the lowest limit of any subscription.
const BURST: usize = 100;
/// Left free for credential-service, which verifies tokens on the same limit: two verifications, of two calls each. Some of
/// them are lent while it does not call.
const KEPT_FREE: usize = 4;

/// One app of a portal: by the name of the first onboarded of its credentials, and without a name where that is the portal's
/// first credential. So what is counted for the one app of most portals stays the same whatever becomes known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct App(Option<CredentialName>);

impl App {
    /// That of the credential of this name; of none, that of the portal's first.
    pub fn of(name: Option<&CredentialName>) -> Self {
        Self(name.cloned())
    }

    /// The same as a text: empty for that of the portal's first credential.
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or("", CredentialName::as_str)
    }

    /// The app of this name; `None` if there can be none.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::default()),
            name => name.parse().ok().map(|name| Self(Some(name))),
        }
    }
}

/// What one app may still do, and what others do with its token.
#[derive(Debug)]
pub(super) struct OfApp {
    pub(super) burst: Paced,
    pub(super) watch: Watch,
    pub(super) peers: Peers,
}

impl OfApp {
    /// Of whose use before nothing is known yet.
    pub(super) fn new(interval: Duration, (shared, lends): (bool, bool), now: Tick) -> Self {
        let mut burst = Paced::new(BURST, KEPT_FREE, interval, shared).blind_from(now);
        burst.lend(lends);
        Self {
            burst,
            watch: Watch::new(now),
            peers: Peers::default(),
        }
    }
}
