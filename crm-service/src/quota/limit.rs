//! The limits in an interval, of which each has a line and a window of its own.

use super::{app::App, bucket::Bucket};

/// Before the name of an app, in the word for its burst.
const BURST: &str = "burst/";

/// One of a portal's limits in an interval. A day has no line of its own, and its replicas need no leases: HubSpot says with each
/// answer what all have used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    /// The calls of one app, but those about associations.
    Burst(App),
    /// Searches, of all apps together.
    Search,
    /// Calls of the associations API. HubSpot does not say whether it counts those of all apps together: here they are, which is
    /// right in either case.
    Associations,
}

impl Limit {
    /// The limit in an interval that a bucket is for an app; `None` for a day.
    pub(super) fn of(bucket: Bucket, app: &App) -> Option<Self> {
        match bucket {
            Bucket::Burst => Some(Self::Burst(app.clone())),
            Bucket::Search => Some(Self::Search),
            Bucket::Associations => Some(Self::Associations),
            Bucket::Daily => None,
        }
    }

    /// What it is called by those who are told of it.
    pub(super) const fn bucket(&self) -> Bucket {
        match self {
            Self::Burst(_) => Bucket::Burst,
            Self::Search => Bucket::Search,
            Self::Associations => Bucket::Associations,
        }
    }

    /// The word under which replicas tell each other of it.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Burst(app) => format!("{BURST}{}", app.name()),
            Self::Search | Self::Associations => self.bucket().name().to_owned(),
        }
    }

    /// The one of this word.
    pub(super) fn by_word(word: &str) -> Option<Self> {
        if let Some(app) = word.strip_prefix(BURST) {
            return App::named(app).map(Self::Burst);
        }
        [Self::Search, Self::Associations]
            .into_iter()
            .find(|limit| limit.bucket().name() == word)
    }
}
