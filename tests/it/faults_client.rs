//! The connection of a caller to crm-service, in trouble: the caller may not hear how its call ended, and the log does.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Phase};
use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Proxy, Service, World, eventually,
    support::trouble::{BREAKS, MENDED_WITHIN, Trouble, every_call_is_on_record, url_of},
};
use tonic::{Code, transport::Endpoint};

const A: &str = "client-0001";
const DEADLINE: Duration = Duration::from_millis(800);
/// The deadline, and what a machine under load may add.
const TOLD_WITHIN: Duration = Duration::from_secs(3);
/// How often a caller who wants to know asks whether the service is still there.
const KEEP_ALIVE: Duration = Duration::from_millis(500);

async fn behind_a_proxy() -> (Hubkeep, Proxy, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let proxy = Proxy::to(hubkeep.address(Service::Crm)).await;
    let endpoint = Endpoint::from_shared(url_of(&proxy).to_string()).expect("an address");
    let channel = endpoint
        .connect_timeout(KEEP_ALIVE)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .connect_lazy();
    let handle = hubkeep.handle(A).issue().await;
    let crm = Crm::of(channel, "sync").with(&handle).within(DEADLINE);
    crm.get("contacts", "101").await.expect("all is well");
    (hubkeep, proxy, crm)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_and_crm_service() {
    let (hubkeep, proxy, crm) = behind_a_proxy().await;
    let clock = SystemClock::shared();
    for trouble in BREAKS {
        trouble.befall(&proxy);
        let began = clock.tick();
        let told = crm.get("contacts", "101").await.expect_err("no answer can come");
        let took = clock.tick().since(began);
        assert!(took < TOLD_WITHIN, "{trouble:?}: told after {took:?}");
        let possible = [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::Cancelled,
            Code::Unknown,
        ];
        assert!(possible.contains(&told.code()), "{trouble:?}: {told:?}");
        proxy.restore();
        eventually!(MENDED_WITHIN, crm.get("contacts", "101").await.is_ok());
    }
    Trouble::Slow.befall(&proxy);
    let patient = crm.within(MENDED_WITHIN);
    patient.get("contacts", "101").await.expect("slow, and answered");
    proxy.restore();
    every_call_is_on_record(&hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_at_hubspot_when_its_caller_is_lost_ends_and_is_on_record() {
    for trouble in BREAKS {
        let (hubkeep, proxy, crm) = behind_a_proxy().await;
        let held = hubkeep
            .hubspot
            .inject(FaultRule::new(Fault::HoldUntilReleased).path("/crm/"));
        let patient = crm.within(MENDED_WITHIN);
        let writing = tokio::spawn(async move {
            patient
                .update("contacts", "101", &[("firstname", "written")])
                .await
        });
        hubkeep.hubspot.until_held(1).await;
        trouble.befall(&proxy);
        let told = writing.await.expect("no panic");
        told.expect_err("its caller hears nothing any more");
        hubkeep.hubspot.release(held);
        eventually!({
            let outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
            // The write, and before it whose account the token is; and the read by which all began.
            outcomes.len() == 3 && outcomes.iter().all(|outcome| outcome.result() == CallResult::Ok)
        });
        every_call_is_on_record(&hubkeep).await;
    }
}
