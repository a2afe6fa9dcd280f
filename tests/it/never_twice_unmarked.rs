//! A write whose end could not be noted, because the database failed in that very moment, is noted as soon as the database is back.

use std::time::Duration;

use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::crm::v1::{ListWritesRequest, Write, WriteState};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::{
        disk::WriteLock,
        writes::{all_writes, sent_writes, write_id},
    },
};
use hubspot_sim::FaultId;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

const A: &str = "client-0001";

async fn crm_of(hubkeep: &Hubkeep) -> Crm {
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.update("contacts", "105", &[("firstname", "Ann")])
        .await
        .expect("the token is proven");
    hubkeep.hubspot.clear_journal();
    crm
}

async fn start() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let crm = crm_of(&hubkeep).await;
    (hubkeep, crm)
}

/// What an operator sees of a write by its request id.
async fn listed(hubkeep: &Hubkeep, state: WriteState, number: u64) -> Option<Write> {
    let message = ListWritesRequest {
        client_slug: A.to_owned(),
        states: vec![state.into()],
        ..ListWritesRequest::default()
    };
    let found = all_writes(hubkeep.channel(Service::Crm), message).await;
    let writes = found.expect("an operator").writes;
    writes
        .into_iter()
        .find(|write| write.request_id == write_id(number))
}

/// Sends an update whose answer HubSpot holds back; gives the rule that holds it, and the task that waits.
async fn under_way(hubkeep: &Hubkeep, crm: Crm) -> (FaultId, JoinHandle<Result<(), Status>>) {
    let hold = FaultRule::new(Fault::HoldUntilReleased).method("PATCH");
    let held = hubkeep.hubspot.inject(hold.after_effect());
    let asking = tokio::spawn(async move {
        let updated = crm.update("contacts", "101", &[("firstname", "Zoe")]).await;
        updated.map(drop)
    });
    eventually!(hubkeep.hubspot.held() > 0);
    (held, asking)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_unknown_outcome_is_found_also_where_it_could_not_be_marked() {
    let (hubkeep, crm) = start().await;
    let lost = FaultRule::new(Fault::CutConnection).method("PATCH").times(1);
    hubkeep.hubspot.inject(lost.after_effect());
    let (held, asking) = under_way(&hubkeep, crm.clone().under(&write_id(1))).await;
    let locked = WriteLock::take(&hubkeep.folder().join("crm-service.db"));
    hubkeep.hubspot.release(held);
    let refused = Refused::in_place_of(asking.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    drop(locked);
    eventually!(listed(&hubkeep, WriteState::Done, 1).await.is_some());
    let found = listed(&hubkeep, WriteState::Done, 1).await.expect("settled");
    assert_eq!(found.settled_by, "read");
    assert_eq!(sent_writes(hubkeep.journal()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_could_not_be_kept_is_kept_when_the_database_is_back() {
    let (hubkeep, crm) = start().await;
    let patient = crm.clone().under(&write_id(1));
    let (held, asking) = under_way(&hubkeep, patient.clone()).await;
    let locked = WriteLock::take(&hubkeep.folder().join("crm-service.db"));
    hubkeep.hubspot.release(held);
    asking.await.expect("no panic").expect("HubSpot has answered");
    drop(locked);
    eventually!(listed(&hubkeep, WriteState::Done, 1).await.is_some());
    let found = listed(&hubkeep, WriteState::Done, 1).await.expect("kept");
    assert_eq!(found.settled_by, "answer");
    let again = patient
        .update("contacts", "101", &[("firstname", "Zoe")])
        .await
        .expect("kept");
    assert!(again.reply.expect("about the call").kept);
    assert_eq!(sent_writes(hubkeep.journal()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_has_left_under_way_of_its_own_is_sorted_when_its_time_is_over() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited())).clock(clock.clone());
    let hubkeep = setup.start().await;
    let crm = crm_of(&hubkeep).await;
    crm.under(&write_id(1))
        .update("contacts", "101", &[("firstname", "Zoe")])
        .await
        .expect("written");
    // As if nobody had ever noted what came of it.
    let rows = rusqlite::Connection::open(hubkeep.folder().join("crm-service.db")).expect("opens");
    let forgotten = "UPDATE write_call SET state = 1, settled_by = '', sealed_answer = x''";
    assert_eq!(rows.execute(forgotten, []).expect("forgotten"), 1);
    drop(rows);
    assert!(listed(&hubkeep, WriteState::UnderWay, 1).await.is_some());
    eventually!({
        clock.advance(Duration::from_secs(30));
        listed(&hubkeep, WriteState::Done, 1).await.is_some()
    });
    let found = listed(&hubkeep, WriteState::Done, 1).await.expect("sorted");
    assert_eq!(found.settled_by, "log");
    assert_eq!(sent_writes(hubkeep.journal()).len(), 1);
}
