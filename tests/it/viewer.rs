//! The audit viewer shows an operator what is on record, and puts on record that it did; nobody else is shown anything.

use std::time::Duration;

use hubkeep_audit_log::{Entry, Operation, Phase, proofs::Which};
use hubkeep_tests::{
    Hubkeep, Service, Setup, World, eventually, proto_entry,
    support::{browser::Browser, disk::WriteLock},
};
use rusqlite::Connection;

const A: &str = "client-0001";
const B: &str = "client-0002";

/// With pages, and checkpoints as quick as they come.
fn set_up() -> Setup {
    Hubkeep::over(World::of_portals(2)).crm(|config| {
        config.web.listen = Some(([127, 0, 0, 1], 0).into());
        config.audit.proofs.every = Duration::from_millis(20);
    })
}

/// After some calls to both portals.
async fn after_calls(setup: Setup) -> (Hubkeep, Browser) {
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    for slug in [A, B] {
        let handle = hubkeep.handle(slug).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle);
        crm.get("contacts", "101").await.expect("read");
        crm.get("contacts", "999999").await.expect_err("there is none");
    }
    let browser = hubkeep.browser();
    (hubkeep, browser)
}

async fn readings(hubkeep: &Hubkeep, operation: Operation) -> Vec<Entry> {
    let mut read = hubkeep.entries(Service::Crm, Phase::Admin).await;
    read.retain(|entry| entry.operation() == operation);
    read
}

