//! A write that became unknown because HubSpot was down is still looked for when HubSpot is back.

use std::time::Duration;

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::{MockClock, SystemClock};
use hubkeep_proto::crm::v1::{ListWritesRequest, WriteState};
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::writes::{all_writes, sent_writes},
};
use tonic::Code;

const A: &str = "client-0001";
/// Between two looks of the test: what the services ask each other is given up after seconds of the same clock.
const STEP: Duration = Duration::from_millis(200);
const MINUTE: Duration = Duration::from_secs(60);

/// Reads that HubSpot has received.
fn looks(hubkeep: &Hubkeep) -> usize {
    let journal = hubkeep.journal();
    journal.iter().filter(|entry| entry.method == "GET").count()
}

async fn is_reserved(hubkeep: &Hubkeep) -> bool {
    let entries = hubkeep.entries(Service::Credential, Phase::Admin).await;
    entries
        .iter()
        .any(|entry| entry.operation() == Operation::CallReserve)
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

#[tokio::test]
async fn however_long_hubspot_was_down_a_write_is_found_when_it_is_back_without_anybody_asking() {
    let clock = MockClock::at(SystemClock::shared().now());
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited())).clock(clock.clone());
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let lost = FaultRule::new(Fault::CutConnection).method("PATCH").times(1);
    hubkeep.hubspot.inject(lost.after_effect());
    let down = FaultRule::new(Fault::Status { status: 503 }).method("GET");
    let down = hubkeep.hubspot.inject(down.path("/crm/"));
    let refused = Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    eventually!(is_reserved(&hubkeep).await);
    leap_until(&clock, async || looks(&hubkeep) > 30).await;
    assert!(
        is_settled(&hubkeep, WriteState::Unknown).await,
        "nobody could ask"
    );
    hubkeep.hubspot.release(down);
    leap_until(&clock, async || is_settled(&hubkeep, WriteState::Done).await).await;
    assert_eq!(sent_writes(hubkeep.journal()).len(), 1, "it was sent once");
}

/// Lets half hours pass, and some time after each for what was begun.
async fn leap_until(clock: &MockClock, mut holds: impl AsyncFnMut() -> bool) {
    let mut steps = 0_u32;
    eventually!(3 * MINUTE, {
        let step = if steps.is_multiple_of(300) {
            31 * MINUTE
        } else {
            STEP
        };
        clock.advance(step);
        steps += 1;
        holds().await
    });
}
