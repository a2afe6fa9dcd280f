//! Bundles of a log of which old entries are gone, and everything that can be done to one.

use std::{fs, path::Path, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use hubkeep::bundle::{CHECKPOINT, HEAD, PRUNED, Roots};
use hubkeep_audit_log::{AuditLog, Draft, Entry, Operation, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::{MockClock, SystemClock, Timestamp},
    id::{CallId, PortalId},
    random::SystemRandom,
};
use prost::Message as _;
use serde_json::Value;
use tlog_tiles::{Checkpoint, Hash, record_hash};

use super::{
    evidence::{Evidence, Held, Spoiling, checkpoint, leaves, spoiling},
    hubkeep::{Hubkeep, Service},
};
use crate::{World, eventually};

const A: &str = "client-0001";
/// Longer than entries are kept.
const LONG: Duration = Duration::from_secs(26 * 2_630_016);
/// Where the later bundle begins.
pub const FIRST: u64 = 512;
/// Entries that the log has by then, at least: the announcement is one of them. After so long tokens are noted as old, too.
pub const SIZE: u64 = 901;

/// All that is done to bundles of a pruned log.
pub const PRUNED_SPOILINGS: [Spoiling; 11] = [
    spoiling(
        "an entry behind the beginning is left out",
        Held::Log,
        |_, bundle| {
            leaves(bundle, |leaves| drop(leaves.remove(4)));
        },
    ),
    spoiling("a bit is flipped", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| leaves[5][7] ^= 1);
    }),
    spoiling("the last entry is cut off", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| drop(leaves.pop()));
    }),
    spoiling("it is not said where the leaves begin", Held::Log, |_, bundle| {
        fs::remove_file(bundle.join(PRUNED)).expect("there");
    }),
    spoiling("another beginning is said", Held::Log, |_, bundle| {
        pruned(bundle, |pruned| pruned["first_index"] = 256.into());
    }),
    spoiling("the hashes of what is gone are others", Held::Log, |_, bundle| {
        pruned(bundle, |pruned| {
            pruned["hashes"][0] = STANDARD.encode([7; 32]).into()
        });
    }),
    spoiling("more is taken away than was announced", Held::Log, |_, bundle| {
        let mut taken = Vec::new();
        leaves(bundle, |leaves| taken = leaves.drain(..256).collect());
        pruned(bundle, |pruned| {
            pruned["first_index"] = 768.into();
            let hashes = pruned["hashes"].as_array_mut().expect("hashes");
            hashes.push(STANDARD.encode(subtree(&taken)).into());
        });
    }),
    spoiling("the proof from what is held is none", Held::Early, |_, bundle| {
        pruned(bundle, |pruned| pruned["consistency"] = Value::Array(Vec::new()));
    }),
    spoiling(
        "with the log key, nothing announces what is gone",
        Held::Log,
        |evidence, bundle| {
            leaves(bundle, |leaves| {
                let first = leaves[0].clone();
                let says = |leaf: &Vec<u8>| {
                    Entry::decode(leaf.as_slice())
                        .expect("an entry")
                        .pruning
                        .is_some()
                };
                let announcement = leaves.iter_mut().find(|leaf| says(leaf)).expect("there");
                *announcement = first;
            });
            evidence.sign_pruned_anew(bundle);
        },
    ),
    spoiling(
        "the proof from what held heads name is none",
        Held::EarlyHeads,
        |_, bundle| {
            pruned(bundle, |pruned| pruned["consistency"] = Value::Array(Vec::new()));
        },
    ),
    spoiling(
        "with the log key, another past is put in the place of what is gone",
        Held::Early,
        |evidence, bundle| {
            pruned(bundle, |pruned| {
                pruned["hashes"][0] = STANDARD.encode([7; 32]).into()
            });
            evidence.sign_pruned_anew(bundle);
        },
    ),
];