/// The call of the newest outcome.
async fn newest_call(hubkeep: &Hubkeep) -> String {
    let outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
    outcomes.last().expect("one").call_id.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_narrows_the_list_and_every_page_is_on_record_as_a_reading() {
    let (hubkeep, browser) = after_calls(set_up()).await;
    let all = browser.get("/audit").await.shown();
    assert!(all.says(A) && all.says(B) && all.says("OBJECT_GET") && all.says("You are"));
    let of_a = browser
        .get(&format!("/audit?portal={A}&caller=sync&phase=OUTCOME&severity="))
        .await
        .shown();
    assert_eq!(of_a.lines(), 2, "{}", of_a.body);
    assert!(!of_a.says(B));
    let refused = browser
        .get(&format!("/audit?portal={A}&result=refused&operation=object-get"))
        .await
        .shown();
    assert_eq!(refused.lines(), 1);
    assert!(
        refused.says("404 · LOW") && refused.says("OBJECT_NOT_FOUND"),
        "{}",
        refused.body
    );
    let later = browser.get("/audit?from=2999-01-01T00:00").await.shown();
    assert!(later.says("Nothing that is asked for is on record"));
    let record = browser
        .get(&format!("/audit?portal={A}&type=contacts&object=101"))
        .await
        .shown();
    assert_eq!(record.lines(), 2, "intent and outcome of one read");

    let read = readings(&hubkeep, Operation::AuditList).await;
    let slugs: Vec<&str> = read.iter().map(|entry| entry.client_slug.as_str()).collect();
    assert_eq!(slugs, ["", A, A, "", A]);
    for entry in read {
        assert_eq!(entry.caller, "operator/dev");
        assert_eq!(entry.grpc_method, "/hubkeep.audit.v1.AuditService/ListEvents");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_turned_and_nothing_is_on_two_of_them() {
    let (hubkeep, browser) = after_calls(set_up()).await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    for _ in 0..60 {
        crm.get("contacts", "102").await.expect("read");
    }
    let mut link = format!("/audit?portal={A}&phase=OUTCOME");
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = browser.get(&link).await.shown();
        let lines = page.body.split("<td class=\"time\"><a href=\"").skip(1);
        seen.extend(lines.map(|line| line.split('"').next().unwrap_or_default().to_owned()));
        let Some((_, next)) = page.body.split_once("rel=\"next\" href=\"") else {
            break;
        };
        link = next.split('"').next().unwrap_or_default().replace("&amp;", "&");
    }
    assert_eq!(seen.len(), 62);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 62, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_shown_whole_with_proofs_that_were_verified() {
    let (hubkeep, browser) = after_calls(set_up()).await;
    let call = newest_call(&hubkeep).await;
    let path = format!("/audit/calls/{call}");
    eventually!(browser.get(&path).await.says("both entries are"));
    let page = browser.get(&path).await.shown();
    let events = hubkeep.audit_events(Service::Crm).await;
    let own = events.iter().filter(|event| proto_entry(event).call_id == call);
    for event in own {
        let entry = proto_entry(event);
        for text in [
            &entry.entry_id,
            &entry.object_ref,
            &entry.handle_id,
            &entry.hubspot_correlation_id,
        ] {
            assert!(page.says(text), "{text}");
        }
        let log = hubkeep.audit_log(Service::Crm);
        let proof = log
            .inclusion(&event.log, Which::Index(event.index), None)
            .await
            .expect("proven");
        assert!(page.says(&hex::encode(proof.leaf_hash)));
        assert!(page.says(&hex::encode(proof.checkpoint.root)));
        let signature = proof.checkpoint.note.lines().last().expect("signed").to_owned();
        assert!(page.says(&signature), "the note stands there whole");
    }
    assert!(page.says(&format!(
        "hubkeep audit export --from crm-service --portal {B} --to evidence"
    )));
    let proofs = readings(&hubkeep, Operation::AuditProof).await;
    assert!(proofs.len() >= 2, "each proof is a reading of its own");
    assert!(proofs.iter().all(|entry| entry.caller == "operator/dev"));

    let own = readings(&hubkeep, Operation::AuditList).await;
    let page = browser
        .get(&format!("/audit/calls/{}", own[0].call_id))
        .await
        .shown();
    assert!(
        page.says("in the service's own log") || page.says("in the service&#39;s own log"),
        "{}",
        page.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_checkpoint_covers_yet_is_said_to_be_so() {
    let setup = set_up().crm(|config| config.audit.proofs.every = Duration::from_secs(3_600));
    let (hubkeep, browser) = after_calls(setup).await;
    let call = newest_call(&hubkeep).await;
    let page = browser.get(&format!("/audit/calls/{call}")).await.shown();
    assert!(page.says("Not covered by a checkpoint yet") && !page.says("Verified"));
    assert!(readings(&hubkeep, Operation::AuditProof).await.is_empty());
    let refused = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert!(
        refused.is_empty(),
        "nothing was asked that is not there: {refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_somebody_has_changed_is_shown_as_damaged() {
    let (hubkeep, browser) = after_calls(set_up()).await;
    let call = newest_call(&hubkeep).await;
    let path = format!("/audit/calls/{call}");
    eventually!(browser.get(&path).await.says("both entries are"));
    let events = hubkeep.audit_events(Service::Crm).await;
    let last = events
        .iter()
        .rfind(|event| proto_entry(event).call_id == call)
        .expect("one");
    let file = Connection::open(hubkeep.audit_file(Service::Crm)).expect("opens");
    file.busy_timeout(hubkeep_tests::BOUND).expect("set");
    let position = i64::try_from(last.position).expect("small");
    // Another caller, of the same length.
    let changed = file.execute(
        "UPDATE audit_entry SET leaf = CAST(REPLACE(leaf, 'sync', 'evil') AS BLOB) WHERE position = ?1",
        [position],
    );
    assert_eq!(changed.expect("changed"), 1);
    let page = browser.get(&path).await.shown();
    assert!(
        page.says("NOT what was signed") && page.says("Damaged:"),
        "{}",
        page.body
    );
    assert!(!page.says("entries are in the signed log"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_not_what_is_expected_is_named_with_what_is() {
    let (_hubkeep, browser) = after_calls(set_up()).await;
    for (query, label, expected) in [
        ("portal=Not+A+Slug", "Portal", "a portal&#39;s slug"),
        ("caller=a+b", "Caller", "1 to 128 of a-z"),
        ("operation=NOTHING", "Operation", "OBJECT_GET"),
        ("phase=LATE", "Phase", "INTENT, OUTCOME, DENIED or ADMIN"),
        ("result=MAYBE", "Result", "OK, REFUSED, FAILED or UNKNOWN"),
        ("severity=9", "Severity at least", "INFORMATIONAL"),
        ("from=yesterday", "From (UTC)", "2026-11-30T08:00"),
        ("to=1", "Before (UTC)", "2026-11-30T08:00"),
        (
            "from=2026-02-02&to=2026-01-01",
            "Before (UTC)",
            "after start_time",
        ),
        ("call=7", "Call", "a UUID"),
        ("type=contacts&object=101", "Portal", "name the portal"),
        ("ref=7", "Record", "32 hexadecimal digits"),
        ("portal=a&portal=b", "Portal", "only one value"),
        ("nonsense=1", "Unknown field", "one of the fields of the form"),
    ] {
        let page = browser.get(&format!("/audit?{query}")).await;
        assert_eq!(page.status, 400, "{query}");
        let body = page.body.replace("&#39;", "'");
        let expected = expected.replace("&#39;", "'");
        assert!(
            body.contains(label) && body.contains(&expected),
            "{query}: {body}"
        );
        assert!(body.contains("<form"), "it can be put right");
    }
    let page = browser.get("/audit?page=x").await;
    assert_eq!(page.status, 400);
    assert!(page.says("first page"), "{}", page.body);
    for path in [
        "/audit/calls/7",
        "/audit/entries/0",
        "/audit/entries/x",
        "/audit/follow?after=x",
    ] {
        assert_eq!(browser.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_a_page_too_and_nothing_can_be_changed() {
    let (_hubkeep, browser) = after_calls(set_up()).await;
    for path in [
        "/nothing",
        "/audit/",
        "/audit/calls/01930000-0000-7000-8000-000000000000",
        "/audit/entries/999999",
        "/audit/calls/%ff",
        "/web/../audit",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.says("<h1>"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let page = browser.request(method, "/audit", &[]).await.expect("an answer");
        assert_eq!(page.status, 405, "{method}");
        assert!(
            page.header("allow")
                .is_some_and(|allowed| allowed.contains("get"))
        );
    }
    let home = browser.get("/").await;
    assert_eq!((home.status, home.header("location")), (303, Some("/audit")));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_reading_cannot_be_recorded_nothing_is_shown() {
    let setup = set_up().crm(|config| config.audit.intent_deadline = Duration::from_millis(300));
    let (hubkeep, browser) = after_calls(setup).await;
    let call = newest_call(&hubkeep).await;
    let lock = WriteLock::take(&hubkeep.audit_file(Service::Crm));
    for path in [
        "/audit".to_owned(),
        format!("/audit/calls/{call}"),
        "/audit/follow".to_owned(),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 503, "{path}: {}", page.body);
        assert!(page.says("AUDIT_UNAVAILABLE") && !page.says(A), "{path}");
        assert!(page.header("retry-after").is_some());
    }
    drop(lock);
    eventually!(browser.get("/audit").await.status == 200);
}
