//! A portal that is erased leaves nothing in either service that could bring its data back.

use std::time::Duration;

use hubkeep_audit_log::Operation;
use hubkeep_proto::credential::v1::{ErasePortalRequest, ErasePortalResponse};
use hubkeep_tests::{Hubkeep, Proxy, Refused, Service, World, eventually, proto_entry};
use tonic::Status;

const A: &str = "client-0001";
const B: &str = "client-0002";

async fn erase(hubkeep: &Hubkeep, slug: &str) -> Result<ErasePortalResponse, Status> {
    let mut request = hubkeep.by_operator(ErasePortalRequest {
        client_slug: slug.to_owned(),
        expected_portal_id: hubkeep.portal_id(slug),
    });
    request.set_timeout(Duration::from_secs(4));
    let answer = hubkeep.portals().erase_portal(request).await?;
    Ok(answer.into_inner())
}

/// The tombstones on a service's log, as (log, index, entry id).
async fn tombstones(hubkeep: &Hubkeep, service: Service) -> Vec<(String, u64, String)> {
    let events = hubkeep.audit_events(service).await;
    let tombstones = events
        .iter()
        .filter(|event| proto_entry(event).operation() == Operation::PortalTombstone);
    tombstones
        .map(|event| {
            (
                event.log.clone(),
                event.index,
                proto_entry(event).entry_id.clone(),
            )
        })
        .collect()
}

async fn leaves_nothing(hubkeep: Hubkeep) {
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let other = hubkeep.handle(B).issue().await;
    let (of_a, of_b) = (
        hubkeep.crm_as(&handle.caller).with(&handle),
        hubkeep.crm_as(&other.caller).with(&other),
    );
    of_a.get("contacts", "101").await.expect("reads");
    of_b.get("contacts", "101").await.expect("reads");

    let erased = erase(&hubkeep, A).await.expect("erases");
    let refused = Refused::in_place_of(of_a.get("contacts", "101").await);
    assert_eq!(refused.reason, "HANDLE_INVALID");
    of_b.get("contacts", "101").await.expect("is not touched");
    for service in [Service::Credential, Service::Crm] {
        let found = tombstones(&hubkeep, service).await;
        let [(log, index, entry)] = found.as_slice() else {
            panic!("one tombstone at {}, not {found:?}", service.name());
        };
        let line = format!("log {log} index {index} ");
        assert!(
            erased.certificate.contains(&line),
            "{line} is not in {}",
            erased.certificate
        );
        assert!(erased.certificate.contains(entry.as_str()));
        assert!(log.ends_with(&hubkeep.portal_id(A).to_string()));
    }
    assert!(
        erased
            .certificate
            .contains("crm-service: keys destroyed: audit-payload object-ref;")
    );
    let again = erase(&hubkeep, A).await.expect("changes nothing");
    assert_eq!(again.certificate, erased.certificate);
}

#[tokio::test]
async fn an_erased_portal_is_gone_from_both_services_and_its_certificate_names_both_tombstones() {
    leaves_nothing(Hubkeep::start(World::of_portals(2)).await).await;
}

#[tokio::test]
async fn an_erased_portal_is_gone_from_both_services_on_postgresql() {
    leaves_nothing(Hubkeep::over(World::of_portals(2)).postgres().start().await).await;
}

#[tokio::test]
async fn an_erasure_that_crm_service_did_not_hear_of_is_carried_out_when_it_does() {
    let hubkeep = Hubkeep::over(World::of_portals(1))
        .between_services(Proxy::open().await)
        .start()
        .await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    crm.get("contacts", "101").await.expect("reads");
    hubkeep.between_services().cut();
    let refused = Refused::in_place_of(erase(&hubkeep, A).await);
    assert_eq!(refused.reason, "ERASURE_PENDING");
    assert!(tombstones(&hubkeep, Service::Crm).await.is_empty());
    hubkeep.between_services().restore();
    eventually!(!tombstones(&hubkeep, Service::Crm).await.is_empty());
    erase(&hubkeep, A).await.expect("is certified now");
}
