//! When the last request with an old token begins: a crm-service that hears of the switch begins none any more, and one that
//! hears nothing begins none 5 s later.

use std::{pin::pin, time::Duration};

use futures::FutureExt as _;
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_tests::{Hubkeep, Proxy, Refused, World, eventually};
use hubspot_sim::fingerprint;
use tonic::Code;

const A: &str = "client-0001";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";
const NOW: Timestamp = Timestamp::from_micros(1_795_366_800_000_000);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_service_that_is_cut_off_begins_nothing_with_the_old_token_5_s_after_a_rotation() {
    let clock = MockClock::at(NOW);
    let setup = Hubkeep::over(World::of_portals(1)).clock(clock.clone());
    let hubkeep = setup.between_services(Proxy::open().await).start().await;
    hubkeep.onboard_all().await;
    let old = hubkeep.token(A);
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    crm.get("contacts", "101").await.expect("served");

    hubkeep.between_services().cut();
    // HubSpot is asked about the new token when who is cut off is sure to be lent no place of the portal's limit any more.
    let mut rotating = pin!(hubkeep.rotate(A, &old, NEW));
    eventually!({
        clock.advance(SECOND / 10);
        rotating.as_mut().now_or_never().is_some()
    });
    clock.advance(5 * SECOND);
    let made = hubkeep.hubspot_calls().len();
    for _ in 0..50 {
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(
            refused.said(),
            (Code::Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE")
        );
    }
    assert_eq!(hubkeep.hubspot_calls().len(), made, "none reached HubSpot");

    hubkeep.between_services().restore();
    eventually!({
        clock.advance(SECOND / 5);
        crm.get("contacts", "101").await.is_ok()
    });
    let after = hubkeep.hubspot_calls().split_off(made);
    let with_new = Some(fingerprint(NEW));
    assert!(!after.is_empty() && after.iter().all(|call| call.token_fingerprint == with_new));
}
