//! A certificate that its CA has revoked opens nothing, and what is open ends at its next request.

use std::{fs, time::Duration};

use hubkeep_core::{
    clock::SystemClock,
    tls::{Identity, refused_connection},
};
use hubkeep_tests::{
    Refused, Service, eventually,
    support::{
        certificates::{Certificates, replace},
        certified::{CLIENT, Certified},
    },
};
use tonic::Code;

const BOTH: [Service; 2] = [Service::Credential, Service::Crm];
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_revoked_certificate_opens_nothing_and_its_open_connections_end_at_their_next_request() {
    let started = Certified::start(|_| {}).await;
    let hubkeep = &started.hubkeep;
    let thief = started.certificates().of("thief");
    let handle = hubkeep.handle(CLIENT).for_caller("thief").issue().await;
    let crm = hubkeep.crm_as("thief").with(&handle);
    crm.get("contacts", "101")
        .await
        .expect("not revoked yet, and now in memory");
    let open = BOTH.map(|service| (service, hubkeep.door(service).of("thief")));
    for (service, channel) in &open {
        assert_eq!(started.told(*service, channel).await, "HANDLE_MALFORMED");
    }
    started.certificates().revoke(&[thief.serial()], 30);
    for (service, channel) in &open {
        eventually!(started.told(*service, channel).await == "CALLER_UNKNOWN");
        let why = started.call(*service, channel).await;
        assert!(why.message().contains("was revoked"), "{why:?}");
        let fresh = thief.clone().trusting(started.certificates().ca());
        let fresh = fresh.connect(hubkeep.door(*service).address());
        let why = refused_connection(&started.call(*service, &fresh).await).expect("no connection");
        assert!(why.contains("was revoked"), "{why}");
        // Another certificate of the same name is another matter.
        let renewed = started.certificates().another("thief");
        let renewed = renewed.connect(hubkeep.door(*service).address());
        assert_eq!(started.told(*service, &renewed).await, "HANDLE_MALFORMED");
    }
    let sent = hubkeep.hubspot_calls().len();
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::Unauthenticated, "CALLER_UNKNOWN"));
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "nothing was sent for it");
}

#[tokio::test]
async fn a_list_that_is_too_old_still_counts() {
    let started = Certified::start(|_| {}).await;
    let thief = started.certificates().another("thief");
    let service = Service::Credential;
    let address = started.hubkeep.door(service).address();
    let open = thief.connect(address);
    assert_eq!(started.told(service, &open).await, "HANDLE_MALFORMED");
    started.certificates().revoke(&[thief.serial()], 1);
    eventually!(started.told(service, &open).await == "CALLER_UNKNOWN");
    started.clock.advance(2 * DAY);
    assert_eq!(
        started.told(service, &thief.connect(address)).await,
        "CALLER_UNKNOWN"
    );
    let fresh = started.certificates().another("sync").connect(address);
    assert_eq!(started.told(service, &fresh).await, "HANDLE_MALFORMED");
}

#[tokio::test]
async fn where_lists_must_be_current_nobody_is_let_in_with_an_old_one_until_there_is_a_newer() {
    let started = Certified::start(|tls| tls.crl_must_be_current = true).await;
    let service = Service::Credential;
    let address = started.hubkeep.door(service).address();
    let open = started.certificates().another("sync").connect(address);
    assert_eq!(started.told(service, &open).await, "HANDLE_MALFORMED");
    let mut revoked = Vec::new();
    started.until_looked_at(service, &mut revoked, 1).await;
    started.clock.advance(2 * DAY);
    eventually!(started.told(service, &open).await == "CALLER_UNKNOWN");
    let fresh = || started.certificates().another("sync").connect(address);
    assert_eq!(started.told(service, &fresh()).await, "");
    started.certificates().revoke(&revoked, 30);
    eventually!(started.told(service, &fresh()).await == "HANDLE_MALFORMED");
    assert_eq!(started.told(service, &open).await, "HANDLE_MALFORMED");
}

#[test]
fn a_service_does_not_start_with_a_list_that_says_nothing_or_with_a_certificate_on_it() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SystemClock::shared());
    let certs = Certificates::new(folder.path(), clock.now());
    let others = Certificates::new(&folder.path().join("others"), clock.now());
    let mut config = certs.service("crm-service");
    let list = config.ca_file.with_extension("crl");
    config.crl_file = Some(list.clone());
    Identity::load(&config, &clock).expect("in order");
    let says = |expected: &str| {
        let error = Identity::load(&config, &clock).expect_err("not in order");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    };
    certs.revoke(&[certs.serial_of(&config)], 30);
    says("was revoked");
    let of_another = fs::read_to_string(others.revoke(&[], 30)).expect("read");
    replace(&list, &of_another);
    says("the list of revoked certificates cannot be used");
    replace(&list, "");
    says("holds no list");
    fs::remove_file(&list).expect("there");
    says("cannot be read");
}
