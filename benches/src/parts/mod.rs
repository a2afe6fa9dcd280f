//! What is measured: each part starts what it needs, loads it, and gives figures.

mod burst;
mod caller;
mod calls;
mod coalescing;
mod disk;
mod entries;
mod fair;
mod filled;
mod handles;
mod import;
mod keys;
mod paths;
mod proofs;
pub(crate) mod query;
mod redeem;
mod report;
mod revoke;
mod rotate;
mod rss;
mod sick;
mod watchers;

use std::path::PathBuf;

use futures::future::BoxFuture;
use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use tempfile::TempDir;

use crate::{
    Failure,
    figures::{
        ANSWERS_429, BURST_USED, BURST_USED_3_REPLICAS, BURST_USED_4, BURST_USED_16, BURST_USED_190,
        COALESCED_P50, COALESCING_50, CONTAIN_P99, ENTRIES_POSTGRES, ENTRIES_SQLITE, FDATASYNC,
        FEED_CUT_LATE, FEED_CUT_STOP, HANDLES_ISSUED, INDEXED, INTERACTIVE, ON_POSTGRES, ON_SQLITE,
        PROOFS_COST, PROOFS_COST_POSTGRES, QUERY_10M, QUERY_FEWER, REDEEM_CACHED, REDEEM_ONLINE, REDEEMED,
        REPORT_1M, REVOKE_P50, REVOKE_P99, RSS_CREDENTIAL, RSS_CRM, SICK_PORTAL, SICK_PORTAL_P99, STARVATION,
        STARVATION_3_REPLICAS, UNCOALESCED_P50, VERIFY_1M, WATCHERS_BEHIND, WATCHERS_COST, WATCHERS_LAG,
        WELL_PORTALS_P99,
    },
};

/// Where a part is measured.
pub(crate) struct Place {
    pub(crate) clock: SharedClock,
    pub(crate) random: SharedRandom,
    /// On the disk that is measured.
    pub(crate) folder: PathBuf,
    /// How many entries the largest log has.
    pub(crate) entries: u64,
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
pub(crate) const PARTS: [Part; 18] = [
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
        name: "proofs",
        about: "64 producers on each database with and without proofs, in turn; and a bundle of 1,000,000 entries, verified",
        figures: || vec![PROOFS_COST, PROOFS_COST_POSTGRES, VERIFY_1M],
        run: |place| Box::pin(proofs::measure(place)),
    },
    Part {
        name: "query",
        about: "a log of 10,000,000 entries of 1,000 portals on SQLite, indexed, and 3,000 questions of eight kinds to it, each \
                for 100 entries",
        figures: || vec![QUERY_10M, QUERY_FEWER, INDEXED],
        run: |place| Box::pin(query::measure(place)),
    },
    Part {
        name: "report",
        about: "a usage statement of one portal over 1,000,000 entries on SQLite",
        figures: || vec![REPORT_1M],
        run: |place| Box::pin(report::measure(place)),
    },
    Part {
        name: "watchers",
        about: "64 producers on SQLite, with and without 1,000 streams of one portal's entries each, in turn",
        figures: || vec![WATCHERS_COST, WATCHERS_LAG, WATCHERS_BEHIND],
        run: |place| Box::pin(watchers::measure(place)),
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
        about: "60 s of more calls than HubSpot's limits allow, HubSpot answering in 50 ms: to a portal of 100 in 10 s by 1, 4 and \
                16 callers, to one of 190, and to one of 100 through 3 replicas on PostgreSQL",
        figures: || {
            vec![
                BURST_USED,
                BURST_USED_4,
                BURST_USED_16,
                BURST_USED_3_REPLICAS,
                BURST_USED_190,
                ANSWERS_429,
            ]
        },
        run: |place| Box::pin(burst::measure(place)),
    },
    Part {
        name: "fair",
        about: "30 s of calls to one portal by a caller with 400 at once beside one with 60, and to another by batches beside calls \
                that somebody waits for; and 70 s on PostgreSQL by a caller of 3 replicas beside one of a single one",
        figures: || vec![STARVATION, STARVATION_3_REPLICAS, INTERACTIVE],
        run: |place| Box::pin(fair::measure(place)),
    },
    Part {
        name: "coalescing",
        about: "50 readers of one portal, HubSpot answering in 50 ms: each call by itself, and those that come together as one",
        figures: || vec![COALESCING_50, COALESCED_P50, UNCOALESCED_P50],
        run: |place| Box::pin(coalescing::measure(place)),
    },
    Part {
        name: "sick",
        about: "99 portals called 5 times a second each, HubSpot answering in 50 ms, without and with another portal that never \
                answers 64 callers, in turn",
        figures: || vec![WELL_PORTALS_P99, SICK_PORTAL_P99, SICK_PORTAL],
        run: |place| Box::pin(sick::measure(place)),
    },
];

/// The names of all parts, for people.
pub(crate) fn names() -> String {
    PARTS.map(|part| part.name).join(", ")
}
