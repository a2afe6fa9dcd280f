//! A handle belongs to one certificate, and a role to those who have it.

use hubkeep_audit_log::{Cause, Entry, Phase};
use hubkeep_core::grpc::{AUDITOR, FLEET, Roles};
use hubkeep_proto::{
    audit::v1::{EventFilter, ListEventsRequest, audit_service_client::AuditServiceClient},
    credential::v1::{
        IntrospectHandleRequest, ListPortalsRequest, RedeemHandleRequest,
        handle_service_client::HandleServiceClient, portal_service_client::PortalServiceClient,
        redemption_service_client::RedemptionServiceClient,
    },
};
use hubkeep_tests::{
    Allow, Crm, Handle, Hubkeep, Refused, Service, World,
    support::{audit::Reader, certificates::Holder, handles::EVERYTHING},
};
use tonic::{Code, Request};

const A: &str = "client-0001";
const BOTH: [Service; 2] = [Service::Credential, Service::Crm];

async fn certified() -> Hubkeep {
    let hubkeep = Hubkeep::over(World::of_portals(1)).certificates().start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

/// What this holder is told everywhere where it shows this handle.
async fn shows(hubkeep: &Hubkeep, holder: &Holder, handle: &Handle) -> Vec<Refused> {
    let over = |service| holder.connect(hubkeep.door(service).address());
    let crm = Crm::of(over(Service::Crm), "").silent().with(handle);
    let mut told = vec![Refused::in_place_of(crm.get("contacts", "101").await)];
    let question = IntrospectHandleRequest {
        handle: handle.token.clone(),
    };
    let mut handles = HandleServiceClient::new(over(Service::Credential));
    told.push(Refused::in_place_of(handles.introspect_handle(question).await));
    for service in BOTH {
        let list = crm.request(ListEventsRequest {
            filter: Some(of_a()),
            ..ListEventsRequest::default()
        });
        let mut audit = AuditServiceClient::new(over(service));
        told.push(Refused::in_place_of(audit.list_events(list).await));
    }
    told
}

fn of_a() -> EventFilter {
    EventFilter {
        client_slug: A.to_owned(),
        ..EventFilter::default()
    }
}

/// The entries at credential-service about handles that came from somebody else than their holder.
async fn of_another_caller(hubkeep: &Hubkeep) -> Vec<Entry> {
    let mut denied = hubkeep.entries(Service::Credential, Phase::Denied).await;
    denied.retain(|entry| entry.cause() == Cause::HandleOfAnotherCaller);
    denied
}

#[tokio::test]
async fn a_handle_is_worthless_with_any_certificate_but_its_own() {
    let hubkeep = certified().await;
    let reading = EVERYTHING.into_iter().chain([Allow::ReadAudit]);
    let handle = hubkeep.handle(A).allow(reading).issue().await;
    let own = hubkeep.crm_as("sync").with(&handle);
    own.get("contacts", "101")
        .await
        .expect("its own, and now in memory");
    for service in BOTH {
        let read = hubkeep
            .list_events(service, Reader::Holder(&handle), of_a())
            .await;
        assert!(!read.expect("its own").is_empty());
    }
    let sent = hubkeep.hubspot_calls().len();
    let thieves = [
        hubkeep.certificates().another("sync"),
        hubkeep.certificates().of("agent"),
    ];
    for (number, thief) in thieves.iter().enumerate() {
        let told = shows(&hubkeep, thief, &handle).await;
        for refused in &told {
            assert_eq!(
                refused.said(),
                (Code::Unauthenticated, "HANDLE_INVALID"),
                "thief {number}"
            );
            assert!(refused.metadata.is_empty(), "why is on the log only");
        }
        let recorded = of_another_caller(&hubkeep).await;
        assert!(recorded.len() > number, "the true cause is on the log");
        assert!(recorded.iter().all(|entry| entry.handle_id == handle.id));
    }
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "nothing was sent for them");
    own.get("contacts", "101")
        .await
        .expect("its holder is not touched by it");
}

