//! The connection of crm-service to credential-service, in trouble.

use std::time::Duration;

use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Hubkeep, Limits, Proxy, Refused, World, eventually,
    support::trouble::{BREAKS, MENDED_WITHIN, Trouble, every_call_is_on_record},
};
use tonic::Code;

const A: &str = "client-0001";
/// The deadline of who states none: the service holds it, and no timer of the caller's comes first.
const DEADLINE: Duration = Duration::from_millis(800);
/// The deadline, and what a machine under load may add.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn crm_service_and_credential_service() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let setup = Hubkeep::over(world)
        .between_services(Proxy::open().await)
        .crm(|config| config.grpc.default_deadline = DEADLINE);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let proxy = hubkeep.between_services();
    let clock = SystemClock::shared();
    for trouble in BREAKS {
        let new = hubkeep.handle(A).issue().await;
        let crm = hubkeep.crm_as("sync").with(&new);
        let sent = hubkeep.hubspot_calls().len();
        trouble.befall(proxy);
        let began = clock.tick();
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        let took = clock.tick().since(began);
        assert_eq!(
            refused.said(),
            (Code::Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE"),
            "{trouble:?}"
        );
        assert!(refused.retry_after.is_some(), "{trouble:?}: nothing was sent");
        assert!(took < REFUSED_WITHIN, "{trouble:?}: told after {took:?}");
        assert_eq!(
            hubkeep.hubspot_calls().len(),
            sent,
            "{trouble:?}: nothing was sent"
        );
        proxy.restore();
        eventually!(MENDED_WITHIN, crm.get("contacts", "101").await.is_ok());
    }
    Trouble::Slow.befall(proxy);
    let slow = hubkeep.handle(A).issue().await;
    let patient = hubkeep.crm_as("sync").with(&slow).within(MENDED_WITHIN);
    patient.get("contacts", "101").await.expect("slow, and answered");
    proxy.restore();
    every_call_is_on_record(&hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_redeemed_before_the_trouble_serves_on_for_five_seconds_and_again_when_it_is_over() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let setup = Hubkeep::over(world)
        .between_services(Proxy::open().await)
        .crm(|config| config.grpc.default_deadline = DEADLINE);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let proxy = hubkeep.between_services();
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    eventually!(crm.get("contacts", "101").await.is_ok());
    for trouble in [Trouble::Silent, Trouble::RequestsLost] {
        trouble.befall(proxy);
        let refused = loop {
            match crm.get("contacts", "101").await {
                Ok(_) => {}
                Err(status) => break Refused::of(&status),
            }
        };
        assert_eq!(refused.reason, "CREDENTIAL_SERVICE_UNAVAILABLE", "{trouble:?}");
        proxy.restore();
        eventually!(MENDED_WITHIN, crm.get("contacts", "101").await.is_ok());
    }
    every_call_is_on_record(&hubkeep).await;
}
