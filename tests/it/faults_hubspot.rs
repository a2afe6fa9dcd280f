//! The connections of both services to HubSpot, in trouble.

use std::time::Duration;

use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Crm, Hubkeep, Proxy, Refused, Setup, World, eventually,
    support::trouble::{BREAKS, MENDED_WITHIN, Trouble, every_call_is_on_record, socket_of, url_of},
};
use tonic::Code;

const A: &str = "client-0001";
/// The deadline of who states none: the service holds it, and no timer of the caller's comes first.
const DEADLINE: Duration = Duration::from_millis(800);
/// The deadline, and what a machine under load may add.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);

/// Both services reach HubSpot through a proxy of their own.
async fn behind_proxies() -> (Hubkeep, Proxy, Proxy) {
    let (credential, crm) = (Proxy::open().await, Proxy::open().await);
    let (to_credential, to_crm) = (url_of(&credential), url_of(&crm));
    let setup: Setup = Hubkeep::over(World::of_portals(8))
        .credential(move |config| {
            config.hubspot.api_base = to_credential;
            config.hubspot.attempt_timeout = DEADLINE;
        })
        .crm(move |config| {
            config.hubspot.api_base = to_crm;
            config.grpc.default_deadline = DEADLINE;
        });
    let hubkeep = setup.start().await;
    let hubspot = socket_of(&hubkeep.hubspot.base_url());
    credential.lead_to(hubspot);
    crm.lead_to(hubspot);
    (hubkeep, credential, crm)
}

#[tokio::test(flavor = "multi_thread")]
async fn crm_service_and_hubspot() {
    let (hubkeep, _credential, proxy) = behind_proxies().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("all is well");
    // Whose account the token is has been asked by then: what follows is about the writes themselves.
    crm.update("contacts", "101", &[("firstname", "first")])
        .await
        .expect("all is well");
    for trouble in BREAKS {
        trouble.befall(&proxy);
        both_are_told(trouble, &crm).await;
        proxy.restore();
        eventually!(MENDED_WITHIN, crm.get("contacts", "101").await.is_ok());
        let patient = crm.clone().within(MENDED_WITHIN);
        let wrote = patient
            .update("contacts", "101", &[("firstname", "mended")])
            .await;
        wrote.unwrap_or_else(|status| panic!("after {trouble:?}: {status:?}"));
    }
    Trouble::Slow.befall(&proxy);
    let patient = crm.within(MENDED_WITHIN);
    patient.get("contacts", "101").await.expect("slow, and answered");
    let wrote = patient.update("contacts", "101", &[("firstname", "slow")]).await;
    wrote.expect("slow, and written");
    proxy.restore();
    every_call_is_on_record(&hubkeep).await;
}

/// A read and a write under a trouble: each ends in time, and the write claims nothing that nobody knows.
async fn both_are_told(trouble: Trouble, crm: &Crm) {
    let clock = SystemClock::shared();
    let began = clock.tick();
    let (read, wrote) = futures::join!(
        crm.get("contacts", "101"),
        crm.update("contacts", "101", &[("firstname", "lost")])
    );
    let took = clock.tick().since(began);
    assert!(took < REFUSED_WITHIN, "{trouble:?}: told after {took:?}");
    let refused = Refused::in_place_of(read);
    assert_eq!(
        refused.said(),
        (Code::Unavailable, "HUBSPOT_UNAVAILABLE"),
        "{trouble:?}"
    );
    let refused = Refused::in_place_of(wrote);
    let possible = [
        (Code::Unknown, "OUTCOME_UNKNOWN"),
        // Where not even a connection came about, nothing was sent.
        (Code::Unavailable, "HUBSPOT_UNAVAILABLE"),
    ];
    assert!(possible.contains(&refused.said()), "{trouble:?}: {refused:?}");
    assert!(
        refused.retry_after.is_none(),
        "{trouble:?}: a write is never sent twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_service_and_hubspot() {
    let (hubkeep, proxy, _crm) = behind_proxies().await;
    hubkeep
        .onboard(A, &hubkeep.token(A), 0)
        .await
        .expect("all is well");
    let clock = SystemClock::shared();
    // A client of its own for each trouble: a token may be asked about a few times in ten seconds only.
    let clients: Vec<String> = (2..=8).map(|number| format!("client-{number:04}")).collect();
    for (onboarded, (trouble, client)) in (1..).zip(BREAKS.into_iter().zip(&clients)) {
        let token = hubkeep.token(client);
        trouble.befall(&proxy);
        let began = clock.tick();
        let refused = Refused::in_place_of(hubkeep.onboard(client, &token, 0).await);
        assert_eq!(
            refused.said(),
            (Code::Unavailable, "HUBSPOT_UNAVAILABLE"),
            "{trouble:?}"
        );
        let took = clock.tick().since(began);
        assert!(took < REFUSED_WITHIN, "{trouble:?}: told after {took:?}");
        assert_eq!(
            hubkeep.onboarded().await.len(),
            onboarded,
            "{trouble:?}: nothing was stored unverified"
        );
        // What is onboarded works on: no call of its needs HubSpot's word about its token.
        let handle = hubkeep.handle(A).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle);
        crm.get("contacts", "101").await.expect("works on");
        proxy.restore();
        eventually!(MENDED_WITHIN, hubkeep.onboard(client, &token, 0).await.is_ok());
    }
    Trouble::Slow.befall(&proxy);
    let last = clients.last().expect("there are seven");
    eventually!(
        MENDED_WITHIN,
        hubkeep.onboard(last, &hubkeep.token(last), 0).await.is_ok()
    );
    proxy.restore();
    every_call_is_on_record(&hubkeep).await;
}
