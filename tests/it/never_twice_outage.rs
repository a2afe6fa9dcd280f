//! A write that became unknown is looked for until HubSpot can be asked.

use std::{collections::HashSet, time::Duration};

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::crm::v1::{ListWritesRequest, WriteState};
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::writes::{all_writes, sent_writes},
};
use tonic::Code;

const A: &str = "client-0001";
/// In place of a quarter of an hour.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// An outage of hours: so many looks have failed then.
const MANY: usize = 20;
const WITHIN: Duration = Duration::from_secs(60);

/// How many looks have failed: each is a call of its own, refused by HubSpot or on its way there.
async fn failed_looks(hubkeep: &Hubkeep) -> usize {
    let mut calls = HashSet::new();
    for phase in [Phase::Outcome, Phase::Denied] {
        let entries = hubkeep.entries(Service::Crm, phase).await;
        let looks = entries
            .into_iter()
            .filter(|entry| entry.operation() == Operation::ObjectGet);
        calls.extend(looks.map(|entry| entry.call_id));
    }
    calls.len()
}

async fn is_settled(hubkeep: &Hubkeep, state: WriteState) -> bool {
    let message = ListWritesRequest {
        client_slug: A.to_owned(),
        states: vec![state.into()],
        ..ListWritesRequest::default()
    };
    let listed = all_writes(hubkeep.channel(Service::Crm), message).await;
    listed.is_ok_and(|page| page.writes.len() == 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_a_write_could_not_be_looked_for_it_is_found_when_it_can_be() {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
    let setup = setup.crm(|config| config.writes.longest_between_looks = BETWEEN_LOOKS);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let lost = FaultRule::new(Fault::CutConnection).method("PATCH").times(1);
    hubkeep.hubspot.inject(lost.after_effect());
    // Not 503: that is asked for again within each look, and each would take ten seconds.
    let down = FaultRule::new(Fault::Status { status: 403 }).method("GET");
    let down = hubkeep.hubspot.inject(down.path("/crm/"));
    let refused = Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    eventually!(WITHIN, failed_looks(&hubkeep).await >= MANY);
    assert!(
        is_settled(&hubkeep, WriteState::Unknown).await,
        "nobody could ask"
    );
    hubkeep.hubspot.release(down);
    eventually!(WITHIN, is_settled(&hubkeep, WriteState::Done).await);
    assert_eq!(sent_writes(hubkeep.journal()).len(), 1, "it was sent once");
}
