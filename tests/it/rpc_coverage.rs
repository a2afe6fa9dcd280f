//! Every RPC of every service refuses a stranger, and has it on record.

use bytes::Bytes;
use hubkeep_audit_log::{Entry, Phase};
use hubkeep_core::{grpc::AccessRules, tls::refused_connection};
use hubkeep_proto::{DESCRIPTOR_SET, error::v1::ErrorReason};
use hubkeep_tests::{
    Crm, Hubkeep, Refused, Service, Setup, World, eventually,
    support::{
        certificates::{by_ca, over_tls},
        handles::named,
        portals::OPERATOR,
        raw,
    },
};
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor, Value,
};
use tonic::{Code, Request};

const A: &str = "client-0001";

/// Methods of `AuditService` that no handle opens.
const FOR_AUDITORS: [&str; 3] = ["GetRetention", "HoldLog", "ReleaseLog"];

/// Every method, with each service that serves it.
fn methods() -> Vec<(Service, MethodDescriptor)> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).expect("descriptors");
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("hubkeep."));
    let all: Vec<_> = services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    let servers = |method: &MethodDescriptor| -> &[Service] {
        match method.parent_service().package_name() {
            _ if method.parent_service().name() == "KeyService" => &[Service::Credential, Service::Crm],
            "hubkeep.credential.v1" => &[Service::Credential],
            "hubkeep.crm.v1" => &[Service::Crm],
            "hubkeep.audit.v1" => &[Service::Credential, Service::Crm],
            other => panic!("who serves {other}?"),
        }
    };
    let served: Vec<_> = all
        .iter()
        .flat_map(|method| servers(method).iter().map(|service| (*service, method.clone())))
        .collect();
    assert!(
        served.len() >= 38,
        "the walk misses methods: {} found",
        served.len()
    );
    served
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Rules for the same services, and these callers only.
fn only_for(rules: &AccessRules, callers: &[&str]) -> AccessRules {
    let services: Vec<String> = rules.services().map(str::to_owned).collect();
    AccessRules::new(services.iter().map(|service| (service.as_str(), callers)))
}

/// Whether no handle opens it, in a service whose other methods are for holders of handles.
fn is_for_operators_alone(method: &MethodDescriptor) -> bool {
    matches!(method.name(), "OpenPayload" | "ErasePayloads")
}

async fn denied_to(hubkeep: &Hubkeep, service: Service, caller: &str) -> Option<Entry> {
    let mut denied = hubkeep.entries(service, Phase::Denied).await;
    denied.retain(|entry| entry.caller == caller);
    denied.pop()
}

#[tokio::test]
async fn every_method_refuses_who_is_not_on_its_list_and_leaves_an_entry() {
    refuses_outsiders(Hubkeep::over(World::of_portals(1))).await;
}

#[tokio::test]
async fn every_method_refuses_a_certificate_that_is_not_on_its_list_and_leaves_an_entry() {
    refuses_outsiders(Hubkeep::over(World::of_portals(1)).certificates()).await;
}

#[tokio::test]
async fn no_method_is_reached_without_a_certificate() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).certificates().start().await;
    for (service, method) in methods() {
        let door = hubkeep.door(service);
        let without = over_tls(door.address(), by_ca(hubkeep.certificates().ca()));
        for channel in [door.plain(), without] {
            let answer = raw::call(channel, &path(&method), Request::new(Bytes::new())).await;
            let status = answer.expect_err("refused");
            assert!(
                refused_connection(&status).is_some(),
                "{}: {status:?}",
                path(&method)
            );
        }
    }
    for service in [Service::Credential, Service::Crm] {
        let denied = hubkeep.entries(service, Phase::Denied).await;
        assert!(denied.is_empty(), "no method saw them: {denied:?}");
    }
}

async fn refuses_outsiders(setup: Setup) {
    let setup = setup
        .credential(|config| config.access = only_for(&config.access, &["known", "crm-service"]))
        .crm(|config| config.access = only_for(&config.access, &["known"]));
    // Their operator is no known one.
    let hubkeep = setup.without_grants().start().await;
    for (number, (service, method)) in methods().into_iter().enumerate() {
        let (path, stranger) = (path(&method), format!("stranger-{number}"));
        let door = hubkeep.door(service);
        let request = door.request(&stranger, Bytes::new());
        let refused = Refused::in_place_of(raw::call(door.of(&stranger), &path, request).await);
        assert_eq!(
            refused.said(),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
            "{path}"
        );
        assert_eq!(refused.metadata["caller"], stranger);
        assert_eq!(
            refused.metadata["grpc_service"],
            method.parent_service().full_name()
        );
        eventually!(denied_to(&hubkeep, service, &stranger).await.is_some());
        let entry = denied_to(&hubkeep, service, &stranger).await.expect("on record");
        assert_eq!(entry.grpc_method, path, "on the log of {}", service.name());
        assert_eq!(entry.reason(), ErrorReason::CallerNotAllowed);
        assert_eq!(entry.request_id, refused.request_id);
        assert_eq!(
            (entry.portal_id, entry.client_slug.as_str()),
            (0, ""),
            "nothing proves a portal"
        );
    }
    assert!(hubkeep.journal().is_empty());
}

