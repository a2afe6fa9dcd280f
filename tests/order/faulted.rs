//! The disk fails under the log of crm-service, at one system call after another: no request is sent without a record, no answer
//! is given without one, the service recovers by itself, and the log is whole and proven afterwards.

use std::{
    path::Path,
    process::{Command, Output},
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
        strace::Strace,
    },
};

const A: &str = "client-0001";

/// What the log asks of the system, what the system says instead, and how often from which time on.
const FAULTS: [(&str, &str, &str); 10] = [
    ("pwrite64", "ENOSPC", "1"),
    ("pwrite64", "ENOSPC", "2"),
    ("pwrite64", "ENOSPC", "5"),
    ("pwrite64", "ENOSPC", "1+"),
    ("pwrite64", "EIO", "1"),
    ("pwrite64", "EIO", "3"),
    ("fdatasync", "EIO", "1"),
    ("fdatasync", "EIO", "2"),
    ("fdatasync", "EIO", "4"),
    ("fdatasync", "ENOSPC", "1+"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_step_loses_no_record_and_spoils_no_proof() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let hubkeep = Hubkeep::over(world).without_crm().start().await;
    hubkeep.onboard_all().await;
    let (credentials, hubspot) = (hubkeep.credential_address(), hubkeep.hubspot.base_url());
    let config = crm_service_config(hubkeep.folder(), &credentials, &hubspot);
    let log = hubkeep.folder().join("crm-service-audit.db");
    let log_ahead = hubkeep.folder().join("crm-service-audit.db-wal");
    let (process, address) = Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
    let all = EVERYTHING.into_iter().chain([Allow::ReadAudit]);
    let handle = hubkeep.handle(A).allow(all).issue().await;
    let crm = Crm::of(channel(&address), "sync")
        .with(&handle)
        .within(Duration::from_secs(5));
    crm.get("contacts", "101").await.expect("all is well");
    let mut refused = 0;
    for (name, error, when) in FAULTS {
        let injected = format!("error={error}:when={when}");
        let failing = Strace::attached(process.id(), name, &injected, &[&log, &log_ahead]);
        let read = crm.get("contacts", "101").await.is_ok();
        let wrote = crm.update("contacts", "101", &[("firstname", "x")]).await.is_ok();
        refused += usize::from(!read) + usize::from(!wrote);
        failing.detach();
        eventually!(crm.get("contacts", "102").await.is_ok());
        every_request_has_its_record(&hubkeep, &log, &format!("{name} {error} {when}"));
    }
    assert!(refused >= 5, "the faults refused {refused} calls");
    process.kill();

    let (_last, address) = Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
    let events = events_on_disk(&log);
    let entries = events.iter().filter_map(|event| event.entry.as_ref());
    let intents = entries.filter(|entry| entry.phase() == Phase::Intent).count();
    let outcomes = outcomes_by_attempt(&events);
    assert_eq!(outcomes.len(), intents, "every intent has an end");
    let known = outcomes
        .values()
        .filter(|outcome| outcome.result() == CallResult::Ok);
    assert!(known.count() >= FAULTS.len(), "what was answered is known");
    whole(&log);
    let bundle = hubkeep.folder().join("bundle");
    // A checkpoint is made every ten seconds, and the faults have cut the last one short.
    eventually!(
        Duration::from_secs(60),
        exported(&bundle, &address, &handle).status.success()
    );
    let verified = Command::new(hubkeep_binary())
        .args(["audit", "verify"])
        .arg(&bundle)
        .output();
    let verified = verified.expect("it runs");
    assert!(verified.status.success(), "{verified:?}");
}

fn every_request_has_its_record(hubkeep: &Hubkeep, log: &Path, fault: &str) {
    let events = events_on_disk(log);
    assert_dense(&events);
    let intents = intents_by_entry(&events);
    let journal = hubkeep.hubspot.journal();
    for received in journal.iter().filter(|entry| entry.path.starts_with("/crm/")) {
        let id = received.header("x-request-id");
        let recorded = id.is_some_and(|id| intents.contains_key(id));
        assert!(recorded, "{fault}: without a record: {received:?}");
    }
}

/// SQLite finds nothing wrong with the file.
fn whole(log: &Path) {
    let connection = rusqlite::Connection::open(log).expect("opens");
    let found: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checked");
    assert_eq!(found, "ok");
}

fn exported(bundle: &Path, address: &str, handle: &Handle) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args([
            "audit",
            "export",
            "--as",
            "sync",
            "--portal",
            A,
            "--from",
            "crm-service",
            "--to",
        ])
        .arg(bundle)
        .args(["--crm-service", address])
        .env("HUBKEEP_HANDLE", &handle.token);
    let output = command.output().expect("it runs");
    if !output.status.success() {
        // Seen where the test fails: why there was no bundle.
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output
}
