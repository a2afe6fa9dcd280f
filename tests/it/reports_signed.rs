//! A report is signed by the service's log key, and whoever changes it, or takes another's signature, is found out.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use hubkeep_proto::crm::v1::Report;
use hubkeep_tests::{
    Hubkeep, Service, World,
    support::{
        audit::Reader,
        portals::OPERATOR,
        processes::hubkeep_binary,
        reports::{Kind, of},
    },
};
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};

const A: &str = "client-0001";

async fn started() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    hubkeep
}

async fn keys(hubkeep: &Hubkeep) -> Vec<String> {
    let log = hubkeep.audit_log(Service::Crm);
    log.verifier_keys().await.expect("there is a log key")
}

async fn report(hubkeep: &Hubkeep, kind: Kind) -> Report {
    let asked = hubkeep.report(Reader::Operator(OPERATOR), kind, of(A)).await;
    asked.expect("an auditor")
}

fn verify(file: &Path, keys: &Path) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command.env_clear().args(["report", "verify"]).arg(file);
    command.arg("--key").arg(keys).output().expect("it runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn others_software_finds_every_report_signed_and_its_statement_true() {
    let hubkeep = started().await;
    let key = &keys(&hubkeep).await[0];
    for kind in [Kind::Usage, Kind::Processing] {
        let report = report(&hubkeep, kind).await;
        let note = Note::from_bytes(report.note.as_bytes()).expect("a signed note");
        let verifier = StandardVerifier::new(key).expect("a key");
        note.verify(&VerifierList::new(vec![Box::new(verifier)]))
            .expect("signed");
        let text = String::from_utf8(note.text().to_vec()).expect("text");
        let positions = report.as_of.expect("told");
        let expected = format!(
            "hubkeep report\nfile {}\nportal {}\nas of {},{}\nsha256 {}\n",
            report.file_name,
            hubkeep.portal_id(A),
            positions.crm_service,
            positions.credential_service,
            report.sha256
        );
        assert_eq!(text, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_finds_a_changed_report_and_a_signature_of_something_else() {
    let hubkeep = started().await;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("keys"), keys(&hubkeep).await.join("\n")).expect("written");
    let usage = report(&hubkeep, Kind::Usage).await;
    fs::write(at("usage.json"), &usage.content).expect("written");
    fs::write(at("usage.json.note"), &usage.note).expect("written");
    let good = verify(&at("usage.json"), &at("keys"));
    assert_eq!(good.status.code(), Some(0));
    let told = String::from_utf8(good.stdout).expect("text");
    assert!(
        told.starts_with("good: file ") && told.contains(&usage.sha256),
        "{told}"
    );

    let mut content: Value = serde_json::from_slice(&usage.content).expect("JSON");
    content["altered"] = true.into();
    fs::write(at("usage.json"), content.to_string()).expect("written");
    let checkpoint = hubkeep.audit_log(Service::Crm);
    let other = report(&hubkeep, Kind::Scope).await;
    fs::write(at("scope.json"), &other.content).expect("written");
    fs::write(at("scope.json.note"), &usage.note).expect("written");
    for changed in ["usage.json", "scope.json"] {
        let wrong = verify(&at(changed), &at("keys"));
        assert_eq!(wrong.status.code(), Some(9), "{changed}");
    }
    assert_eq!(
        checkpoint.sign_note("hubkeep report\n12\n"),
        None,
        "it could be a checkpoint"
    );
    fs::write(at("keys"), "test/crm-service+00000000+AAAA").expect("written");
    let unknown = verify(&at("usage.json"), &at("keys"));
    assert_eq!(unknown.status.code(), Some(9));
    assert_eq!(verify(&at("nosuch.json"), &at("keys")).status.code(), Some(2));
}
