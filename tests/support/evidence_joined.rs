//! The logs of both services about one portal as one folder of evidence; and what can be done to the one bundle behind the other's
//! back.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use hubkeep::bundle::{CHECKPOINT, KEYS};
use tempfile::TempDir;

use super::{
    evidence::{Evidence, leaves},
    hubkeep::{Hubkeep, Service},
};
use crate::{World, eventually};

const A: &str = "client-0001";
const B: &str = "client-0002";
/// The folders in the folder.
pub const SERVICES: [&str; 2] = ["credential-service", "crm-service"];
const CREDENTIAL: &str = SERVICES[0];

/// Both bundles of one portal, one of another, and what was kept of the first.
pub struct Joined {
    /// The Hubkeep that they come from.
    pub evidence: Evidence,
    /// Receipts of writes to the first portal.
    pub receipts: PathBuf,
    both: PathBuf,
    others: PathBuf,
    kept: TempDir,
}

/// Something that is done to a folder of both.
pub struct JoinedSpoiling {
    /// What is done.
    pub what: &'static str,
    spoil: fn(&Joined, &Path),
}

const fn spoiling(what: &'static str, spoil: fn(&Joined, &Path)) -> JoinedSpoiling {
    JoinedSpoiling { what, spoil }
}

/// All that is done. A checkpoint of credential-service's log, and receipts of crm-service, are held against each.
pub const JOINED_SPOILINGS: [JoinedSpoiling; 7] = [
    spoiling("a bit is flipped in one", |_, folder| {
        leaves(&folder.join(CREDENTIAL), |leaves| leaves[0][7] ^= 1);
    }),
    spoiling("a bit is flipped in the other", |_, folder| {
        leaves(&folder.join(SERVICES[1]), |leaves| leaves[2][7] ^= 1);
    }),
    spoiling("the one is taken out", |_, folder| {
        fs::remove_dir_all(folder.join(CREDENTIAL)).expect("removed");
    }),
    spoiling("the other is taken out", |_, folder| {
        fs::remove_dir_all(folder.join(SERVICES[1])).expect("removed");
    }),
    spoiling("the one has lost its checkpoint", |_, folder| {
        fs::remove_file(folder.join(CREDENTIAL).join(CHECKPOINT)).expect("removed");
    }),
    spoiling("the one is of another portal", |joined, folder| {
        replace(&folder.join(CREDENTIAL), &joined.others.join(CREDENTIAL));
    }),
    spoiling("the other stands in the place of the one", |_, folder| {
        replace(&folder.join(CREDENTIAL), &folder.join(SERVICES[1]));
    }),
];

impl Joined {
    /// Writes to two portals, keeps the receipts, and exports what both services have of each.
    pub async fn gather() -> Self {
        let setup = Hubkeep::over(World::of_portals(2))
            .crm(|config| at_once(&mut config.audit))
            .credential(|config| at_once(&mut config.audit));
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        let kept = tempfile::tempdir().expect("a folder");
        let receipts = kept.path().join("receipts");
        for slug in [B, A] {
            let handle = hubkeep.handle(slug).issue().await;
            let crm = hubkeep.crm_as("sync").with(&handle);
            let written = crm.update("contacts", "101", &[("firstname", "Ann")]).await;
            let reply = written.expect("written").reply.expect("about it");
            fs::write(&receipts, reply.receipts.join("\n")).expect("written");
        }
        let evidence = Evidence::of(hubkeep);
        for slug in [A, B] {
            for service in [Service::Credential, Service::Crm] {
                all_is_covered(&evidence, service, slug).await;
            }
        }
        let both = evidence.export_from(A, "both", &[]).await;
        let others = evidence.export_from(B, "others", &[]).await;
        let keys = SERVICES.map(|service| fs::read_to_string(both.join(service).join(KEYS)).expect("read"));
        fs::write(kept.path().join(KEYS), keys.concat()).expect("written");
        fs::copy(
            both.join(CREDENTIAL).join(CHECKPOINT),
            kept.path().join(CHECKPOINT),
        )
        .expect("copied");
        Self {
            evidence,
            receipts,
            both,
            others,
            kept,
        }
    }

    /// The folder of both.
    pub fn folder(&self) -> &Path {
        &self.both
    }

    /// The keys of both services.
    pub fn keys(&self) -> PathBuf {
        self.kept.path().join(KEYS)
    }

    /// A checkpoint of credential-service's log.
    pub fn held(&self) -> PathBuf {
        self.kept.path().join(CHECKPOINT)
    }

    /// A copy of the folder, spoilt.
    pub fn spoilt(&self, spoiling: &JoinedSpoiling) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        for service in SERVICES {
            replace(&copy.path().join(service), &self.both.join(service));
        }
        (spoiling.spoil)(self, copy.path());
        copy
    }
}

fn at_once(audit: &mut hubkeep_audit_log::Config) {
    audit.proofs.every = Duration::ZERO;
    audit.proofs.heads_every = Duration::ZERO;
    audit.proofs.pause = Duration::from_millis(10);
}

/// Waits until heads cover every entry that a service has of a portal.
async fn all_is_covered(evidence: &Evidence, service: Service, slug: &str) {
    let log = evidence.hubkeep.audit_log(service);
    let name = format!("test/{}/{}", service.name(), evidence.hubkeep.portal_id(slug));
    let entries = evidence.hubkeep.audit_events(service).await;
    let size = entries.iter().filter(|event| event.log == name).count();
    let line = format!("{name}\n{size}\n");
    eventually!(
        log.head(&name)
            .await
            .expect("reads")
            .is_some_and(|head| head.line.starts_with(line.as_bytes()))
    );
}

/// Puts a copy of one bundle where another was.
fn replace(bundle: &Path, by: &Path) {
    if bundle.exists() {
        fs::remove_dir_all(bundle).expect("removed");
    }
    fs::create_dir(bundle).expect("made");
    for file in fs::read_dir(by).expect("a folder") {
        let file = file.expect("a file");
        fs::copy(file.path(), bundle.join(file.file_name())).expect("copied");
    }
}
