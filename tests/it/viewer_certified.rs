//! With certificates the audit viewer is for who has one and the role `auditor`, and for nobody else.

use hubkeep_audit_log::{Entry, Operation, Phase};
use hubkeep_core::grpc::{CALLER_HEADER, Roles};
use hubkeep_tests::{Hubkeep, Service, World};

const ANN: &str = "operator/ann";
const BOB: &str = "operator/bob";

/// Ann has the role, and Bob has not.
async fn certified() -> Hubkeep {
    let setup = Hubkeep::over(World::of_portals(1)).certificates().crm(|config| {
        config.web.listen = Some(([127, 0, 0, 1], 0).into());
        config.roles = Roles::new([("auditor", [ANN].as_slice())]);
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn denied(hubkeep: &Hubkeep, caller: &str) -> Vec<Entry> {
    let mut denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    denied.retain(|entry| entry.caller == caller);
    denied
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_role_reads_in_the_name_of_the_certificate() {
    let hubkeep = certified().await;
    let page = hubkeep.browser_of(ANN).get("/audit").await.shown();
    assert!(page.says(ANN));
    let read = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let lists = read
        .iter()
        .filter(|entry| entry.operation() == Operation::AuditList);
    assert_eq!(
        lists.map(|entry| entry.caller.as_str()).collect::<Vec<_>>(),
        [ANN]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_is_told_what_to_do_and_is_on_record() {
    let hubkeep = certified().await;
    for caller in [BOB, "sync"] {
        let browser = hubkeep.browser_of(caller);
        for path in ["/audit", "/audit/follow", "/audit/entries/1"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 403, "{caller} {path}");
            assert!(
                page.says("the role auditor") && page.says("under [roles]") && page.says(caller),
                "{}",
                page.body
            );
            assert!(!page.says("client-0001"));
        }
        let denied = denied(&hubkeep, caller).await;
        assert!(!denied.is_empty(), "{caller}");
    }
    let read = hubkeep.entries(Service::Crm, Phase::Admin).await;
    assert!(!read.iter().any(|entry| entry.operation() == Operation::AuditList));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_certificate_of_ours_gets_no_connection() {
    let hubkeep = certified().await;
    let (ours, browser) = (hubkeep.certificates(), hubkeep.browser());
    let strangers = [
        browser.clone().over_tls(ours.ca(), None),
        browser.clone().over_tls(ours.ca(), Some(&ours.expired(ANN))),
    ];
    for stranger in strangers {
        let answer = stranger.request("GET", "/audit", &[]).await;
        assert!(answer.is_err(), "{answer:?}");
    }
    let plain = browser.get("/audit").await;
    assert_eq!(plain.status, 400);
    assert!(plain.says("takes TLS only"), "{}", plain.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_says_of_itself_does_not_count() {
    let hubkeep = certified().await;
    let page = hubkeep
        .browser_of(BOB)
        .get_with("/audit", &[(CALLER_HEADER, ANN)])
        .await;
    assert_eq!(page.status, 403);
    assert!(page.says("your certificate says who you are"), "{}", page.body);
    let page = hubkeep
        .browser_of(ANN)
        .get_with("/audit", &[("host", "evil.example")])
        .await;
    assert_eq!(
        page.status, 403,
        "also with certificates only known names are answered"
    );
}
