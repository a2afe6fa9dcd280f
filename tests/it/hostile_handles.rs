//! Whatever is sent in place of a handle opens nothing, and nothing reaches HubSpot for it.

use hubkeep_proto::{
    credential::v1::IntrospectHandleRequest,
    crm::v1::{GetObjectRequest, object_service_client::ObjectServiceClient},
};
use hubkeep_tests::{Crm, Handle, Hubkeep, Refused, Service, World};
use tonic::{Code, Request, metadata::MetadataValue};

const A: &str = "client-0001";
const B: &str = "client-0002";
const MEGABYTE: usize = 1024 * 1024;

async fn ready() -> (Hubkeep, Handle) {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    (hubkeep, handle)
}

fn is_no_handle(refused: &Refused) -> bool {
    matches!(
        refused.said(),
        (Code::Unauthenticated, "HANDLE_MALFORMED" | "HANDLE_INVALID")
    )
}

async fn introspected(hubkeep: &Hubkeep, text: &str) -> Refused {
    Refused::in_place_of(hubkeep.introspect(text, "sync").await)
}

#[tokio::test]
async fn a_handle_with_any_bit_flipped_opens_nothing() {
    let (hubkeep, handle) = ready().await;
    let crm = hubkeep.crm_as("sync").naming(A);
    for place in 0..handle.token.len() {
        for bit in 0..7 {
            let mut bytes = handle.token.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            let text = String::from_utf8(bytes).expect("ASCII");
            assert!(
                is_no_handle(&introspected(&hubkeep, &text).await),
                "{place}.{bit}"
            );
            // What cannot stand in metadata cannot be sent at all.
            if text.bytes().all(|byte| byte.is_ascii_graphic()) {
                let answer = Crm::clone(&crm).sending(&text).get("contacts", "101").await;
                assert!(is_no_handle(&Refused::in_place_of(answer)), "{place}.{bit}");
            }
        }
    }
    assert!(hubkeep.hubspot_calls().is_empty());
}

#[tokio::test]
async fn a_handle_with_nul_cut_or_without_end_opens_nothing() {
    let (hubkeep, handle) = ready().await;
    let token = &handle.token;
    let texts = [
        "\0".to_owned(),
        format!("{token}\0"),
        format!("\0{token}"),
        token.replace("hk1_", "hk1_\0"),
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        format!("{token}{token}"),
        format!("{token} {token}"),
        "x".repeat(MEGABYTE),
        token.repeat(MEGABYTE / token.len()),
    ];
    for text in &texts {
        assert!(
            is_no_handle(&introspected(&hubkeep, text).await),
            "{} bytes",
            text.len()
        );
    }
    let long = hubkeep.crm_as("sync").naming(A).sending(&"x".repeat(MEGABYTE));
    assert!(long.get("contacts", "101").await.is_err(), "metadata has a limit");
    assert!(hubkeep.hubspot_calls().is_empty());
    let own = hubkeep.crm_as("sync").with(&handle);
    own.get("contacts", "101").await.expect("the whole one serves");
}

#[tokio::test]
async fn of_two_handles_none_is_taken() {
    let (hubkeep, handle) = ready().await;
    let other = hubkeep.handle(B).issue().await;
    let crm = hubkeep.crm_as("sync");
    for (first, second, slug) in [
        (&handle, &other, A),
        (&handle, &other, B),
        (&other, &handle, A),
        (&handle, &handle, A),
    ] {
        let mut request: Request<GetObjectRequest> = crm.request(GetObjectRequest {
            client_slug: slug.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: "101".to_owned(),
            ..GetObjectRequest::default()
        });
        for handle in [first, second] {
            let bearer: MetadataValue<_> = format!("Bearer {}", handle.token).parse().expect("ASCII");
            request.metadata_mut().append("authorization", bearer);
        }
        let mut objects = ObjectServiceClient::new(hubkeep.channel(Service::Crm));
        let refused = Refused::in_place_of(objects.get_object(request).await);
        assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_MALFORMED"));
    }
    assert!(hubkeep.hubspot_calls().is_empty());
}

#[tokio::test]
async fn a_handle_that_is_no_handle_is_not_said_back() {
    let (hubkeep, _) = ready().await;
    let secret = "hk1_this-is-something-that-somebody-pasted";
    let refused = introspected(&hubkeep, secret).await;
    assert!(!format!("{refused:?}").contains("pasted"));
    let request = IntrospectHandleRequest {
        handle: secret.to_owned(),
    };
    assert!(!format!("{request:?}").contains("pasted"), "nor in a log");
}
