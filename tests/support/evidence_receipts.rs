//! Receipts of writes, kept beside a bundle of the same log; and everything that can be done to one, or to the log behind it. No
//! checkpoint is held: what is found is found by the receipt alone.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep::bundle::CHECKPOINT;
use hubkeep_audit_log::{Position, ProvenPortal};
use hubkeep_core::id::PortalId;
use tempfile::TempDir;
use tlog_tiles::record_hash;

use super::{
    evidence::{Evidence, leaves},
    evidence_pruned::FIRST,
    hubkeep::{Hubkeep, Service},
    receipts::Promise,
};
use crate::World;

const A: &str = "client-0001";
const B: &str = "client-0002";
/// Entries of the log in the bundle: the question whose account the token is, and three writes, each with its outcome.
pub const ENTRIES: u64 = 8;

/// Receipts, and a bundle of the log that they are of.
pub struct Receipts {
    /// The bundle, and the keys.
    pub evidence: Evidence,
    /// Of the writes to the portal, in their order.
    pub of_log: Vec<String>,
    /// Of a write to another portal.
    pub of_another: String,
    folder: TempDir,
}

/// Something that is done to receipts or to the bundle beside them.
pub struct ReceiptSpoiling {
    /// What is done.
    pub what: &'static str,
    /// What every verifier says of it; empty where each has its own words.
    pub says: &'static str,
    /// Does it to the bundle, and gives what the file of receipts holds.
    spoil: fn(&Receipts, &Path) -> String,
}

const fn spoiling(
    what: &'static str,
    says: &'static str,
    spoil: fn(&Receipts, &Path) -> String,
) -> ReceiptSpoiling {
    ReceiptSpoiling { what, says, spoil }
}

const ANOTHER: &str = "another entry than the one that it promises stands at index";

/// All that is done.
pub const RECEIPT_SPOILINGS: [ReceiptSpoiling; 14] = [
    spoiling("a byte of it is changed", "", |receipts, _| {
        receipts.of_log[1].replacen("\nindex 5\n", "\nindex 7\n", 1)
    }),
    spoiling("a byte of its signature is changed", "", |receipts, _| {
        let note = receipts.of_log[1].trim_end();
        // Not of the key's id, which comes first.
        let (head, tail) = note.split_at(note.len() - 20);
        let other = if tail.starts_with('A') { 'B' } else { 'A' };
        format!("{head}{other}{}\n", &tail[1..])
    }),
    spoiling("its signature is cut off", "", |receipts, _| {
        let (text, _) = receipts.of_log[1].split_once("\n\n").expect("a note");
        format!("{text}\n")
    }),
    spoiling("it is signed by somebody else", "", |receipts, _| {
        receipts.promising(&[9; 32], |_| {})
    }),
    spoiling(
        "it is of another portal's log",
        "of which the bundle has nothing",
        |receipts, _| receipts.of_another.clone(),
    ),
    spoiling(
        "a checkpoint is in its place",
        "does not begin with",
        |_, bundle| fs::read_to_string(bundle.join(CHECKPOINT)).expect("read"),
    ),
    spoiling(
        "one of several is of another log",
        "receipt 3 in",
        |receipts, _| {
            [&receipts.of_log[0], &receipts.of_log[1], &receipts.of_another]
                .map(String::as_str)
                .concat()
        },
    ),
    spoiling("it is in the place of the checkpoint", "", |receipts, bundle| {
        fs::write(bundle.join(CHECKPOINT), &receipts.of_log[1]).expect("written");
        receipts.of_log[1].clone()
    }),
    spoiling(
        "something else is signed by the log key",
        "is no receipt",
        |receipts, _| {
            let text = b"hubkeep receipt/1\nlog test\nindex 1\n";
            receipts.evidence.signed_text(&receipts.evidence.seed(), text)
        },
    ),
    spoiling(
        "with the log key, it names another index",
        ANOTHER,
        |receipts, _| receipts.signed(|promise| promise.index -= 2),
    ),
    spoiling(
        "with the log key, it is of another entry",
        ANOTHER,
        |receipts, _| receipts.signed(|promise| promise.leaf = [7; 32]),
    ),
    spoiling(
        "with the log key, it is of an entry that is not there",
        "promises an entry with index 8",
        |receipts, _| receipts.signed(|promise| promise.index = ENTRIES),
    ),
    spoiling(
        "with the log key, its entry is changed afterwards",
        ANOTHER,
        |receipts, bundle| {
            leaves(bundle, |leaves| {
                assert_eq!(record_hash(&leaves[5]).0, receipts.promise().leaf);
                leaves[5][7] ^= 1;
            });
            receipts.evidence.sign_anew(bundle);
            receipts.of_log[1].clone()
        },
    ),
    spoiling(
        "with the log key, the log is cut off before its entry",
        "promises an entry with index 5",
        |receipts, bundle| {
            leaves(bundle, |leaves| leaves.truncate(5));
            receipts.evidence.sign_anew(bundle);
            receipts.of_log[1].clone()
        },
    ),
];