#[tokio::test]
async fn only_crm_services_certificate_redeems_and_only_for_the_certificate_it_saw() {
    let hubkeep = certified().await;
    let handle = hubkeep.handle(A).issue().await;
    let request = RedeemHandleRequest {
        handle: handle.token.clone(),
        presented_by: "sync".to_owned(),
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        ..RedeemHandleRequest::default()
    };
    let door = hubkeep.door(Service::Credential);
    for outsider in ["sync", "operator/ann", "crm-service2", "credential-service"] {
        let mut redemption = RedemptionServiceClient::new(door.of(outsider));
        let refused = Refused::in_place_of(redemption.redeem_handle(request.clone()).await);
        assert_eq!(
            refused.said(),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
            "{outsider}"
        );
    }
    let mut redemption = RedemptionServiceClient::new(door.of("crm-service"));
    for thumbprint in [Vec::new(), vec![0; 32]] {
        let request = RedeemHandleRequest {
            presented_thumbprint: thumbprint,
            ..request.clone()
        };
        let refused = Refused::in_place_of(redemption.redeem_handle(request).await);
        assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_INVALID"));
    }
    assert_eq!(of_another_caller(&hubkeep).await.len(), 2);
}

/// Ann looks after the portals, Eve audits, and Bob may do neither.
async fn with_roles() -> Hubkeep {
    let roles = || {
        let fleet = ["operator/ann"];
        let auditors = ["operator/eve", "archive"];
        Roles::new([(FLEET, fleet.as_slice()), (AUDITOR, auditors.as_slice())])
    };
    let setup = Hubkeep::over(World::of_portals(1)).certificates();
    let setup = setup.credential(move |config| config.roles = roles());
    let hubkeep = setup.crm(move |config| config.roles = roles()).start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

#[tokio::test]
async fn an_operator_without_the_role_is_refused_and_on_record() {
    let hubkeep = with_roles().await;
    let list = |operator: &str| {
        let mut portals = PortalServiceClient::new(hubkeep.door(Service::Credential).of(operator));
        async move {
            portals
                .list_portals(Request::new(ListPortalsRequest::default()))
                .await
        }
    };
    list("operator/ann").await.expect("has the role");
    for outsider in ["operator/bob", "operator/eve", "archive"] {
        let refused = Refused::in_place_of(list(outsider).await);
        assert_eq!(
            refused.said(),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
            "{outsider}"
        );
        assert_eq!(refused.metadata["caller"], outsider);
        let denied = hubkeep.entries(Service::Credential, Phase::Denied).await;
        assert!(
            denied.iter().any(|entry| entry.caller == outsider),
            "{outsider} on record"
        );
    }
}

#[tokio::test]
async fn the_whole_log_is_read_by_auditors_only_and_by_others_with_a_handle() {
    let hubkeep = with_roles().await;
    let handle = hubkeep
        .handle(A)
        .for_caller("operator/bob")
        .allow([Allow::ReadAudit]);
    let handle = handle.issue().await;
    for service in BOTH {
        for auditor in ["operator/eve", "archive"] {
            let read = hubkeep.list_events(service, Reader::Operator(auditor), EventFilter::default());
            assert!(!read.await.expect("has the role").is_empty(), "{auditor}");
        }
        for operator in ["operator/bob", "operator/ann"] {
            let read = hubkeep.list_events(service, Reader::Operator(operator), EventFilter::default());
            let refused = Refused::in_place_of(read.await);
            assert_eq!(
                refused.said(),
                (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
                "{operator}"
            );
            assert_eq!(refused.metadata["grpc_service"], "hubkeep.audit.v1.AuditService");
            let denied = hubkeep.entries(service, Phase::Denied).await;
            assert!(
                denied.iter().any(|entry| entry.caller == operator),
                "{operator} on record"
            );
        }
        let own = hubkeep
            .list_events(service, Reader::Holder(&handle), of_a())
            .await;
        let own = own.expect("its handle opens this portal's log");
        assert!(
            own.iter()
                .all(|event| event.log.ends_with(&hubkeep.portal_id(A).to_string()))
        );
    }
}
