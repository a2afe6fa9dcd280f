//! What is measured: each part starts what it needs, loads it, and gives figures.

mod burst;
mod calls;
mod disk;
mod entries;
mod handles;
mod import;
mod keys;
mod paths;
mod redeem;
mod revoke;
mod rotate;
mod rss;

use std::path::PathBuf;

use futures::future::BoxFuture;
use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use tempfile::TempDir;

use crate::{
    Failure,
    figures::{
        ANSWERS_429, BURST_USED, BURST_USED_190, CONTAIN_P99, ENTRIES_POSTGRES, ENTRIES_SQLITE, FDATASYNC,
        FEED_CUT_LATE, FEED_CUT_STOP, HANDLES_ISSUED, ON_POSTGRES, ON_SQLITE, REDEEM_CACHED, REDEEM_ONLINE,
        REDEEMED, REVOKE_P50, REVOKE_P99, RSS_CREDENTIAL, RSS_CRM,
    },
};

/// Where a part is measured.
pub(crate) struct Place {
    pub(crate) clock: SharedClock,
    pub(crate) random: SharedRandom,
    /// On the disk that is measured.
    pub(crate) folder: PathBuf,
}

impl Place {
    /// A folder that is removed with everything in it.
    pub(crate) fn temporary(&self) -> std::io::Result<TempDir> {
        tempfile::Builder::new().prefix("run-").tempdir_in(&self.folder)
    }
}

/// What a part measured, by the figures' names.
type Measured = Result<Vec<(&'static str, f64)>, Failure>;

/// Some figures that are measured together.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) figures: fn() -> Vec<&'static str>,
    pub(crate) run: for<'a> fn(&'a Place) -> BoxFuture<'a, Measured>,
}

impl Part {
    /// Whether it is one of those asked for by this word; none at all means every part.
    pub(crate) fn is_meant_by(&self, word: &str) -> bool {
        self.name.contains(word) || (self.figures)().iter().any(|name| name.contains(word))
    }
}

/// Every part, in the order in which they run.
pub(crate) const PARTS: [Part; 11] = [
    Part {
        name: "disk",
        about: "4 KiB appended and synchronised, one after the other",
        figures: || vec![FDATASYNC],
        run: |place| Box::pin(disk::measure(place)),
    },
    Part {
        name: "calls",
        about: "1, 16 and 64 in flight: straight to HubSpot, through a bare forwarder, through crm-service on SQLite and \
                on PostgreSQL, in turn",
        figures: calls::figures,
        run: |place| Box::pin(calls::measure(place)),
    },
    Part {
        name: "handles",
        about: "64 callers, each issuing handle after handle",
        figures: || vec![HANDLES_ISSUED],
        run: |place| Box::pin(handles::measure(place)),
    },
    Part {
        name: "redeem",
        about: "handles redeemed one after the other, from memory and over the wire, and by 64 callers at once",
        figures: || vec![REDEEM_CACHED, REDEEM_ONLINE, REDEEMED],
        run: |place| Box::pin(redeem::measure(place)),
    },
    Part {
        name: "revoke",
        about: "handles revoked and portals contained under 200 calls/s on 100 portals through 3 replicas of crm-service, \
                HubSpot answering in 50 ms; and one replica that the feed does not reach",
        figures: || vec![REVOKE_P50, REVOKE_P99, CONTAIN_P99, FEED_CUT_STOP, FEED_CUT_LATE],
        run: |place| Box::pin(revoke::measure(place)),
    },
    Part {
        name: "entries",
        about: "64 producers on each database, each recording intents and outcomes and waiting for both to be durable",
        figures: || vec![ENTRIES_SQLITE, ENTRIES_POSTGRES],
        run: |place| Box::pin(entries::measure(place)),
    },
    Part {
        name: "rss",
        about: "the services as programs of their own, with 1,000 portals, after 8 s of calls to all of them",
        figures: || vec![RSS_CREDENTIAL, RSS_CRM],
        run: |place| Box::pin(rss::measure(place)),
    },
    Part {
        name: "import",
        about: "1,000 portals in one import, HubSpot answering in 50 ms, on each database",
        figures: || vec![ON_SQLITE.import_s, ON_POSTGRES.import_s],
        run: |place| Box::pin(import::measure(place)),
    },
    Part {
        name: "rotate",
        about: "1,000 tokens replaced in one import, HubSpot answering in 50 ms, under 50 calls/s, on each database",
        figures: rotate::figures,
        run: |place| Box::pin(rotate::measure(place)),
    },
    Part {
        name: "keys",
        about: "the keys of 1,000 portals brought to another key-encryption key, under 200 redemptions a second, on each \
                database",
        figures: || vec![ON_SQLITE.kek_rotate_s, ON_POSTGRES.kek_rotate_s],
        run: |place| Box::pin(keys::measure(place)),
    },
    Part {
        name: "burst",
        about: "30 s of more calls than HubSpot's limits allow, to a portal of 100 in 10 s and one of 190",
        figures: || vec![BURST_USED, BURST_USED_190, ANSWERS_429],
        run: |place| Box::pin(burst::measure(place)),
    },
];

/// The names of all parts, for people.
pub(crate) fn names() -> String {
    PARTS.map(|part| part.name).join(", ")
}
