//! A write may be sent long after it was begun: HubSpot has its time from then on, and so long nobody takes it for not done.

use std::time::Duration;

use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, Limits, Refused, World,
    support::writes::{sent_writes, write_id},
};
use tonic::Code;

const A: &str = "client-0001";
/// HubSpot is given up so soon here.
const QUIET: Duration = Duration::from_secs(2);
/// And the write is under way for longer.
const LONG: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_millis(900);

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_ended_just_now_is_not_taken_for_not_done_though_it_was_begun_long_ago() {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
    let setup = setup.crm(|config| config.writes.not_done_after = QUIET);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.update("contacts", "105", &[("firstname", "Ann")])
        .await
        .expect("the token is proven");
    hubkeep.hubspot.clear_journal();

    // It is held, and never carried out.
    for fault in [Fault::HoldUntilReleased, Fault::CutConnection] {
        hubkeep.hubspot.inject(FaultRule::new(fault).method("PATCH"));
    }
    let crm = crm.under(&write_id(1));
    let values = [("firstname", "Zoe")];
    let long = crm.clone().within(LONG);
    let refused = Refused::in_place_of(long.update("contacts", "101", &values).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let hasty = crm.clone().within(SOON);
    let refused = Refused::in_place_of(hasty.update("contacts", "101", &values).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    assert_eq!(
        sent_writes(hubkeep.journal()).len(),
        1,
        "HubSpot may still be at it"
    );
    hubkeep.hubspot.clear_faults();
    crm.update("contacts", "101", &values)
        .await
        .expect("it was not done, and is now");
    assert_eq!(sent_writes(hubkeep.journal()).len(), 2);
}