impl Receipts {
    /// Writes to two portals, keeps what comes back, and exports the first one's log.
    pub async fn gather() -> Self {
        let setup = Hubkeep::over(World::of_portals(2)).crm(|config| {
            config.audit.proofs.every = Duration::ZERO;
            config.audit.proofs.heads_every = Duration::ZERO;
            config.audit.proofs.pause = Duration::from_millis(10);
        });
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        let (mut of_log, mut of_another) = (Vec::new(), Vec::new());
        for (slug, writes, receipts) in [(A, 3, &mut of_log), (B, 1, &mut of_another)] {
            let handle = hubkeep.handle(slug).issue().await;
            let crm = hubkeep.crm_as("sync").with(&handle);
            for _ in 0..writes {
                let written = crm.update("contacts", "101", &[("firstname", "Ann")]).await;
                receipts.extend(written.expect("written").reply.expect("about it").receipts);
            }
        }
        let evidence = Evidence::of(hubkeep);
        evidence.covered(A, ENTRIES).await;
        // Keys are those of the first bundle, and what is spoilt is the second.
        evidence.export(A, "first", &[]).await;
        evidence.export(A, "second", &[]).await;
        Self {
            evidence,
            of_log,
            of_another: of_another.pop().expect("one"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A log of which old entries went, and a receipt for one that is gone and for one that is there.
    pub async fn gather_pruned() -> Self {
        let evidence = Evidence::gather_pruned().await;
        let id = PortalId::new(evidence.hubkeep.portal_id(A)).expect("an id");
        let portal = ProvenPortal::by_redeemed_handle(id, A.parse().expect("a slug"));
        let log = evidence.hubkeep.audit_log(Service::Crm);
        let events = evidence.hubkeep.audit_events(Service::Crm).await;
        let of_portal = events.iter().filter(|event| event.log == evidence.log_of(A));
        let there = of_portal
            .map(|event| Position(event.position))
            .next()
            .expect("one");
        let there = log
            .receipt_at(&portal, there)
            .await
            .expect("read")
            .expect("signed");
        let there = String::from(there);
        let promise = Promise::of(&there);
        assert!(promise.index >= FIRST, "{promise:?}");
        let gone = Promise { index: 3, ..promise };
        let gone = evidence.signed_text(&evidence.seed(), gone.text().as_bytes());
        Self {
            evidence,
            of_log: vec![there],
            of_another: gone,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A file with these receipts.
    pub fn file(&self, receipts: &str) -> PathBuf {
        let file = self.folder.path().join("receipts");
        fs::write(&file, receipts).expect("written");
        file
    }

    /// A copy of the bundle, and a file of receipts, of which one is spoilt.
    pub fn spoilt(&self, spoiling: &ReceiptSpoiling) -> (TempDir, PathBuf) {
        let copy = self.evidence.copy();
        let receipts = (spoiling.spoil)(self, copy.path());
        (copy, self.file(&receipts))
    }

    /// What the second receipt promises.
    fn promise(&self) -> Promise {
        Promise::of(&self.of_log[1])
    }

    /// A promise that is another than the second receipt's, signed with the log key.
    fn signed(&self, change: fn(&mut Promise)) -> String {
        self.promising(&self.evidence.seed(), change)
    }

    fn promising(&self, seed: &[u8; 32], change: fn(&mut Promise)) -> String {
        let mut promise = self.promise();
        change(&mut promise);
        let note = self.evidence.signed_text(seed, promise.text().as_bytes());
        assert_ne!(note, self.of_log[1], "it is another");
        note
    }
}

impl Promise {
    /// As a receipt says it.
    fn text(&self) -> String {
        let Self {
            log,
            index,
            leaf,
            time,
        } = self;
        let leaf = STANDARD.encode(leaf);
        format!("hubkeep receipt/1\nlog {log}\nindex {index}\nleaf {leaf}\ntime {time}\n")
    }
}
