//! A budget holds over all replicas together: a one-shot handle makes one call, whoever races for it.

use futures::future::join_all;
use hubkeep_tests::{Fleet, Limits, Refused, World};
use tonic::Code;

const REPLICAS: usize = 3;
const RACERS: usize = 100;
const SLUG: &str = "client-0001";

async fn fleet() -> Fleet {
    let fleet = Fleet::start(World::of_portals(1).limits(&Limits::unlimited()), REPLICAS).await;
    fleet.onboard_all().await;
    fleet
}

/// The requests for records that HubSpot received.
fn received(fleet: &Fleet) -> usize {
    let mut journal = fleet.hubspot.journal();
    journal.retain(|entry| entry.path.starts_with("/crm/"));
    journal.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_racing_calls_on_a_one_shot_handle_one_reaches_hubspot() {
    let fleet = fleet().await;
    let handle = fleet.handle(SLUG).budget(1, 0).issue().await;
    // Each on a connection of its own, so that the balancer spreads them over the replicas.
    let racers = (0..RACERS).map(|_| fleet.crm_as("sync").with(&handle));
    let racers: Vec<_> = racers.collect();
    let answers = join_all(racers.iter().map(|crm| crm.get("contacts", "101"))).await;
    let passed = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!((passed, received(&fleet)), (1, 1));
    for refused in answers.into_iter().filter(Result::is_err) {
        let refused = Refused::in_place_of(refused);
        assert_eq!(
            refused.said(),
            (Code::ResourceExhausted, "HANDLE_BUDGET_EXHAUSTED")
        );
        assert_eq!(refused.metadata["budget"], "calls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_together_make_no_more_calls_than_a_handle_may() {
    const MOST: u64 = 120;
    let fleet = fleet().await;
    let handle = fleet.handle(SLUG).budget(MOST, 0).issue().await;
    let callers: Vec<_> = (0..6).map(|_| fleet.crm_as("sync").with(&handle)).collect();
    let passed = join_all(callers.iter().map(async |crm| {
        let mut passed = 0_u64;
        for _ in 0..MOST {
            match crm.get("contacts", "101").await {
                Ok(_) => passed += 1,
                Err(status) => {
                    let refused = Refused::of(&status);
                    assert_eq!(refused.said().1, "HANDLE_BUDGET_EXHAUSTED");
                    return passed;
                }
            }
        }
        passed
    }))
    .await;
    let passed: u64 = passed.into_iter().sum();
    assert!(passed <= MOST, "{passed} calls passed");
    assert_eq!(received(&fleet) as u64, passed);
    // What lies unspent at one replica while another is refused is little.
    assert!(passed >= MOST - MOST / 4, "only {passed} calls passed");
}
