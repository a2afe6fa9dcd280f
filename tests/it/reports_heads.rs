//! Every report names how many entries it was made from and a signed checkpoint that covers them, so that who holds a bundle of each
//! log counts the same.

use std::time::Duration;

use hubkeep_audit_log::proofs::Checkpoint;
use hubkeep_core::{clock::SystemClock, id::PortalId};
use hubkeep_proto::crm::v1::{Report, ReportScope};
use hubkeep_tests::{
    Hubkeep, Service, World,
    support::{
        audit::Reader,
        portals::OPERATOR,
        reports::{KINDS, Kind, json, of},
    },
};
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};

const A: &str = "client-0001";
const SERVICES: [Service; 2] = [Service::Crm, Service::Credential];

async fn started() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    some_calls(&hubkeep).await;
    hubkeep
}

async fn some_calls(hubkeep: &Hubkeep) {
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    for id in ["101", "102", "103"] {
        crm.get("contacts", id).await.expect("read");
    }
}

async fn made(hubkeep: &Hubkeep, kind: Kind, scope: ReportScope) -> Report {
    let scope = ReportScope {
        expected_portal_id: hubkeep.portal_id(A),
        ..scope
    };
    let made = hubkeep.report(Reader::Operator(OPERATOR), kind, scope).await;
    made.expect("an auditor")
}

fn log_of(hubkeep: &Hubkeep, service: Service) -> String {
    let id = PortalId::new(hubkeep.portal_id(A)).expect("an id");
    hubkeep.audit_log(service).log_of(id)
}

async fn checkpoint(hubkeep: &Hubkeep, service: Service, size: u64) -> Checkpoint {
    let log = log_of(hubkeep, service);
    let found = hubkeep.audit_log(service).checkpoint(&log, Some(size)).await;
    found.expect("it was signed")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_names_a_signed_checkpoint_over_the_entries_that_it_was_made_from() {
    let hubkeep = started().await;
    for kind in KINDS {
        let report = json(&made(&hubkeep, kind, of(A)).await);
        for (service, read) in SERVICES
            .into_iter()
            .zip(report["made_from"].as_array().expect("two"))
        {
            let log = log_of(&hubkeep, service);
            assert_eq!(read["log"], log.as_str());
            let until = number(&read["until_position"]);
            let events = hubkeep.audit_events(service).await;
            let counted = events
                .iter()
                .filter(|event| event.log == log && event.position <= until);
            let (size, counted) = (number(&read["size"]), counted.count());
            assert_eq!(usize::try_from(size).expect("few"), counted, "{kind:?} {log}");
            assert!(size > 0);

            let signed = &read["checkpoint"];
            assert!(number(&signed["size"]) >= size, "{kind:?}: {signed}");
            let there = checkpoint(&hubkeep, service, number(&signed["size"])).await;
            assert_eq!(signed["root"], hex::encode(there.root));
            let note = signed["note"].as_str().expect("a note");
            let note = Note::from_bytes(note.as_bytes()).expect("a signed note");
            let keys = hubkeep.audit_log(service).verifier_keys().await.expect("keys");
            let verifier = StandardVerifier::new(&keys[0]).expect("a key");
            note.verify(&VerifierList::new(vec![Box::new(verifier)]))
                .expect("signed");
        }
        let gaps = report["gaps"].as_array().expect("listed");
        assert!(
            !gaps.iter().any(|gap| gap.to_string().contains("made_from")),
            "{gaps:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_processing_names_the_heads_at_both_ends_and_proves_that_nothing_went_between() {
    let hubkeep = started().await;
    // Whatever report is made, both logs are signed up to there.
    made(&hubkeep, Kind::Usage, of(A)).await;
    let begun = SystemClock::shared().now();
    some_calls(&hubkeep).await;
    let later = ReportScope {
        start_time: Some(begun.into()),
        end_time: Some(begun.plus(Duration::from_secs(3_600)).into()),
        ..of(A)
    };
    let report = json(&made(&hubkeep, Kind::Processing, later).await);
    let heads = report["report"]["evidence"]["heads"]
        .as_array()
        .expect("two")
        .clone();
    assert_eq!(heads.len(), 2);
    for (service, head) in SERVICES.into_iter().zip(&heads) {
        let (start, end) = (number(&head["start"]["size"]), number(&head["end"]["size"]));
        assert!(0 < start && start < end, "{head}");
        assert_eq!(head["begins_in_period"], false);
        let log = log_of(&hubkeep, service);
        let proof = hubkeep
            .audit_log(service)
            .consistency(&log, start, Some(end))
            .await
            .expect("it grew");
        let hashes: Vec<String> = proof.hashes.iter().map(hex::encode).collect();
        assert_eq!(head["consistency"], serde_json::json!(hashes));
        assert!(!hashes.is_empty());
    }
    let whole = json(&made(&hubkeep, Kind::Processing, of(A)).await);
    for head in whole["report"]["evidence"]["heads"].as_array().expect("two") {
        assert_eq!(head["begins_in_period"], true);
        assert_eq!(head["start"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_signs_is_told_to_be_one() {
    let setup = Hubkeep::over(World::of_portals(1))
        .credential(|config| config.audit.proofs.enabled = false)
        .crm(|config| config.audit.proofs.enabled = false);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    some_calls(&hubkeep).await;
    let report = made(&hubkeep, Kind::Usage, of(A)).await;
    let told = report.gaps.iter().filter(|gap| gap.contains("is not signed"));
    assert_eq!(told.count(), 2, "{:?}", report.gaps);
    assert!(report.note.is_empty());
    let report = json(&report);
    for read in report["made_from"].as_array().expect("two") {
        assert_eq!(read["checkpoint"], Value::Null);
        assert!(number(&read["size"]) > 0);
    }
}
