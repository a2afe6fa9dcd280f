//! What is measured: each part starts what it needs, loads it, and gives figures.

mod added;
mod burst;
mod calls;
mod disk;
mod entries;
mod handles;
mod import;
mod paths;
mod redeem;

use std::path::PathBuf;

use futures::future::BoxFuture;
use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use tempfile::TempDir;

use crate::{
    Failure,
    figures::{
        ANSWERS_429, AUDITED, AUDITED_ADDED, AUDITED_OVER_DIRECT, AUDITED_OVER_FORWARDER, BURST_USED,
        BURST_USED_190, DIRECT, ENTRIES_SQLITE, FDATASYNC, FORWARDER, HANDLES_ISSUED, IMPORT, REDEEM_CACHED,
        REDEEM_ONLINE,
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
    pub(crate) figures: &'static [&'static str],
    pub(crate) run: for<'a> fn(&'a Place) -> BoxFuture<'a, Measured>,
}

impl Part {
    /// Whether it is one of those asked for by this word; none at all means every part.
    pub(crate) fn is_meant_by(&self, word: &str) -> bool {
        self.name.contains(word) || self.figures.iter().any(|name| name.contains(word))
    }
}

/// Every part, in the order in which they run.
pub(crate) const PARTS: [Part; 8] = [
    Part {
        name: "disk",
        about: "4 KiB appended and synchronised, one after the other",
        figures: &[FDATASYNC],
        run: |place| Box::pin(disk::measure(place)),
    },
    Part {
        name: "calls",
        about: "64 in flight: straight to HubSpot, through a bare forwarder, through crm-service, in turn",
        figures: &[
            DIRECT,
            FORWARDER,
            AUDITED,
            AUDITED_OVER_FORWARDER,
            AUDITED_OVER_DIRECT,
        ],
        run: |place| Box::pin(calls::measure(place)),
    },
    Part {
        name: "added",
        about: "1 in flight: straight to HubSpot and through crm-service, in turn",
        figures: &[AUDITED_ADDED],
        run: |place| Box::pin(added::measure(place)),
    },
    Part {
        name: "handles",
        about: "64 callers, each issuing handle after handle",
        figures: &[HANDLES_ISSUED],
        run: |place| Box::pin(handles::measure(place)),
    },
    Part {
        name: "redeem",
        about: "handles redeemed one after the other, from memory and over the wire",
        figures: &[REDEEM_CACHED, REDEEM_ONLINE],
        run: |place| Box::pin(redeem::measure(place)),
    },
    Part {
        name: "entries",
        about: "64 producers, each recording intents and outcomes and waiting for both to be durable",
        figures: &[ENTRIES_SQLITE],
        run: |place| Box::pin(entries::measure(place)),
    },
    Part {
        name: "import",
        about: "1,000 portals in one import, HubSpot answering in 50 ms",
        figures: &[IMPORT],
        run: |place| Box::pin(import::measure(place)),
    },
    Part {
        name: "burst",
        about: "30 s of more calls than HubSpot's limits allow, to a portal of 100 in 10 s and one of 190",
        figures: &[BURST_USED, BURST_USED_190, ANSWERS_429],
        run: |place| Box::pin(burst::measure(place)),
    },
];

/// The names of all parts, for people.
pub(crate) fn names() -> String {
    PARTS.map(|part| part.name).join(", ")
}
