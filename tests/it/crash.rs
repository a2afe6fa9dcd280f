//! crm-service killed without warning, at many moments: what reached HubSpot was on record before.

use std::{collections::HashSet, path::Path, time::Duration};

use hubkeep_audit_log::{CallResult, Cause, Event, Phase};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Handle, Hubkeep, Limits, World, eventually, intents_by_entry, proto_entry,
    support::{
        audit::{assert_dense, events_on_disk},
        processes::{Process, crm_service_binary, crm_service_config, serve},
    },
};
use tonic::transport::Endpoint;

const A: &str = "client-0001";
const CALLERS: usize = 16;

/// When the process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Every caller has a request at HubSpot, and none has an answer.
    BeforeAnyAnswer,
    /// HubSpot has received so many requests, and all go on.
    UnderLoad(usize),
}

const MOMENTS: [Moment; 12] = [
    Moment::UnderLoad(1),
    Moment::BeforeAnyAnswer,
    Moment::UnderLoad(2),
    Moment::UnderLoad(5),
    Moment::UnderLoad(13),
    Moment::UnderLoad(34),
    Moment::BeforeAnyAnswer,
    Moment::UnderLoad(55),
    Moment::UnderLoad(89),
    Moment::UnderLoad(144),
    Moment::UnderLoad(233),
    Moment::UnderLoad(377),
];

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_is_killed_what_reached_hubspot_was_on_record_before() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let hubkeep = Hubkeep::over(world).without_crm().start().await;
    hubkeep.onboard_all().await;
    let config = crm_service_config(
        hubkeep.folder(),
        &hubkeep.credential_address(),
        &hubkeep.hubspot.base_url(),
    );
    let log = hubkeep.folder().join("crm-service-audit.db");
    let mut closed_by_restart = 0;
    for moment in MOMENTS {
        let (process, address) = Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
        closed_by_restart += every_orphan_is_closed(&log, moment);
        hubkeep.hubspot.clear_journal();
        let handle = hubkeep.handle(A).issue().await;
        let callers = load(&address, &handle, CALLERS);
        wait_for(&hubkeep, moment, process).await;
        hubkeep.hubspot.clear_faults();
        for caller in callers {
            caller.await.expect("callers survive");
        }
        everything_received_was_recorded(&hubkeep, &log, moment);
        hubkeep.revoke(&handle).await;
    }
    let (_last, _) = Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
    closed_by_restart += every_orphan_is_closed(&log, MOMENTS[MOMENTS.len() - 1]);
    assert!(
        closed_by_restart >= 2 * CALLERS,
        "the kills cut {closed_by_restart} calls in half"
    );
}

/// Callers who write and read until the service is gone.
fn load(address: &str, handle: &Handle, callers: usize) -> Vec<tokio::task::JoinHandle<()>> {
    let channel = Endpoint::from_shared(address.to_owned())
        .expect("an address")
        .connect_lazy();
    let crm = Crm::of(channel, &handle.caller)
        .with(handle)
        .within(Duration::from_secs(20));
    let call = |number: usize| {
        let crm = crm.clone();
        tokio::spawn(async move {
            let value = number.to_string();
            loop {
                let wrote = crm
                    .update("contacts", "101", &[("firstname", &value)])
                    .await
                    .is_ok();
                if !wrote || crm.get("contacts", "102").await.is_err() {
                    return;
                }
            }
        })
    };
    (0..callers).map(call).collect()
}

async fn wait_for(hubkeep: &Hubkeep, moment: Moment, process: Process) {
    match moment {
        Moment::BeforeAnyAnswer => {
            // Of the calls themselves: all writers wait for one question whose account the token is.
            let rule = FaultRule::new(Fault::HoldUntilReleased).path("/crm/");
            hubkeep.hubspot.inject(rule);
            hubkeep.hubspot.until_held(CALLERS).await;
        }
        Moment::UnderLoad(received) => eventually!(hubkeep.hubspot.journal_len() >= received),
    }
    process.kill();
}

fn everything_received_was_recorded(hubkeep: &Hubkeep, log: &Path, moment: Moment) {
    let events = events_on_disk(log);
    assert_dense(&events);
    let intents = intents_by_entry(&events);
    let journal = hubkeep.hubspot.journal();
    let of_crm_service = journal.iter().filter(|entry| entry.path.starts_with("/crm/"));
    for received in of_crm_service {
        let recorded = received
            .header("x-request-id")
            .is_some_and(|id| intents.contains_key(id));
        assert!(
            recorded,
            "killed {moment:?}: reached HubSpot without a record: {received:?}"
        );
    }
}

/// After a start each intent has an outcome; how many were closed by starts because their process was lost.
fn every_orphan_is_closed(log: &Path, moment: Moment) -> usize {
    let events = events_on_disk(log);
    assert_dense(&events);
    let key = |event: &Event| {
        let entry = proto_entry(event);
        (entry.call_id.clone(), entry.attempt)
    };
    let of = |phase| {
        events
            .iter()
            .filter(move |event| proto_entry(event).phase() == phase)
    };
    let outcomes: HashSet<_> = of(Phase::Outcome).map(key).collect();
    assert_eq!(
        outcomes.len(),
        of(Phase::Outcome).count(),
        "killed {moment:?}: two outcomes for one intent"
    );
    for intent in of(Phase::Intent) {
        assert!(
            outcomes.contains(&key(intent)),
            "killed {moment:?}: without an outcome: {intent:?}"
        );
    }
    let lost = of(Phase::Outcome)
        .map(proto_entry)
        .filter(|entry| entry.cause() == Cause::ProcessLost);
    for entry in lost.clone() {
        assert_eq!(
            entry.result(),
            CallResult::Unknown,
            "nobody knows whether it was done"
        );
    }
    // Counted anew each time: only those of the newest start are news, and they stand at the end.
    let trailing = events.iter().rev().map(proto_entry);
    trailing
        .take_while(|entry| entry.cause() == Cause::ProcessLost)
        .count()
}
