//! Bundles of evidence: two of one log, a while apart; and everything that can be done to one. Whoever does it may have the
//! log key, for that lies with the service: then only a checkpoint that somebody else holds can tell.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use hubkeep::bundle::{CHECKPOINT, HEAD, KEYS, LEAVES, LeafReader, LeafWriter, Roots};
use serde_json::Value;
use signed_note::{Note, StandardSigner, new_ed25519_verifier_key};
use tempfile::TempDir;
use tlog_tiles::{Checkpoint, Hash};

use super::{
    hubkeep::{Hubkeep, Service},
    portals::OPERATOR,
    processes::hubkeep_binary,
};
use crate::{Allow, World, eventually};

const A: &str = "client-0001";
const B: &str = "client-0002";
/// Calls before the first bundle, and again before the second.
const CALLS: usize = 9;

/// Two bundles of one portal's log, and what was held of the first when the second was made.
pub struct Evidence {
    /// The Hubkeep that they come from.
    pub hubkeep: Hubkeep,
    folder: TempDir,
}

/// Which checkpoint of the first bundle is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// That of the log.
    Log,
    /// One of the log from before that, of entries that are gone later.
    Early,
    /// That of the log of heads.
    Heads,
    /// One of the heads from before that: of when the log had not begun, or of when it had entries that are gone later.
    EarlyHeads,
}

/// Something that is done to a bundle, and which checkpoint tells.
pub struct Spoiling {
    /// What is done.
    pub what: &'static str,
    /// What is held by whoever finds it.
    pub held: Held,
    spoil: fn(&Evidence, &Path),
}

/// All that is done to bundles.
pub const SPOILINGS: [Spoiling; 15] = [
    spoiling("a bit is flipped", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| leaves[5][7] ^= 1);
    }),
    spoiling("an entry is left out", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| drop(leaves.remove(4)));
    }),
    spoiling("an entry is put in", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| leaves.insert(4, leaves[3].clone()));
    }),
    spoiling("two entries change places", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| leaves.swap(2, 7));
    }),
    spoiling("the last entry is cut off", Held::Log, |_, bundle| {
        leaves(bundle, |leaves| drop(leaves.pop()));
    }),
    spoiling("the file of leaves ends early", Held::Log, |_, bundle| {
        let bytes = fs::read(bundle.join(LEAVES)).expect("read");
        fs::write(bundle.join(LEAVES), &bytes[..bytes.len() - 3]).expect("written");
    }),
    spoiling(
        "the checkpoint is one of another portal",
        Held::Log,
        |evidence, bundle| {
            let other = evidence.folder.path().join("other").join(CHECKPOINT);
            fs::copy(other, bundle.join(CHECKPOINT)).expect("copied");
        },
    ),
    spoiling("the checkpoint says another size", Held::Log, |_, bundle| {
        let note = fs::read_to_string(bundle.join(CHECKPOINT)).expect("read");
        fs::write(bundle.join(CHECKPOINT), note.replacen("\n36\n", "\n35\n", 1)).expect("written");
    }),
    spoiling(
        "the checkpoint is signed by somebody else",
        Held::Log,
        |evidence, bundle| {
            let seed = [9; 32];
            let log = checkpoint(bundle);
            fs::write(bundle.join(CHECKPOINT), evidence.signed(&seed, &log)).expect("written");
        },
    ),
    spoiling(
        "the heads say something else of the log",
        Held::Log,
        |_, bundle| {
            head(bundle, |head| {
                let line = head["line"]
                    .as_str()
                    .expect("text")
                    .replacen("\n36\n", "\n30\n", 1);
                head["line"] = line.into();
            });
        },
    ),
    spoiling(
        "with the log key, another history is signed",
        Held::Log,
        |evidence, bundle| {
            leaves(bundle, |leaves| leaves[5][7] ^= 1);
            evidence.sign_anew(bundle);
        },
    ),
    spoiling(
        "with the log key, the log is cut short",
        Held::Log,
        |evidence, bundle| {
            leaves(bundle, |leaves| leaves.truncate(10));
            evidence.sign_anew(bundle);
        },
    ),
    spoiling(
        "with the log key, the whole log is taken away",
        Held::Log,
        |evidence, bundle| {
            leaves(bundle, Vec::clear);
            evidence.sign_anew(bundle);
        },
    ),
    spoiling(
        "with the log key, the log is left out of the heads",
        Held::Heads,
        |evidence, bundle| evidence.sign_anew(bundle),
    ),
    spoiling(
        "with the log key, the heads are made anew",
        Held::Heads,
        |evidence, bundle| {
            head(bundle, |head| {
                let leaf = STANDARD
                    .decode(head["leaf"].as_str().expect("text"))
                    .expect("base64");
                let mut roots = Roots::default();
                roots.append(&leaf).expect("grows");
                let heads = told(head["checkpoint"].as_str().expect("text"));
                let heads = Checkpoint::new(heads.origin(), 1, roots.root().expect("one leaf"), "");
                let note = evidence.signed(&evidence.seed(), &heads.expect("a checkpoint"));
                head["checkpoint"] = note.into();
                head["leaf_index"] = 0.into();
                head["leaf_proof"] = Value::Array(Vec::new());
            });
        },
    ),
];

