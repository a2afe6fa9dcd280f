//! crm-service as a process, everything around it in this one, and what must be true of its log whatever was done to its disk.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use hubkeep_audit_log::{CallResult, Phase};
use hubkeep_tests::{
    Allow, Crm, Handle, Hubkeep, Limits, World, eventually, intents_by_entry,
    support::{
        audit::{assert_dense, events_on_disk, outcomes_by_attempt},
        crm_process::channel,
        handles::EVERYTHING,
        processes::{Process, crm_service_binary, crm_service_config, hubkeep_binary, serve},
    },
};

const A: &str = "client-0001";
/// What a caller allows for a call.
const PATIENCE: Duration = Duration::from_secs(5);
/// As long as a handle may live.
const LIFETIME: Duration = Duration::from_secs(900);
/// A checkpoint is made every ten seconds, and what was done may have cut the last one short.
const CHECKPOINTED: Duration = Duration::from_secs(60);

pub struct Around {
    hubkeep: Hubkeep,
    config: PathBuf,
    log: PathBuf,
}

impl Around {
    pub async fn start() -> Self {
        let world = World::of_portals(1).limits(&Limits::unlimited());
        let hubkeep = Hubkeep::over(world).without_crm().start().await;
        hubkeep.onboard_all().await;
        let (credentials, hubspot) = (hubkeep.credential_address(), hubkeep.hubspot.base_url());
        let config = crm_service_config(hubkeep.folder(), &credentials, &hubspot);
        Self {
            log: hubkeep.folder().join("crm-service-audit.db"),
            config,
            hubkeep,
        }
    }

    /// The log's file, what is written ahead of it, and the file of outcomes that it could not take.
    pub fn files(&self) -> [PathBuf; 3] {
        let beside = |end: &str| PathBuf::from(format!("{}{end}", self.log.display()));
        [self.log.clone(), beside("-wal"), beside("-spill-1")]
    }

    /// A crm-service over what the one before has left.
    pub fn serving(&self) -> (Process, String) {
        Process::listening("crm-service", &mut serve(crm_service_binary(), &self.config))
    }

    pub async fn handle(&self) -> Handle {
        let all = EVERYTHING.into_iter().chain([Allow::ReadAudit]);
        let handle = self.hubkeep.handle(A).allow(all).lifetime(LIFETIME);
        handle.issue().await
    }

    pub fn crm(&self, address: &str, handle: &Handle) -> Crm {
        Crm::of(channel(address), "sync").with(handle).within(PATIENCE)
    }

    /// A read and a write. How many of them were not answered.
    pub async fn calls(&self, crm: &Crm) -> usize {
        let read = crm.get("contacts", "101").await;
        let wrote = crm.update("contacts", "101", &[("firstname", "x")]).await;
        usize::from(read.is_err()) + usize::from(wrote.is_err())
    }

    pub fn every_request_has_its_record(&self, what: &str) {
        // Before the log is read: what is looked for afterwards goes on beside this.
        let journal = self.hubkeep.hubspot.journal();
        let events = events_on_disk(&self.log);
        assert_dense(&events);
        let intents = intents_by_entry(&events);
        for received in journal.iter().filter(|entry| entry.path.starts_with("/crm/")) {
            let id = received.header("x-request-id");
            let recorded = id.is_some_and(|id| intents.contains_key(id));
            assert!(recorded, "{what}: without a record: {received:?}");
        }
    }

    /// Starts once more, and looks at everything that is left.
    pub async fn is_whole_and_verifies(&self) {
        let (last, address) = self.serving();
        let events = events_on_disk(&self.log);
        let entries = events.iter().filter_map(|event| event.entry.as_ref());
        let intents = entries.filter(|entry| entry.phase() == Phase::Intent).count();
        let outcomes = outcomes_by_attempt(&events);
        assert_eq!(outcomes.len(), intents, "every intent has an end");
        let known = outcomes
            .values()
            .filter(|outcome| outcome.result() == CallResult::Ok);
        println!(
            "{intents} intents, of {} it is known how they ended",
            known.count()
        );
        is_whole(&self.log);
        let bundle = self.hubkeep.folder().join("bundle");
        let handle = self.handle().await;
        eventually!(CHECKPOINTED, is_exported(&bundle, &address, &handle));
        let verified = Command::new(hubkeep_binary())
            .args(["audit", "verify"])
            .arg(&bundle)
            .output();
        let verified = verified.expect("it runs");
        assert!(verified.status.success(), "{verified:?}");
        last.kill();
    }
}

fn is_exported(bundle: &Path, address: &str, handle: &Handle) -> bool {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(["audit", "export", "--as", "sync", "--portal", A, "--to"])
        .arg(bundle)
        .args(["--from", "crm-service", "--crm-service", address])
        .env("HUBKEEP_HANDLE", &handle.token);
    command.output().expect("it runs").status.success()
}

/// SQLite finds nothing wrong with the file.
fn is_whole(log: &Path) {
    let connection = rusqlite::Connection::open(log).expect("opens");
    let found: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checked");
    assert_eq!(found, "ok");
}