/// Does something while time goes by: who waits on the clock gets on.
pub async fn as_time_goes<T>(clock: &MockClock, work: impl Future<Output = T>) -> T {
    let real = SystemClock::shared();
    let passing = async {
        loop {
            clock.advance(Duration::from_millis(10));
            real.sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = work => done,
        never = passing => never,
    }
}

impl Evidence {
    /// Records calls, exports, records more, exports; then what is old goes, and it exports again.
    pub async fn gather_pruned() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let setup = Hubkeep::over(World::of_portals(1))
            .clock(Arc::clone(&clock) as _)
            .crm(|config| {
                config.audit.proofs.every = Duration::ZERO;
                config.audit.proofs.heads_every = Duration::ZERO;
                config.audit.proofs.pause = Duration::from_millis(10);
            });
        let hubkeep = setup.start().await;
        as_time_goes(&clock, hubkeep.onboard_all()).await;
        let evidence = Self::of(hubkeep);
        evidence.record(50).await;
        evidence.proven(100, &clock).await;
        let early = as_time_goes(&clock, evidence.export(A, "early", &[])).await;
        evidence.keep_heads(&early, Held::EarlyHeads);
        evidence.record(250).await;
        evidence.proven(600, &clock).await;
        as_time_goes(&clock, evidence.export(A, "first", &[])).await;
        evidence.keep_heads(&evidence.first(), Held::Heads);
        clock.advance(LONG);
        evidence.record(150).await;
        evidence.proven(SIZE, &clock).await;
        let (log, name) = (evidence.log(), evidence.log_of(A));
        eventually!({
            clock.advance(Duration::from_millis(500));
            let begins = log.beginning(&name).await.expect("reads");
            begins.is_some_and(|begins| begins.first_index == FIRST)
        });
        let held = [Held::Early, Held::Log, Held::EarlyHeads, Held::Heads];
        as_time_goes(&clock, evidence.export_held(A, &held)).await;
        evidence
    }

    fn log(&self) -> AuditLog {
        self.hubkeep.audit_log(Service::Crm).clone()
    }

    /// Calls, as crm-service records them.
    async fn record(&self, calls: usize) {
        let id = PortalId::new(self.hubkeep.portal_id(A)).expect("an id");
        let portal = ProvenPortal::by_redeemed_handle(id, A.parse().expect("a slug"));
        let log = self.log();
        let one = async || {
            let call_id = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
            let intent = log
                .intent(Draft::portal(&portal, Operation::ObjectGet, call_id))
                .await;
            let settled = intent.expect("durable").settle(Outcome::ok()).await;
            settled.expect("durable");
        };
        join_all((0..calls).map(|_| one())).await;
    }

    /// Time goes by until the heads name so many entries, or more.
    async fn proven(&self, size: u64, clock: &MockClock) {
        let (log, name) = (self.log(), self.log_of(A));
        eventually!({
            clock.advance(Duration::from_millis(200));
            let head = log.head(&name).await.expect("reads");
            let line = head.map(|head| String::from_utf8(head.line).expect("text"));
            let named = line.and_then(|line| line.lines().nth(1)?.parse::<u64>().ok());
            named.is_some_and(|named| named >= size)
        });
    }

    /// Signs what is there now with the log key, and says nothing of heads.
    fn sign_pruned_anew(&self, bundle: &Path) {
        let mut hashes = Vec::new();
        pruned(bundle, |pruned| {
            let all = pruned["hashes"].as_array().expect("hashes").iter();
            hashes = all
                .map(|hash| Hash::parse_hash(hash.as_str().expect("text")).expect("a hash"))
                .collect();
        });
        let mut roots = Roots::over(FIRST, &hashes).expect("a tree");
        leaves(bundle, |leaves| {
            for leaf in leaves {
                roots.append(leaf).expect("grows");
            }
        });
        let log = checkpoint(bundle);
        let root = roots.root().expect("a root");
        let log = Checkpoint::new(log.origin(), roots.size(), root, "").expect("a checkpoint");
        fs::write(bundle.join(CHECKPOINT), self.signed(&self.seed(), &log)).expect("written");
        fs::remove_file(bundle.join(HEAD)).expect("there");
    }
}

/// The root over as many leaves as make up a whole subtree.
fn subtree(leaves: &[Vec<u8>]) -> [u8; 32] {
    let mut roots = Roots::default();
    for leaf in leaves {
        roots.append(leaf).expect("grows");
    }
    assert_ne!(roots.root().expect("a root"), record_hash(&leaves[0]));
    roots.root().expect("a root").0
}

fn pruned(bundle: &Path, change: impl FnOnce(&mut Value)) {
    let path = bundle.join(PRUNED);
    let mut pruned = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    change(&mut pruned);
    fs::write(path, serde_json::to_vec(&pruned).expect("JSON")).expect("written");
}
