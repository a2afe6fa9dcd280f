//! Nobody but an operator is shown what the audit viewer shows: no other site in the same browser, and nothing that stands in an entry
//! becomes part of a page.

use hubkeep_audit_log::{Draft, Entry, Operation, Outcome, Phase};
use hubkeep_core::{clock::SystemClock, id::CallId, random::SystemRandom};
use hubkeep_tests::{Hubkeep, Service, World, eventually, support::browser::Browser};

const A: &str = "client-0001";

/// With pages, after a call.
async fn after_a_call() -> (Hubkeep, Browser) {
    let setup = Hubkeep::over(World::of_portals(1));
    let setup = setup.crm(|config| config.web.listen = Some(([127, 0, 0, 1], 0).into()));
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let browser = hubkeep.browser();
    (hubkeep, browser)
}

async fn readings(hubkeep: &Hubkeep, operation: Operation) -> Vec<Entry> {
    let mut read = hubkeep.entries(Service::Crm, Phase::Admin).await;
    read.retain(|entry| entry.operation() == operation);
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_stands_in_an_entry_or_an_address_becomes_part_of_a_page() {
    let (hubkeep, browser) = after_a_call().await;
    let hostile = "\"'><script>alert(1)</script>";
    let call = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
    let draft = Draft::system(Operation::Other, call)
        .object(hostile, Some(hostile))
        .http(hostile, hostile, 0)
        .subject(hostile);
    let log = hubkeep.audit_log(Service::Crm);
    log.admin(draft, Outcome::ok()).await.expect("recorded");
    let escaped = "%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        "/audit".to_owned(),
        format!("/audit/calls/{call}"),
        format!("/audit?portal={escaped}"),
        format!("/audit?from={escaped}&{escaped}=1"),
        format!("/audit?page={escaped}"),
        format!("/audit/calls/{escaped}"),
        format!("/{escaped}"),
    ] {
        let page = browser
            .get_with(&path, &[("sec-fetch-site", "same-origin")])
            .await;
        assert!(page.says("alert(1)") || page.status == 400, "{path}");
        for raw in ["<script>alert", "\"'>"] {
            assert!(!page.says(raw), "{path}: {}", page.body);
        }
    }
    let led = browser
        .get_with(
            &format!("//evil.example/{escaped}"),
            &[("sec-fetch-site", "cross-site")],
        )
        .await;
    assert!(
        !led.says("href=\"//evil") && !led.says("<script>alert"),
        "{}",
        led.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_that_it_is_kept_shown_and_scripted_by_nobody_else() {
    let (_hubkeep, browser) = after_a_call().await;
    for path in [
        "/audit",
        "/nothing",
        "/audit?phase=x",
        "/web/viewer.js",
        "/web/viewer.css",
        "/web/icon.svg",
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").expect("a policy");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "style-src 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), Some(value), "{path}");
        }
        // But for the name of what the icon is written in, which nobody asks for.
        let body = page.body.replace("http://www.w3.org/2000/svg", "");
        for other in ["http://", "https://", "style=", " onclick"] {
            assert!(!body.contains(other), "{path}: {other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_is_shown_anything_and_that_it_tried_is_on_record() {
    let (hubkeep, browser) = after_a_call().await;
    for headers in [
        [("host", "evil.example"), ("sec-fetch-site", "same-origin")],
        [("host", "localhost"), ("sec-fetch-site", "cross-site")],
        [("host", "127.0.0.1"), ("sec-fetch-site", "same-site")],
    ] {
        for path in ["/audit", "/audit/follow", "/web/viewer.js"] {
            let page = browser.get_with(path, &headers).await;
            assert_eq!(page.status, 403, "{headers:?}");
            assert!(!page.says(A));
        }
    }
    let led = browser
        .get_with("/audit?portal=acme", &[("sec-fetch-site", "cross-site")])
        .await;
    assert!(
        led.says("href=\"/audit?portal=acme\""),
        "whoever followed a link goes on"
    );
    browser
        .get_with("/audit", &[("host", "localhost:1"), ("sec-fetch-site", "none")])
        .await
        .shown();
    assert_eq!(readings(&hubkeep, Operation::AuditList).await.len(), 1);
    eventually!(!hubkeep.entries(Service::Crm, Phase::Denied).await.is_empty());
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert!(denied.iter().all(|entry| entry.caller.is_empty()), "{denied:?}");
}

#[tokio::test]
async fn where_it_is_not_configured_there_is_none_and_in_development_it_is_on_loopback() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    let refused = std::panic::AssertUnwindSafe(|| hubkeep.viewer_address());
    assert!(std::panic::catch_unwind(refused).is_err(), "no pages");
    let config = || {
        let mut config = hubkeep_crm_service::config::Config::default();
        let file = |name: &str| format!("sqlite://{}/{name}.db", hubkeep.folder().display());
        config.database.url = file("other");
        config.audit.url = file("other-audit");
        config.keys.kek_file = hubkeep.folder().join("crm-service.kek");
        config.grpc.listen.set_port(0);
        config.web.listen = Some(([0, 0, 0, 0], 0).into());
        config
    };
    let deps = hubkeep_crm_service::server::Deps {
        clock: SystemClock::shared(),
        random: SystemRandom::shared(),
        callers: hubkeep_core::grpc::CallerSource::development().expect("valid"),
    };
    let started = Box::pin(hubkeep_crm_service::server::start(config(), deps)).await;
    let error = started
        .err()
        .expect("others would be let in without a certificate");
    assert!(error.to_string().contains("not loopback"), "{error}");
}