pub(super) const fn spoiling(what: &'static str, held: Held, spoil: fn(&Evidence, &Path)) -> Spoiling {
    Spoiling { what, held, spoil }
}

impl Evidence {
    /// Makes calls, exports, makes calls, and exports again.
    pub async fn gather() -> Self {
        let setup = Hubkeep::over(World::of_portals(2)).crm(|config| {
            config.audit.proofs.every = Duration::ZERO;
            config.audit.proofs.heads_every = Duration::ZERO;
            config.audit.proofs.pause = Duration::from_millis(10);
        });
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        let evidence = Self::of(hubkeep);
        evidence.calls(B, CALLS).await;
        evidence.covered(B, 18).await;
        let other = evidence.export(B, "other", &[]).await;
        evidence.keep_heads(&other, Held::EarlyHeads);
        evidence.calls(A, CALLS).await;
        evidence.covered(A, 18).await;
        evidence.export(A, "first", &[]).await;
        evidence.keep_heads(&evidence.first(), Held::Heads);
        evidence.calls(A, CALLS).await;
        evidence.covered(A, 36).await;
        evidence.export_held(A, &[Held::EarlyHeads, Held::Heads]).await;
        evidence
    }

    /// Keeps the checkpoint of the heads that is in a bundle.
    pub(super) fn keep_heads(&self, bundle: &Path, held: Held) {
        let note = head_of(bundle)["checkpoint"].clone();
        fs::write(self.held(held), note.as_str().expect("text")).expect("written");
    }

    /// Exports the later bundle, with proofs for what is held.
    pub(super) async fn export_held(&self, slug: &str, held: &[Held]) {
        let files: Vec<PathBuf> = held.iter().map(|held| self.held(*held)).collect();
        let named = files
            .iter()
            .flat_map(|file| ["--held", file.to_str().expect("text")]);
        self.export(slug, "second", &named.collect::<Vec<_>>()).await;
    }

