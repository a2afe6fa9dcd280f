//! Who is contained gets nothing from either service, whatever they may else do there, until somebody else lifts it.

use std::time::Duration;

use hubkeep_audit_log::Phase;
use hubkeep_core::clock::SystemClock;
use hubkeep_proto::{
    audit::v1::{
        ListEventsRequest, StreamEventsRequest, StreamEventsResponse,
        audit_service_client::AuditServiceClient,
    },
    credential::v1::{
        HandleHolder, LiftContainmentRequest, ListPortalsRequest, Person, PutPersonRequest,
        access_service_client::AccessServiceClient, containment_service_client::ContainmentServiceClient,
        portal_service_client::PortalServiceClient,
    },
};
use hubkeep_tests::{
    Hubkeep, Proxy, Refused, Service, World, eventually,
    support::{
        containing::{Holder, reach},
        portals::OPERATOR,
    },
};
use tonic::{Code, Status, Streaming};

const BOB: &str = "operator/bob";
const BOBS_LAPTOP: &str = "operator/bob-laptop";
const CONTAINED: (Code, &str) = (Code::PermissionDenied, "CALLER_CONTAINED");

fn of(holder: &Holder) -> Option<HandleHolder> {
    Some(HandleHolder {
        holder: Some(holder.clone()),
    })
}

async fn reads_the_log(hubkeep: &Hubkeep, service: Service, operator: &str) -> Result<(), Status> {
    let door = hubkeep.door(service);
    let request = door.request(operator, ListEventsRequest::default());
    let mut client = AuditServiceClient::new(door.of(operator));
    client.list_events(request).await.map(drop)
}

async fn lists_portals(hubkeep: &Hubkeep, operator: &str) -> Result<(), Status> {
    let door = hubkeep.door(Service::Credential);
    let request = door.request(operator, ListPortalsRequest::default());
    let mut client = PortalServiceClient::new(door.of(operator));
    client.list_portals(request).await.map(drop)
}

async fn lifts(hubkeep: &Hubkeep, operator: &str, holder: &Holder) -> Result<(), Status> {
    let door = hubkeep.door(Service::Credential);
    let request = LiftContainmentRequest {
        target: of(holder),
        reason: "it is nothing".to_owned(),
    };
    let mut client = ContainmentServiceClient::new(door.of(operator));
    client
        .lift_containment(door.request(operator, request))
        .await
        .map(drop)
}

async fn is_one_person(hubkeep: &Hubkeep, names: &[&str]) {
    let person = Person {
        person_id: "bob".to_owned(),
        certificate_names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Person::default()
    };
    let request = PutPersonRequest { person: Some(person) };
    let mut client = AccessServiceClient::new(hubkeep.door(Service::Credential).of(OPERATOR));
    let put = client.put_person(hubkeep.by_operator(request)).await;
    put.expect("put");
}

async fn opens_a_stream(
    hubkeep: &Hubkeep,
    service: Service,
    operator: &str,
) -> Streaming<StreamEventsResponse> {
    let door = hubkeep.door(service);
    let request = door.request(operator, StreamEventsRequest::default());
    let mut client = AuditServiceClient::new(door.of(operator));
    client.stream_events(request).await.expect("opens").into_inner()
}

fn said(result: Result<(), Status>) -> (Code, String) {
    let refused = Refused::of(&result.expect_err("refused"));
    let (code, reason) = refused.said();
    (code, reason.to_owned())
}

