//! Who calls is proven by a certificate, and by nothing else.

use std::{io, time::Duration};

use hubkeep_audit_log::Phase;
use hubkeep_core::{
    clock::{MockClock, SystemClock},
    grpc::CALLER_HEADER,
    tls::refused_connection,
};
use hubkeep_proto::credential::v1::{
    IntrospectHandleRequest, IntrospectHandleResponse, handle_service_client::HandleServiceClient,
};
use hubkeep_tests::{
    Crm, Hubkeep, Refused, Service, World, eventually,
    support::{
        certificates::{Certificates, Holder, by_ca, over_tls},
        handles::named,
    },
};
use rcgen::{ExtendedKeyUsagePurpose, SanType};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{Code, Request, Status, transport::Channel};

const A: &str = "client-0001";
const BOTH: [Service; 2] = [Service::Credential, Service::Crm];

async fn certified() -> Hubkeep {
    Hubkeep::over(World::of_portals(1)).certificates().start().await
}

/// Any call, which a stranger is refused before it is looked at.
async fn call(service: Service, channel: Channel) -> Result<(), Status> {
    match service {
        Service::Credential => introspect(channel, Request::new(question())).await.map(drop),
        Service::Crm => Crm::of(channel, "")
            .silent()
            .naming(A)
            .get("contacts", "1")
            .await
            .map(drop),
    }
}

fn question() -> IntrospectHandleRequest {
    IntrospectHandleRequest {
        handle: "none".to_owned(),
    }
}

async fn introspect(
    channel: Channel,
    request: Request<IntrospectHandleRequest>,
) -> Result<IntrospectHandleResponse, Status> {
    let answer = HandleServiceClient::new(channel)
        .introspect_handle(request)
        .await?;
    Ok(answer.into_inner())
}

/// Why no connection came about. Panics if one did.
async fn kept_out(service: Service, channel: Channel) -> String {
    let status = call(service, channel).await.expect_err("kept out");
    let why = refused_connection(&status);
    why.unwrap_or_else(|| panic!("{} did not say why: {status:?}", service.name()))
}

#[tokio::test]
async fn services_and_callers_that_know_each_other_by_certificates_work() {
    let hubkeep = certified().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("allowed");
    crm.get("contacts", "102").await.expect("from memory");
    assert_eq!(hubkeep.hubspot_calls().len(), 2);
    for entry in hubkeep.entries(Service::Crm, Phase::Intent).await {
        assert_eq!(entry.caller, "sync", "as its certificate says");
    }
    hubkeep.revoke(&handle).await;
    eventually!(crm.get("contacts", "101").await.is_err());
}