    /// None yet, of this Hubkeep.
    pub(super) fn of(hubkeep: Hubkeep) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { hubkeep, folder }
    }

    async fn calls(&self, slug: &str, calls: usize) {
        let handle = self
            .hubkeep
            .handle(slug)
            .for_caller("sync")
            .allow([Allow::Get])
            .issue()
            .await;
        let crm = self.hubkeep.crm_as("sync").with(&handle);
        for _ in 0..calls {
            crm.get("contacts", "101").await.expect("allowed");
        }
    }

    /// The name of a portal's log at crm-service.
    pub fn log_of(&self, slug: &str) -> String {
        format!("test/crm-service/{}", self.hubkeep.portal_id(slug))
    }

    /// Waits until a checkpoint and the heads cover so many entries.
    pub(super) async fn covered(&self, slug: &str, size: u64) {
        let (log, name) = (self.hubkeep.audit_log(Service::Crm), self.log_of(slug));
        let line = format!("{name}\n{size}\n");
        eventually!(
            log.head(&name)
                .await
                .expect("reads")
                .is_some_and(|head| head.line.starts_with(line.as_bytes()))
        );
    }

    /// Runs `hubkeep audit export` of crm-service's log.
    pub async fn export(&self, slug: &str, name: &str, more: &[&str]) -> PathBuf {
        let more = [&["--from", "crm-service"], more].concat();
        self.export_from(slug, name, &more).await
    }

    /// Runs `hubkeep audit export`.
    pub(super) async fn export_from(&self, slug: &str, name: &str, more: &[&str]) -> PathBuf {
        let to = self.folder.path().join(name);
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args(["audit", "export", "--as", OPERATOR, "--portal", slug, "--to"])
            .arg(&to)
            .args(["--credential-service", &self.hubkeep.credential_address()])
            .args(["--crm-service", &self.hubkeep.crm_address()])
            .args(more);
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        assert_ran(&ran.expect("no panic").expect("it runs"));
        to
    }

    /// The earlier bundle.
    pub fn first(&self) -> PathBuf {
        self.folder.path().join("first")
    }

    /// The later bundle.
    pub fn second(&self) -> PathBuf {
        self.folder.path().join("second")
    }

    /// A checkpoint that was kept when the earlier bundle was made.
    pub fn held(&self, held: Held) -> PathBuf {
        match held {
            Held::Log => self.first().join(CHECKPOINT),
            Held::Early => self.folder.path().join("early").join(CHECKPOINT),
            Held::Heads => self.folder.path().join("heads"),
            Held::EarlyHeads => self.folder.path().join("early-heads"),
        }
    }

    /// The keys that were learned when the service was first met.
    pub fn keys(&self) -> PathBuf {
        self.first().join(KEYS)
    }

    /// A copy of the later bundle, spoilt.
    pub fn spoilt(&self, spoiling: &Spoiling) -> TempDir {
        let copy = self.copy();
        (spoiling.spoil)(self, copy.path());
        copy
    }

    /// A copy of the later bundle.
    pub(super) fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        for file in fs::read_dir(self.second()).expect("a folder") {
            let file = file.expect("a file");
            fs::copy(file.path(), copy.path().join(file.file_name())).expect("copied");
        }
        copy
    }

    /// The log key of crm-service.
    pub(super) fn seed(&self) -> [u8; 32] {
        let mut file = self.hubkeep.audit_file(Service::Crm).into_os_string();
        file.push(".log-key");
        fs::read(file)
            .expect("beside the log")
            .try_into()
            .expect("32 bytes")
    }

    /// A checkpoint, signed in the name of crm-service.
    pub(super) fn signed(&self, seed: &[u8; 32], told: &Checkpoint) -> String {
        self.signed_text(seed, &told.to_bytes())
    }

    /// Any text, signed so.
    pub(super) fn signed_text(&self, seed: &[u8; 32], text: &[u8]) -> String {
        let name = "test/crm-service";
        let public = new_ed25519_verifier_key(name, &SigningKey::from_bytes(seed).verifying_key());
        let id = &public[name.len() + 1..name.len() + 9];
        let private = STANDARD.encode([[1].as_slice(), seed].concat());
        let signer = StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id}+{private}")).expect("a key");
        let mut note = Note::new(text, &[]).expect("a text");
        note.add_sigs(&[&signer]).expect("signed");
        String::from_utf8(note.to_bytes()).expect("text")
    }

    /// Signs the leaves as they are now with the log key, and says nothing of heads.
    pub(super) fn sign_anew(&self, bundle: &Path) {
        let mut roots = Roots::default();
        leaves(bundle, |leaves| {
            for leaf in leaves {
                roots.append(leaf).expect("grows");
            }
        });
        let root: Hash = roots.root().expect("a root");
        let log = checkpoint(bundle);
        let log = Checkpoint::new(log.origin(), roots.size(), root, "").expect("a checkpoint");
        fs::write(bundle.join(CHECKPOINT), self.signed(&self.seed(), &log)).expect("written");
        fs::remove_file(bundle.join(HEAD)).expect("there");
    }
}

/// Fails with all that a command said, unless it succeeded.
pub fn assert_ran(output: &Output) {
    let heard = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}{heard}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// What a bundle says of its log and the heads.
pub(super) fn head_of(bundle: &Path) -> Value {
    serde_json::from_slice(&fs::read(bundle.join(HEAD)).expect("read")).expect("JSON")
}

pub(super) fn told(note: &str) -> Checkpoint {
    let note = Note::from_bytes(note.as_bytes()).expect("a note");
    Checkpoint::from_bytes(note.text()).expect("a checkpoint")
}

pub(super) fn checkpoint(bundle: &Path) -> Checkpoint {
    told(&fs::read_to_string(bundle.join(CHECKPOINT)).expect("read"))
}

pub(super) fn leaves(bundle: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = bundle.join(LEAVES);
    let mut reader = LeafReader::open(&path).expect("opens");
    let mut leaves = Vec::new();
    while let Some(leaf) = reader.read_next().expect("read") {
        leaves.push(leaf.to_vec());
    }
    change(&mut leaves);
    let mut writer = LeafWriter::create(&path).expect("opens");
    for leaf in leaves {
        writer.write(&leaf).expect("written");
    }
    writer.finish().expect("written");
}

pub(super) fn head(bundle: &Path, change: impl FnOnce(&mut Value)) {
    let path = bundle.join(HEAD);
    let mut head = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    change(&mut head);
    fs::write(path, serde_json::to_vec(&head).expect("JSON")).expect("written");
}
