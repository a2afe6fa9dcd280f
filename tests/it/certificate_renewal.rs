//! Certificates that are put in place while a service runs are gone by within seconds, if they are in order.

use std::{fs, os::unix::fs::symlink};

use hubkeep_core::{clock::Clock as _, tls::Config};
use hubkeep_tests::{
    Service, eventually,
    support::{
        certificates::{Certificates, replace},
        certified::{CLIENT, Certified},
    },
};

const BOTH: [Service; 2] = [Service::Credential, Service::Crm];

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_whoever_connects_and_open_connections_go_on() {
    let started = Certified::start(|_| {}).await;
    let hubkeep = &started.hubkeep;
    let crm = hubkeep.crm_as("sync");
    let handle = hubkeep.handle(CLIENT).issue().await;
    crm.clone()
        .with(&handle)
        .get("contacts", "101")
        .await
        .expect("allowed");
    let before = hubkeep.certificates().serial_of(&started.files(Service::Crm));
    for service in BOTH {
        let renewed = started
            .certificates()
            .renew(&started.files(service), service.name());
        eventually!(started.shown(service).await == renewed.thumbprint());
    }
    let handle = hubkeep.handle(CLIENT).issue().await;
    let crm = crm.with(&handle);
    crm.get("contacts", "101")
        .await
        .expect("by the connection of before");

    // crm-service shows its new one too, or nobody would redeem for it.
    started
        .until_looked_at(Service::Credential, &mut vec![before], 30)
        .await;
    let handle = hubkeep.handle(CLIENT).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("redeemed");
}

/// The way in which Kubernetes renews what a pod has mounted: all files at once, by one link.
fn behind_a_link(tls: &mut Config) {
    let folder = tls.certificate_file.with_extension("mounted");
    fs::create_dir_all(folder.join("first")).expect("made");
    for (file, name) in [
        (&mut tls.certificate_file, "tls.crt"),
        (&mut tls.key_file, "tls.key"),
    ] {
        fs::copy(&*file, folder.join("first").join(name)).expect("copied");
        *file = folder.join("data").join(name);
    }
    symlink("first", folder.join("data")).expect("linked");
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_renews_all_files_at_once() {
    let started = Certified::start(behind_a_link).await;
    for service in BOTH {
        let folder = started.file(&format!("{}.mounted", service.name()));
        let second = folder.join("second");
        fs::create_dir(&second).expect("made");
        let files = Config {
            certificate_file: second.join("tls.crt"),
            key_file: second.join("tls.key"),
            ..Config::default()
        };
        let renewed = started.certificates().renew(&files, service.name());
        symlink("second", folder.join("data.new")).expect("linked");
        fs::rename(folder.join("data.new"), folder.join("data")).expect("swapped");
        eventually!(started.shown(service).await == renewed.thumbprint());
    }
}

#[tokio::test]
async fn what_is_not_in_order_changes_nothing_and_what_is_beside_it_counts_all_the_same() {
    let started = Certified::start(|_| {}).await;
    let certificates = started.certificates();
    let service = Service::Credential;
    let files = started.files(service);
    let original =
        [&files.certificate_file, &files.key_file].map(|file| fs::read_to_string(file).expect("read"));
    let before = started.shown(service).await;
    let other = certificates.of_service(service.name());
    let renamed = certificates.of_service("crm-service");
    let calling = certificates.another(service.name());
    let broken: [(&str, &str, &str); 4] = [
        ("a key of another", &original[0], &other.key),
        ("half a file", &original[0][..100], &original[1]),
        ("another name", &renamed.certificate, &renamed.key),
        ("no host", calling.certificate(), calling.key()),
    ];
    let mut revoked = Vec::new();
    for (what, certificate, key) in broken {
        replace(&files.certificate_file, certificate);
        replace(&files.key_file, key);
        started.until_looked_at(service, &mut revoked, 30).await;
        assert_eq!(started.shown(service).await, before, "{what}");
    }
    let last = certificates.renew(&files, service.name());
    eventually!(started.shown(service).await == last.thumbprint());
}

#[tokio::test]
async fn a_ca_that_is_no_longer_trusted_vouches_for_nobody_not_even_on_an_open_connection() {
    let started = Certified::start(|tls| tls.crl_file = None).await;
    let hubkeep = &started.hubkeep;
    let now = started.clock.now();
    let others = Certificates::new(&started.file("others"), now);
    let service = Service::Credential;
    let address = hubkeep.door(service).address();
    let ours = started.certificates().ca();
    let theirs = others.of("sync").trusting(ours).connect(address);
    assert_eq!(started.told(service, &theirs).await, "", "not known yet");
    replace(&started.file("ca.crt"), &format!("{ours}{}", others.ca()));
    eventually!(started.told(service, &theirs).await == "HANDLE_MALFORMED");
    replace(&started.file("ca.crt"), ours);
    eventually!(started.told(service, &theirs).await == "CALLER_UNKNOWN");
    let fresh = others.another("sync").trusting(ours).connect(address);
    assert_eq!(started.told(service, &fresh).await, "");
    let known = started.told(service, &hubkeep.door(service).of("sync")).await;
    assert_eq!(known, "HANDLE_MALFORMED");
}
