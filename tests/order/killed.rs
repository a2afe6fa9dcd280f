//! crm-service killed at one system call after another of a call's life: whatever reached HubSpot has its intent on
//! disk, and the next start closes what was cut in half.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use hubkeep_audit_log::Phase;
use hubkeep_tests::{
    Crm, Hubkeep, Limits, World, intents_by_entry,
    support::{
        audit::{assert_dense, events_on_disk, outcomes_by_attempt},
        processes::{Process, crm_service_binary, crm_service_config, serve},
    },
};
use tonic::transport::Endpoint;

const A: &str = "client-0001";

/// What a call consists of, seen from below: the log's waits for the disk, what goes out, and what comes in.
const CALLS_OF_THE_SYSTEM: [(&str, u32); 3] = [("fdatasync", 4), ("writev", 10), ("recvfrom", 10)];

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_a_call_it_leaves_no_request_without_a_record() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let hubkeep = Hubkeep::over(world).without_crm().start().await;
    hubkeep.onboard_all().await;
    let (credentials, hubspot) = (hubkeep.credential_address(), hubkeep.hubspot.base_url());
    let config = crm_service_config(hubkeep.folder(), &credentials, &hubspot);
    let log = hubkeep.folder().join("crm-service-audit.db");
    let mut cut_short = 0;
    for (name, times) in CALLS_OF_THE_SYSTEM {
        for time in 1..=times {
            let (process, address) =
                Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
            let mut killer = attached(process.id(), name, time);
            let handle = hubkeep.handle(A).issue().await;
            let channel = Endpoint::from_shared(address).expect("an address").connect_lazy();
            let crm = Crm::of(channel, "sync")
                .with(&handle)
                .within(Duration::from_secs(5));
            let read = crm.get("contacts", "101").await;
            let wrote = crm.update("contacts", "101", &[("firstname", "x")]).await;
            cut_short += usize::from(read.is_err() || wrote.is_err());
            process.kill();
            killer.wait().expect("strace ends with the process");

            let events = events_on_disk(&log);
            assert_dense(&events);
            let intents = intents_by_entry(&events);
            let journal = hubkeep.hubspot.journal();
            for received in journal.iter().filter(|entry| entry.path.starts_with("/crm/")) {
                let recorded = received
                    .header("x-request-id")
                    .is_some_and(|id| intents.contains_key(id));
                assert!(
                    recorded,
                    "killed at {name} {time}: without a record: {received:?}"
                );
            }
        }
    }
    assert!(cut_short >= 10, "the kills cut {cut_short} rounds short");

    let (_last, _) = Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
    let events = events_on_disk(&log);
    let entries = events.iter().filter_map(|event| event.entry.as_ref());
    let intents = entries.filter(|entry| entry.phase() == Phase::Intent).count();
    assert_eq!(
        outcomes_by_attempt(&events).len(),
        intents,
        "every intent has an end"
    );
}

/// strace, attached to a process that it kills as it begins this system call for the n-th time from now on.
fn attached(process: u32, name: &str, time: u32) -> Child {
    let injected = format!("inject={name}:signal=KILL:when={time}");
    running(Command::new("strace").args(of_calls(process, name, &injected)))
}

/// strace, attached to a process where it makes this system call fail for this SQLite database, its own file and its log.
pub fn attached_for(process: u32, name: &str, injected: &str, database: &Path) -> Child {
    let log = format!("{}-wal", database.display());
    let mut strace = Command::new("strace");
    strace
        .args(of_calls(process, name, injected))
        .arg("-P")
        .arg(database);
    running(strace.args(["-P", &log]))
}

/// Ends strace; the process goes on without it.
pub fn detach(mut strace: Child) {
    let ended = Command::new("kill")
        .args(["-INT", &strace.id().to_string()])
        .status();
    assert!(
        ended.is_ok_and(|status| status.success()),
        "strace is told to end"
    );
    strace.wait().expect("it ends");
}

fn of_calls(process: u32, name: &str, injected: &str) -> [String; 9] {
    let (process, trace) = (process.to_string(), format!("trace={name}"));
    [
        "-f",
        "-o",
        "/dev/null",
        "-p",
        &process,
        "-e",
        &trace,
        "-e",
        injected,
    ]
    .map(str::to_owned)
}

fn running(strace: &mut Command) -> Child {
    let mut strace = strace
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace runs");
    let mut told = BufReader::new(strace.stderr.take().expect("piped")).lines();
    let is_attached = |line: Result<String, _>| line.is_ok_and(|line: String| line.contains("attached"));
    assert!(told.by_ref().any(is_attached), "strace did not attach");
    // What it says of further threads must not stop it for want of a reader.
    std::thread::spawn(move || told.for_each(drop));
    strace
}