#[tokio::test]
async fn a_stranger_gets_no_connection_and_hears_why() {
    let hubkeep = certified().await;
    let ours = hubkeep.certificates();
    let now = SystemClock::shared().now();
    let others = Certificates::new(&hubkeep.folder().join("others"), now);
    for service in BOTH {
        let address = hubkeep.door(service).address();
        let for_servers = ours.changed("sync", |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
        let strangers = [
            (hubkeep.channel(service), "takes TLS only"),
            (over_tls(address, by_ca(ours.ca())), "asks for a certificate"),
            (
                others.of("sync").trusting(ours.ca()).connect(address),
                "does not trust the CA",
            ),
            (ours.expired("sync").connect(address), "has expired"),
            (ours.not_yet("sync").connect(address), "does not hold yet"),
            (for_servers.connect(address), "not one that a client may show"),
            (
                ours.of("sync").trusting(others.ca()).connect(address),
                "is not signed by the CA",
            ),
        ];
        for (stranger, expected) in strangers {
            let why = kept_out(service, stranger).await;
            assert!(why.contains(expected), "{}: {expected}: {why}", service.name());
        }
        let known = call(service, ours.of("sync").connect(address)).await;
        assert_eq!(
            Refused::in_place_of(known).reason,
            "HANDLE_MALFORMED",
            "it still answers"
        );
    }
    assert!(hubkeep.journal().is_empty());
}

#[tokio::test]
async fn who_calls_without_tls_is_answered_by_a_status_that_every_client_shows() {
    let hubkeep = certified().await;
    for service in BOTH {
        let told = call(service, hubkeep.channel(service))
            .await
            .expect_err("kept out");
        assert_eq!(told.code(), Code::Unavailable);
        assert!(told.message().contains("takes TLS only"), "{told:?}");
    }
}

#[tokio::test]
async fn what_a_caller_says_of_itself_does_not_count() {
    let hubkeep = certified().await;
    for service in BOTH {
        let channel = hubkeep.door(service).of("sync");
        for name in ["operator/ann", "sync"] {
            let claim = match service {
                Service::Credential => introspect(channel.clone(), named(name, question()))
                    .await
                    .map(drop),
                Service::Crm => Crm::of(channel.clone(), name)
                    .get("contacts", "1")
                    .await
                    .map(drop),
            };
            assert!(
                unknown(claim).contains(CALLER_HEADER),
                "it must hear that it does not count"
            );
        }
        let denied = hubkeep.entries(service, Phase::Denied).await;
        assert!(denied.iter().all(|entry| entry.caller.is_empty()), "{denied:?}");
        assert!(!denied.is_empty(), "on record at {}", service.name());
    }
}

/// What somebody hears who is not known.
fn unknown<T>(answer: Result<T, Status>) -> String {
    let status = answer.err().expect("refused");
    let refused = Refused::of(&status);
    assert_eq!(refused.said(), (Code::Unauthenticated, "CALLER_UNKNOWN"));
    status.message().to_owned()
}

#[tokio::test]
async fn a_certificate_names_exactly_one_caller_of_our_trust_domain_or_nobody() {
    let hubkeep = certified().await;
    let ours = hubkeep.certificates();
    let uri = |text: &str| SanType::URI(text.try_into().expect("ascii"));
    let dns = |text: &str| SanType::DnsName(text.try_into().expect("ascii"));
    let named = |names: Vec<SanType>| ours.changed("sync", |params| params.subject_alt_names = names);
    let own = || uri("spiffe://hubkeep/sync");
    let faulty: [(Holder, &str); 7] = [
        (
            named(vec![own(), uri("spiffe://hubkeep/operator/ann")]),
            "2 URI names",
        ),
        (named(vec![own(), own()]), "2 URI names"),
        (
            named(vec![uri("spiffe://elsewhere/sync"), dns("sync")]),
            "spiffe://hubkeep/",
        ),
        (
            named(vec![uri("spiffe://hubkeep.elsewhere/sync")]),
            "spiffe://hubkeep/",
        ),
        (
            named(vec![uri("spiffe://hubkeep/../operator/ann")]),
            "breaks the rule",
        ),
        (named(vec![dns("a"), dns("b")]), "2 DNS names"),
        (named(Vec::new()), "neither a URI name nor a DNS name"),
    ];
    for service in BOTH {
        let address = hubkeep.door(service).address();
        for (holder, expected) in &faulty {
            let why = unknown(call(service, holder.connect(address)).await);
            assert!(why.contains(expected), "{expected}: {why}");
        }
        let by_host = named(vec![dns("sync.internal")]).connect(address);
        let known = Refused::in_place_of(call(service, by_host).await);
        assert_eq!(known.reason, "HANDLE_MALFORMED", "its only DNS name is its name");
    }
}

#[tokio::test]
async fn an_open_connection_is_worth_nothing_after_its_certificate_has_ended() {
    let clock = MockClock::at(SystemClock::shared().now());
    let setup = Hubkeep::over(World::of_portals(1))
        .certificates()
        .clock(clock.clone());
    let hubkeep = setup.start().await;
    let open = BOTH.map(|service| (service, hubkeep.door(service).of("sync")));
    for (service, channel) in open.clone() {
        let known = Refused::in_place_of(call(service, channel).await);
        assert_eq!(known.reason, "HANDLE_MALFORMED");
    }
    // More than any certificate here holds.
    clock.advance(Duration::from_secs(31 * 86_400));
    for (service, channel) in open {
        let why = unknown(call(service, channel).await);
        assert!(why.contains("has expired"), "{why}");
    }
}

#[tokio::test]
async fn handshakes_that_hang_or_lie_hold_up_nobody() {
    let hubkeep = certified().await;
    for service in BOTH {
        let address = hubkeep.door(service).address();
        let mut silent = Vec::new();
        for beginning in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"].repeat(30) {
            let mut stream = TcpStream::connect(address).await.expect("accepted");
            stream.write_all(beginning).await.expect("sent");
            silent.push(stream);
        }
        let mut liar = TcpStream::connect(address).await.expect("accepted");
        liar.write_all(b"\x16\x03\x01\x00\x05hello").await.expect("sent");
        let mut answer = Vec::new();
        liar.read_to_end(&mut answer).await.expect("closed, not reset");
        assert!(answer.len() < 16, "an alert at most: {answer:?}");

        let mut plain = TcpStream::connect(address).await.expect("accepted");
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("sent");
        let mut answer = String::new();
        plain
            .read_to_string(&mut answer)
            .await
            .expect("closed, not reset");
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("takes TLS only"),
            "{answer}"
        );

        let known = call(service, hubkeep.certificates().another("sync").connect(address)).await;
        assert_eq!(
            Refused::in_place_of(known).reason,
            "HANDLE_MALFORMED",
            "others are served"
        );
        drop(silent);
    }
}