#[tokio::test]
async fn every_method_for_holders_of_handles_refuses_who_has_none_and_leaves_an_entry() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let before = hubkeep.journal().len();
    let by_handle = |method: &MethodDescriptor| {
        let service = method.parent_service();
        service.package_name() != "hubkeep.credential.v1"
            && service.name() != "AlertService"
            && !is_for_operators_alone(method)
            && !FOR_AUDITORS.contains(&method.name())
    };
    let methods = methods().into_iter().filter(|(_, method)| by_handle(method));
    for (number, (service, method)) in methods.enumerate() {
        let (path, caller) = (path(&method), format!("known-{number}"));
        let message = Bytes::from(plausible(&method.input()).encode_to_vec());
        let request = Crm::of(hubkeep.channel(service), &caller).request(message.clone());
        let refused = Refused::in_place_of(raw::call(hubkeep.channel(service), &path, request).await);
        assert_eq!(
            refused.said(),
            (Code::Unauthenticated, "HANDLE_MALFORMED"),
            "{path}"
        );
        eventually!(denied_to(&hubkeep, service, &caller).await.is_some());
        let entry = denied_to(&hubkeep, service, &caller).await.expect("on record");
        assert_eq!(
            (&entry.grpc_method, entry.reason()),
            (&path, ErrorReason::HandleMalformed)
        );
        assert_eq!(
            entry.portal_id, 0,
            "the slug that a stranger names proves nothing"
        );
    }
    assert_eq!(hubkeep.journal().len(), before, "nothing reached HubSpot");
}

#[tokio::test]
async fn what_is_for_auditors_alone_is_refused_to_others_whatever_they_show_and_leaves_an_entry() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    let methods = methods().into_iter();
    let methods = methods.filter(|(_, method)| FOR_AUDITORS.contains(&method.name()));
    for (number, (service, method)) in methods.enumerate() {
        let (path, caller) = (path(&method), format!("known-{number}"));
        let message = Bytes::from(plausible(&method.input()).encode_to_vec());
        let request = Crm::of(hubkeep.channel(service), &caller).request(message);
        let refused = Refused::in_place_of(raw::call(hubkeep.channel(service), &path, request).await);
        assert_eq!(
            refused.said(),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
            "{path}"
        );
        let entry = denied_to(&hubkeep, service, &caller).await.expect("on record");
        assert_eq!(entry.grpc_method, path);
    }
}

#[tokio::test]
async fn an_operator_is_not_a_peer_and_a_caller_is_no_operator() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    for (service, method) in methods() {
        let outsiders: &[&str] = match method.parent_service().name() {
            _ if is_for_operators_alone(&method) => &["sync", "crm-service", "operator", "operators/ann"],
            // An alert contains what it is about.
            "ContainmentService" if method.name() == "Contain" => &["sync", "operator", "operators/ann"],
            "PortalService" | "RotationService" | "KeyService" | "ContainmentService" | "AlertService" => {
                &["sync", "crm-service", "operator", "operators/ann"]
            }
            "SessionService" | "AuthorizationService" | "ConnectionService" => {
                &["sync", "operator", "operators/ann"]
            }
            "RedemptionService" => &["sync", OPERATOR, "crm-service2", "Crm-Service"],
            _ => continue,
        };
        for outsider in outsiders {
            let request = named(outsider, Bytes::new());
            let refused =
                Refused::in_place_of(raw::call(hubkeep.channel(service), &path(&method), request).await);
            assert_eq!(
                refused.reason,
                "CALLER_NOT_ALLOWED",
                "{outsider} at {}",
                path(&method)
            );
        }
    }
}

/// A message that asks for something which can be asked for.
fn plausible(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if let Some(value) = value_of(&field) {
            message.set_field(&field, value);
        }
    }
    message
}

fn value_of(field: &FieldDescriptor) -> Option<Value> {
    let text = |text: &str| Some(Value::String(text.to_owned()));
    match (field.name(), field.kind()) {
        ("client_slug", _) => text(A),
        ("object_type", _) => text("contacts"),
        ("object_id" | "owner_id", _) => text("101"),
        ("properties", _) if field.is_map() => {
            let pair = (
                MapKey::String("firstname".to_owned()),
                Value::String("x".to_owned()),
            );
            Some(Value::Map([pair].into()))
        }
        ("filter", Kind::Message(filter)) => Some(Value::Message(plausible(&filter))),
        _ => None,
    }
}
