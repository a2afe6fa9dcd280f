//! A report that one answer does not hold comes in parts of one signed whole.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use futures::future::join_all;
use hubkeep_audit_log::{Draft, Operation, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::SystemClock,
    error::ErrorReason,
    id::{CallId, PortalId},
    random::SystemRandom,
};
use hubkeep_proto::crm::v1::{Report, ReportScope};
use hubkeep_tests::{
    Hubkeep, Refused, Service, World, proto_entry,
    support::{
        audit::Reader,
        portals::OPERATOR,
        processes::hubkeep_binary,
        reports::{Kind, of},
    },
};
use serde_json::Value;
use tonic::Code;

const A: &str = "client-0001";
/// Each fills some 400 bytes of the report.
const ACCESSES: usize = 9_000;
const PART: usize = 3 * 1024 * 1024;

/// A portal with a contact that was asked for very often.
async fn busy() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let events = hubkeep.audit_events(Service::Crm).await;
    let read = events.iter().map(proto_entry);
    let object_ref = read
        .filter(|entry| entry.object_type == "contacts")
        .map(|entry| entry.object_ref.clone())
        .next_back()
        .expect("it was read");
    let id = PortalId::new(hubkeep.portal_id(A)).expect("an id");
    let portal = ProvenPortal::by_redeemed_handle(id, A.parse().expect("a slug"));
    let log = hubkeep.audit_log(Service::Crm);
    let refused = async || {
        let call_id = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
        let draft = Draft::portal(&portal, Operation::ObjectGet, call_id);
        let draft = draft.object("contacts", Some(&object_ref));
        let refused = Outcome::refused(ErrorReason::OperationNotAllowed);
        log.denied(draft, refused).await.expect("durable");
    };
    for _ in 0..ACCESSES / 500 {
        join_all((0..500).map(|_| refused())).await;
    }
    hubkeep
}

async fn part(hubkeep: &Hubkeep, scope: &ReportScope, part: u32) -> Result<Report, tonic::Status> {
    let scope = ReportScope {
        part,
        ..scope.clone()
    };
    let kind = Kind::Subject("contacts", "101");
    hubkeep.report(Reader::Operator(OPERATOR), kind, scope).await
}

async fn run(hubkeep: &Hubkeep, words: &[&str], out: &Path) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(words)
        .arg(out)
        .args(["--credential-service", &hubkeep.credential_address()])
        .args(["--crm-service", &hubkeep.crm_address()])
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output());
    ran.await.expect("no panic").expect("it runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_one_answer_does_not_hold_is_given_in_parts_of_one_signed_whole() {
    let hubkeep = busy().await;
    let scope = ReportScope {
        expected_portal_id: hubkeep.portal_id(A),
        ..of(A)
    };
    let first = part(&hubkeep, &scope, 0).await.expect("the first");
    assert!(first.part_count > 1);
    assert_eq!(first.content.len(), PART);
    let further = ReportScope {
        as_of: first.as_of,
        start_time: first.start_time,
        end_time: first.end_time,
        ..scope
    };
    let mut whole = Vec::new();
    for number in 1..=first.part_count {
        let part = part(&hubkeep, &further, number).await.expect("a part");
        assert_eq!((&part.sha256, &part.note), (&first.sha256, &first.note));
        whole.extend(part.content);
    }
    let report: Value = serde_json::from_slice(&whole).expect("JSON, when put together");
    let told = report["report"]["accesses"].as_array().expect("listed").len();
    assert_eq!(told, ACCESSES + 1);
    let refused = Refused::in_place_of(part(&hubkeep, &further, first.part_count + 1).await);
    assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(refused.fields, ["scope.part"]);

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("subject.json");
    let portal = hubkeep.portal_id(A).to_string();
    let words = [
        "report",
        "subject",
        A,
        "--record",
        "contacts/101",
        "--portal-id",
        &portal,
        "--out",
    ];
    let made = run(&hubkeep, &words, &out).await;
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{said}");
    let kept: Value = serde_json::from_slice(&fs::read(&out).expect("written")).expect("JSON");
    assert_eq!(
        kept["report"]["accesses"].as_array().expect("listed").len(),
        ACCESSES + 1
    );
    let keys = hubkeep
        .audit_log(Service::Crm)
        .verifier_keys()
        .await
        .expect("keys");
    let key_file = folder.path().join("keys");
    fs::write(&key_file, keys.join("\n")).expect("written");
    let mut verify = Command::new(hubkeep_binary());
    verify.env_clear().args(["report", "verify"]).arg(&out);
    let verified = verify.arg("--key").arg(&key_file).output().expect("it runs");
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
