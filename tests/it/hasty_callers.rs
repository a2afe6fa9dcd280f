//! A portal that answers nobody is left alone also where all callers are in a hurry; and who would have waited is not shut out for
//! them.

use std::time::Duration;

use hubkeep_tests::{
    Allow, Fault, FaultRule, Hubkeep, Limits, Refused, World, eventually, support::audit::Reader,
};
use tonic::Code;

const A: &str = "client-0001";
/// Less than a portal must be silent for to be taken for one that does not answer.
const SHORT: Duration = Duration::from_millis(1_400);
const LONG: Duration = Duration::from_secs(60);
/// More than are needed: on a busy machine some have waited too little of their time at HubSpot to count.
const MOST: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn callers_in_a_hurry_hear_at_once_of_a_portal_that_answers_nobody_and_patient_ones_find_out_that_it_does()
 {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("it answers");
    let (hasty, patient) = (crm.clone().within(SHORT), crm.within(LONG));
    let hold = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).portal(hubkeep.portal_id(A)));
    let mut shut = None;
    for number in 0..MOST {
        let refused = Refused::in_place_of(hasty.get("contacts", &(1_000 + number).to_string()).await);
        if refused.reason == "PORTAL_NOT_ANSWERING" {
            shut = Some((number, refused));
            break;
        }
        assert_eq!(refused.reason, "HUBSPOT_UNAVAILABLE");
    }
    let (needed, refused) = shut.expect("it is left alone");
    assert!(needed >= 6, "after {needed} of them");
    assert_eq!(refused.code, Code::Unavailable);
    assert!(
        refused
            .retry_after
            .is_some_and(|wait| wait <= Duration::from_secs(60))
    );
    let reader = hubkeep.handle(A).allow([Allow::Quota]).types([]).issue().await;
    let told = async || {
        let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("told");
        quota.not_answering_until_time
    };
    assert!(told().await.is_some());

    // Whoever has time is let through, and its answer is one for all.
    let before = hubkeep.hubspot_calls().len();
    let waiting = tokio::spawn({
        let patient = patient.clone();
        async move { patient.get("contacts", "102").await }
    });
    eventually!(hubkeep.hubspot_calls().len() > before);
    hubkeep.hubspot.release(hold);
    waiting.await.expect("no panic").expect("answered");
    assert!(told().await.is_none());
    hasty.get("contacts", "103").await.expect("answered");
}