#[tokio::test]
async fn more_silent_connections_than_there_are_places_do_not_shut_the_port() {
    const PLACES: usize = 8;
    // The clock stands: nothing ends because its time is over.
    let setup = Hubkeep::over(World::of_portals(1))
        .certificates()
        .clock(MockClock::at(SystemClock::shared().now()))
        .credential(|config| config.grpc.max_handshakes = PLACES)
        .crm(|config| config.grpc.max_handshakes = PLACES);
    let hubkeep = setup.start().await;
    for service in BOTH {
        let address = hubkeep.door(service).address();
        for beginning in [&b""[..], b"\x16"] {
            let mut held = Vec::new();
            for number in 0..3 * PLACES {
                let mut stream = TcpStream::connect(address).await.expect("accepted");
                stream.write_all(beginning).await.expect("sent");
                held.push(stream);
                let caller = hubkeep.certificates().another("sync").connect(address);
                let known = Refused::in_place_of(call(service, caller).await);
                assert_eq!(known.reason, "HANDLE_MALFORMED", "served beside {number}");
            }
            let mut oldest = held.swap_remove(0);
            eventually!(oldest.read(&mut [0]).await.map_or(true, |read| read == 0));
        }
    }
}

#[tokio::test]
async fn who_says_nothing_is_let_go_sooner_than_who_has_begun() {
    let clock = MockClock::at(SystemClock::shared().now());
    let setup = Hubkeep::over(World::of_portals(1))
        .certificates()
        .clock(clock.clone());
    let hubkeep = setup.start().await;
    let address = hubkeep.door(Service::Crm).address();
    let mut begun = TcpStream::connect(address).await.expect("accepted");
    begun.write_all(b"\x16").await.expect("sent");
    let mut silent = TcpStream::connect(address).await.expect("accepted");
    let ended = tokio::spawn(async move { silent.read(&mut [0]).await });
    // Steps so small that the one which has begun would not be over by the time that the silent one must be.
    for _ in 0..30 {
        clock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    eventually!({
        clock.advance(Duration::from_millis(10));
        ended.is_finished()
    });
    let still = begun.try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(still, Err(io::ErrorKind::WouldBlock), "it has its 10 s");
}

#[tokio::test]
async fn a_handshake_that_hangs_is_ended_by_the_clock() {
    let clock = MockClock::at(SystemClock::shared().now());
    let setup = Hubkeep::over(World::of_portals(1))
        .certificates()
        .clock(clock.clone());
    let hubkeep = setup.start().await;
    let address = hubkeep.door(Service::Crm).address();
    let mut hanging = TcpStream::connect(address).await.expect("accepted");
    hanging.write_all(b"\x16").await.expect("sent");
    let ended = tokio::spawn(async move { hanging.read_to_end(&mut Vec::new()).await });
    eventually!({
        clock.advance(Duration::from_secs(1));
        ended.is_finished()
    });
}