fn contained_said() -> (Code, String) {
    (CONTAINED.0, CONTAINED.1.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contained_operator_is_refused_by_both_services_and_lifts_nothing() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    for service in [Service::Credential, Service::Crm] {
        reads_the_log(&hubkeep, service, BOB).await.expect("may");
    }
    let bob = Holder::Caller(BOB.to_owned());
    hubkeep.contain(bob.clone()).await.expect("contains");
    for service in [Service::Credential, Service::Crm] {
        assert_eq!(
            said(reads_the_log(&hubkeep, service, BOB).await),
            contained_said()
        );
    }
    assert_eq!(said(lists_portals(&hubkeep, BOB).await), contained_said());
    assert_eq!(said(lifts(&hubkeep, BOB, &bob).await), contained_said());
    for service in [Service::Credential, Service::Crm] {
        let done = hubkeep.entries(service, Phase::Admin).await;
        let by_bob = done.iter().filter(|entry| entry.caller == BOB).count();
        assert_eq!(by_bob, 1, "{service:?}: what was refused was not done either");
    }
    lists_portals(&hubkeep, OPERATOR).await.expect("another may");
    hubkeep.lift(bob).await.expect("another lifts it");
    eventually!(lists_portals(&hubkeep, BOB).await.is_ok());
    eventually!(reads_the_log(&hubkeep, Service::Crm, BOB).await.is_ok());
}

/// A lease, and what a machine under load may add.
const STALE_WITHIN: Duration = Duration::from_secs(20);
const UNKNOWN: (Code, &str) = (Code::Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE");

fn unknown() -> (Code, String) {
    (UNKNOWN.0, UNKNOWN.1.to_owned())
}

/// crm-service hears who is contained: it is there again for operators, but for the one who is.
async fn hears_again(hubkeep: &Hubkeep) {
    eventually!(
        STALE_WITHIN,
        reads_the_log(hubkeep, Service::Crm, OPERATOR).await.is_ok()
    );
    assert_eq!(
        said(reads_the_log(hubkeep, Service::Crm, BOB).await),
        contained_said()
    );
}

async fn end_of(mut stream: Streaming<StreamEventsResponse>) -> (Code, String) {
    let clock = SystemClock::shared();
    let ended = clock.timeout(STALE_WITHIN, async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ends with its cause"),
                Err(status) => return status,
            }
        }
    });
    said(Err(ended.await.expect("ends")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_service_that_hears_of_no_containment_does_nothing_for_operators_until_it_does() {
    let setup = Hubkeep::over(World::of_portals(1)).between_services(Proxy::open().await);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    reads_the_log(&hubkeep, Service::Crm, BOB).await.expect("may");
    let open = opens_a_stream(&hubkeep, Service::Crm, BOB).await;
    hubkeep.between_services().go_silent();
    let bob = Holder::Caller(BOB.to_owned());
    let contained = hubkeep.contain(bob.clone()).await.expect("contains");
    assert_eq!(contained.reach, reach(0, 1, 0), "it is not heard any more");
    assert_eq!(
        said(reads_the_log(&hubkeep, Service::Crm, BOB).await),
        unknown(),
        "once that is said, what it does not know serves nobody"
    );
    assert_eq!(end_of(open).await, unknown());
    assert_eq!(
        said(reads_the_log(&hubkeep, Service::Crm, OPERATOR).await),
        unknown()
    );
    lists_portals(&hubkeep, OPERATOR)
        .await
        .expect("credential-service knows");
    hubkeep.between_services().restore();
    hears_again(&hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_service_that_starts_without_the_feed_does_nothing_for_operators_and_takes_handles_as_ever() {
    let proxy = Proxy::open().await;
    proxy.cut();
    let setup = Hubkeep::over(World::of_portals(1)).between_services(proxy);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle("client-0001").issue().await;
    hubkeep
        .contain(Holder::Caller(BOB.to_owned()))
        .await
        .expect("contains");
    assert_eq!(said(reads_the_log(&hubkeep, Service::Crm, BOB).await), unknown());
    hubkeep.between_services().restore();
    let crm = hubkeep.crm_as("sync").with(&handle);
    eventually!(STALE_WITHIN, crm.get("contacts", "101").await.is_ok());
    hears_again(&hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_a_contained_person_is_contained_also_one_that_comes_later() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    is_one_person(&hubkeep, &[BOB]).await;
    let (person, bob) = (Holder::PersonId("bob".to_owned()), Holder::Caller(BOB.to_owned()));
    hubkeep.contain(person.clone()).await.expect("contains");
    assert_eq!(said(lists_portals(&hubkeep, BOB).await), contained_said());
    lists_portals(&hubkeep, BOBS_LAPTOP).await.expect("nobody's yet");
    is_one_person(&hubkeep, &[BOB, BOBS_LAPTOP]).await;
    for name in [BOB, BOBS_LAPTOP] {
        eventually!(lists_portals(&hubkeep, name).await.is_err());
        eventually!(reads_the_log(&hubkeep, Service::Crm, name).await.is_err());
    }
    hubkeep.contain(bob.clone()).await.expect("contains");
    hubkeep.lift(person).await.expect("lifts");
    lists_portals(&hubkeep, BOBS_LAPTOP).await.expect("lifted");
    assert_eq!(
        said(lists_portals(&hubkeep, BOB).await),
        contained_said(),
        "by its own name still"
    );
    hubkeep.lift(bob).await.expect("lifts");
    lists_portals(&hubkeep, BOB).await.expect("lifted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_open_for_somebody_ends_when_they_are_contained_and_what_is_open_for_others_goes_on() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    let mut open = Vec::new();
    for service in [Service::Credential, Service::Crm] {
        open.push(opens_a_stream(&hubkeep, service, BOB).await);
    }
    let mut of_another = opens_a_stream(&hubkeep, Service::Credential, OPERATOR).await;
    hubkeep
        .contain(Holder::Caller(BOB.to_owned()))
        .await
        .expect("contains");
    let clock = SystemClock::shared();
    for mut stream in open {
        let ended = clock.timeout(Duration::from_secs(10), async {
            loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("it ends with its cause"),
                    Err(status) => return status,
                }
            }
        });
        assert_eq!(said(Err(ended.await.expect("ends"))), contained_said());
    }
    let goes_on = of_another.message().await;
    assert!(goes_on.expect("goes on").is_some());
}
