//! crm-service killed at one system call after another of a call's life: whatever reached HubSpot has its intent on
//! disk, and the next start closes what was cut in half.

use std::time::Duration;

use hubkeep_audit_log::Phase;
use hubkeep_tests::{
    Crm, Hubkeep, Limits, World, intents_by_entry,
    support::{
        audit::{assert_dense, events_on_disk, outcomes_by_attempt},
        processes::{Process, crm_service_binary, crm_service_config, serve},
        strace::Strace,
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
            let killing = format!("signal=KILL:when={time}");
            let killer = Strace::attached(process.id(), name, &killing, &[]);
            let handle = hubkeep.handle(A).issue().await;
            let channel = Endpoint::from_shared(address).expect("an address").connect_lazy();
            let crm = Crm::of(channel, "sync")
                .with(&handle)
                .within(Duration::from_secs(5));
            let read = crm.get("contacts", "101").await;
            let wrote = crm.update("contacts", "101", &[("firstname", "x")]).await;
            cut_short += usize::from(read.is_err() || wrote.is_err());
            process.kill();
            killer.wait();

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
