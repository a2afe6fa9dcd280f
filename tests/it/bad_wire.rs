//! Bytes that no client of ours would send: each is refused with a reason, and the service goes on.

use bytes::Bytes;
use hubkeep_core::grpc::CALLER_HEADER;
use hubkeep_tests::{
    Crm, Handle, Hubkeep, Refused, Service, World,
    support::{crm, handles::named, portals::OPERATOR, raw},
};
use tonic::{Code, Request, metadata::MetadataValue};

const A: &str = "client-0001";
const GET_OBJECT: &str = "/hubkeep.crm.v1.ObjectService/GetObject";
const ISSUE_HANDLE: &str = "/hubkeep.credential.v1.HandleService/IssueHandle";
const FIVE_MB: usize = 5 * 1024 * 1024;

async fn ready() -> (Hubkeep, Handle) {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    (hubkeep, handle)
}

/// The same connection still serves, and nothing but this one call has reached HubSpot.
async fn goes_on(hubkeep: &Hubkeep, handle: &Handle) {
    assert!(
        hubkeep.hubspot_calls().is_empty(),
        "something was sent to HubSpot"
    );
    let crm: Crm = hubkeep.crm_as("sync").with(handle);
    crm.get("contacts", "101").await.expect("the service goes on");
    hubkeep.handle(A).issue().await;
}

/// A message whose first field is a text of this length.
fn of_text(length: usize) -> Bytes {
    let mut message = vec![0x0a];
    let mut left = length;
    while left >= 0x80 {
        message.push(u8::try_from(left & 0x7f).expect("seven bits") | 0x80);
        left >>= 7;
    }
    message.push(u8::try_from(left).expect("seven bits"));
    message.resize(message.len() + length, b'a');
    message.into()
}

#[tokio::test]
async fn a_message_of_five_megabytes_is_too_large() {
    let (hubkeep, handle) = ready().await;
    for (service, path) in [(Service::Crm, GET_OBJECT), (Service::Credential, ISSUE_HANDLE)] {
        let request = named("sync", of_text(FIVE_MB));
        let refused = Refused::in_place_of(raw::call(hubkeep.channel(service), path, request).await);
        assert_eq!(refused.said(), (Code::OutOfRange, "MESSAGE_TOO_LARGE"), "{path}");
    }
    goes_on(&hubkeep, &handle).await;
}

#[tokio::test]
async fn bytes_that_are_no_message_are_malformed() {
    let (hubkeep, handle) = ready().await;
    let broken: [&[u8]; 4] = [
        &[0xff; 16],
        &[0x0a, 0x7f, 0x61],
        &[0x0a, 0x02, 0xff, 0xfe],
        &[0x08],
    ];
    for (service, path) in [(Service::Crm, GET_OBJECT), (Service::Credential, ISSUE_HANDLE)] {
        for bytes in broken {
            let request = named("sync", Bytes::from_static(bytes));
            let refused = Refused::in_place_of(raw::call(hubkeep.channel(service), path, request).await);
            assert_eq!(
                refused.said(),
                (Code::Internal, "MESSAGE_MALFORMED"),
                "{path} {bytes:02x?}"
            );
        }
    }
    goes_on(&hubkeep, &handle).await;
}

#[tokio::test]
async fn an_unknown_method_and_an_unknown_service_have_a_reason_too() {
    let (hubkeep, handle) = ready().await;
    let table = [
        (
            Service::Crm,
            "/hubkeep.crm.v1.ObjectService/DropEverything",
            Code::Unimplemented,
            "METHOD_UNKNOWN",
        ),
        (
            Service::Credential,
            "/hubkeep.credential.v1.PortalService/Reveal",
            Code::Unimplemented,
            "METHOD_UNKNOWN",
        ),
        (
            Service::Crm,
            "/hubkeep.credential.v1.PortalService/ListPortals",
            Code::PermissionDenied,
            "CALLER_NOT_ALLOWED",
        ),
        (
            Service::Credential,
            "/hubkeep.crm.v1.ObjectService/GetObject",
            Code::PermissionDenied,
            "CALLER_NOT_ALLOWED",
        ),
        (
            Service::Crm,
            "/nobody.v1.Nothing/Do",
            Code::PermissionDenied,
            "CALLER_NOT_ALLOWED",
        ),
    ];
    for (service, path, code, reason) in table {
        let request = named(OPERATOR, Bytes::new());
        let refused = Refused::in_place_of(raw::call(hubkeep.channel(service), path, request).await);
        assert_eq!(refused.said(), (code, reason), "{path}");
    }
    goes_on(&hubkeep, &handle).await;
}

#[tokio::test]
async fn a_caller_whose_name_is_rubbish_is_nobody() {
    let (hubkeep, handle) = ready().await;
    let long = "x".repeat(129);
    let names: [&[u8]; 8] = [
        b"",
        b" ",
        b"a b",
        b"-a",
        b"sync\"; drop",
        b"../x",
        "s\u{fc}nc".as_bytes(),
        long.as_bytes(),
    ];
    for service in [Service::Crm, Service::Credential] {
        for name in names {
            let path = if service == Service::Crm {
                GET_OBJECT
            } else {
                ISSUE_HANDLE
            };
            let mut request = Request::new(Bytes::new());
            let value = MetadataValue::try_from(name).expect("can be sent");
            request.metadata_mut().insert(CALLER_HEADER, value);
            let refused = Refused::in_place_of(raw::call(hubkeep.channel(service), path, request).await);
            assert_eq!(
                refused.said(),
                (Code::Unauthenticated, "CALLER_UNKNOWN"),
                "{name:?}"
            );
        }
    }
    goes_on(&hubkeep, &handle).await;
}

#[tokio::test]
async fn an_id_that_is_none_is_replaced_and_a_timeout_that_is_none_is_ignored() {
    let (hubkeep, handle) = ready().await;
    let crm = hubkeep.crm_as("sync").with(&handle).naming("client-0002");
    for id in ["", "x", "' OR 1=1", &"1".repeat(200)] {
        let refused = Refused::in_place_of(crm.clone().request_id(id).get("contacts", "101").await);
        assert_eq!(refused.reason, "PORTAL_MISMATCH");
        assert_ne!(refused.request_id, id);
        assert_eq!(refused.request_id.len(), 36, "{}", refused.request_id);
    }
    for timeout in ["-1S", "soon", "99999999999S"] {
        let mut request = crm.clone().naming(A).request(Bytes::new());
        request
            .metadata_mut()
            .insert("grpc-timeout", timeout.parse().expect("ascii"));
        let refused = raw::call(hubkeep.channel(Service::Crm), GET_OBJECT, request).await;
        assert_eq!(
            Refused::in_place_of(refused).reason,
            "INVALID_FIELD",
            "of the empty message: {timeout}"
        );
    }
    goes_on(&hubkeep, &handle).await;
}

#[tokio::test]
async fn metadata_without_end_is_refused_and_harms_nobody_else() {
    let (hubkeep, handle) = ready().await;
    let mut request = crm::Crm::of(hubkeep.channel(Service::Crm), "sync")
        .with(&handle)
        .request(Bytes::new());
    let value = "x".repeat(60_000).parse().expect("ascii");
    request.metadata_mut().insert("x-huge", value);
    // The HTTP/2 layer refuses it before there is a request, so that it cannot carry a reason.
    let refused = raw::call(hubkeep.channel(Service::Crm), GET_OBJECT, request).await;
    assert!(refused.is_err());
    goes_on(&hubkeep, &handle).await;
}
