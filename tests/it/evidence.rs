//! A client is given its log as a bundle, and whoever changes it, or the log behind it, is found out.

use std::process::Command;

use hubkeep::bundle::verify;
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_tests::{
    Allow, Service,
    support::{
        evidence::{Evidence, Held, SPOILINGS},
        evidence_heads::HEADS_SPOILINGS,
        evidence_pruned::{FIRST, PRUNED_SPOILINGS, SIZE},
        evidence_receipts::{ENTRIES, RECEIPT_SPOILINGS, Receipts},
        processes::hubkeep_binary,
    },
};
use serde_json::Value;

const A: &str = "client-0001";

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_good_and_every_way_to_spoil_one_is_found() {
    let evidence = Evidence::gather().await;
    let keys = evidence.keys();
    for held in [Held::Log, Held::EarlyHeads, Held::Heads] {
        let held = [evidence.held(held)];
        let found = verify(&evidence.second(), Some(&keys), &held, &[]).expect("good");
        assert_eq!((found.log, found.size), (evidence.log_of(A), 36));
        assert!(found.heads_size.is_some());
    }
    for spoiling in SPOILINGS.iter().chain(&HEADS_SPOILINGS) {
        let bundle = evidence.spoilt(spoiling);
        let held = [evidence.held(spoiling.held)];
        let found = verify(bundle.path(), Some(&keys), &held, &[]);
        assert!(found.is_err(), "{}: {found:?}", spoiling.what);
    }
    // An honest bundle that is older than what is held was cut, as far as its reader can know.
    let later = evidence.second().join("checkpoint");
    verify(&evidence.first(), Some(&keys), &[later], &[]).expect_err("shorter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_of_a_pruned_log_is_good_and_every_way_to_spoil_one_is_found() {
    let evidence = Evidence::gather_pruned().await;
    let keys = evidence.keys();
    for held in [Held::Early, Held::Log, Held::EarlyHeads, Held::Heads] {
        let held = [evidence.held(held)];
        let found = verify(&evidence.second(), Some(&keys), &held, &[]).expect("good");
        assert!(found.size >= SIZE && found.first_index == FIRST, "{found:?}");
    }
    for spoiling in &PRUNED_SPOILINGS {
        let bundle = evidence.spoilt(spoiling);
        let held = [evidence.held(spoiling.held)];
        let found = verify(bundle.path(), Some(&keys), &held, &[]);
        assert!(found.is_err(), "{}: {found:?}", spoiling.what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_held_to_receipts_and_whatever_does_not_fulfil_one_is_found() {
    let receipts = Receipts::gather().await;
    let (bundle, keys) = (receipts.evidence.second(), receipts.evidence.keys());
    let kept = [receipts.file(&receipts.of_log.join("\n"))];
    let found = verify(&bundle, Some(&keys), &[], &kept).expect("good");
    assert_eq!((found.size, found.receipts), (ENTRIES, 3));
    for spoiling in &RECEIPT_SPOILINGS {
        let (bundle, file) = receipts.spoilt(spoiling);
        let found = verify(bundle.path(), Some(&keys), &[], &[file]);
        let wrong = found.expect_err(spoiling.what).to_string();
        assert!(wrong.contains(spoiling.says), "{}: {wrong}", spoiling.what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_whose_entry_was_pruned_is_told_from_one_that_is_not_kept() {
    let receipts = Receipts::gather_pruned().await;
    let (bundle, keys) = (receipts.evidence.second(), receipts.evidence.keys());
    let judge = |receipt: &str| verify(&bundle, Some(&keys), &[], &[receipts.file(receipt)]);
    judge(&receipts.of_log[0]).expect("its entry is there");
    let wrong = judge(&receipts.of_another).expect_err("its entry is gone");
    assert!(
        wrong.to_string().contains("was pruned: the bundle begins at 512"),
        "{wrong}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_what_is_wrong_and_ends_with_nine() {
    let evidence = Evidence::gather().await;
    let run = |bundle: &std::path::Path, json: bool| {
        let mut command = Command::new(hubkeep_binary());
        command.env_clear().args(["audit", "verify"]).arg(bundle);
        command.arg("--key").arg(evidence.keys());
        if json {
            command.arg("--json");
        }
        command.output().expect("it runs")
    };
    let good = run(&evidence.second(), false);
    assert_eq!(good.status.code(), Some(0));
    let told = String::from_utf8(good.stdout).expect("text");
    assert_eq!(told, format!("good: 36 entries of {}\n", evidence.log_of(A)));

    let spoilt = evidence.spoilt(&SPOILINGS[0]);
    let wrong = run(spoilt.path(), true);
    assert_eq!(wrong.status.code(), Some(9));
    let told: Value = serde_json::from_slice(&wrong.stdout).expect("JSON");
    assert_eq!(told["good"], false);
    let problem = told["problem"].as_str().expect("text");
    assert!(
        problem.starts_with("leaves: the first 36 are not those of the checkpoint"),
        "{problem}"
    );
    let nowhere = run(&evidence.second().join("nowhere"), false);
    assert_eq!(nowhere.status.code(), Some(9), "what is not there proves nothing");
    for option in ["--key", "--held", "--receipt"] {
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args(["audit", "verify"])
            .arg(evidence.first());
        command.arg(option).arg(evidence.second().join("nowhere"));
        let unusable = command.output().expect("it runs");
        let told = String::from_utf8_lossy(&unusable.stderr).into_owned();
        assert_eq!(unusable.status.code(), Some(2), "{told}");
        assert!(told.contains("nowhere cannot be read"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_exports_its_own_log_with_a_handle_and_no_other() {
    let evidence = Evidence::gather().await;
    let hubkeep = &evidence.hubkeep;
    let handle = hubkeep
        .handle(A)
        .for_caller("sync")
        .allow([Allow::ReadAudit])
        .issue()
        .await;
    let export = |slug: &str, to: &str, held: Option<Held>| {
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args(["audit", "export", "--as", "sync", "--portal", slug, "--to"])
            .arg(evidence.first().join(to))
            .args(["--from", "crm-service", "--crm-service", &hubkeep.crm_address()])
            .env("HUBKEEP_HANDLE", &handle.token);
        if let Some(held) = held {
            command.arg("--held").arg(evidence.held(held));
        }
        tokio::task::spawn_blocking(move || command.output().expect("it runs"))
    };
    let own = export(A, "own", Some(Held::Heads)).await.expect("no panic");
    assert_eq!(
        own.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&own.stderr)
    );
    let found = verify(&evidence.first().join("own"), Some(&evidence.keys()), &[], &[]).expect("good");
    assert!(found.size >= 36);
    let head = std::fs::read_to_string(evidence.first().join("own/head.json")).expect("text");
    let other = evidence.log_of("client-0002");
    assert!(!head.contains(&other), "it learns nothing of other portals");
    let early = export(A, "early", Some(Held::EarlyHeads))
        .await
        .expect("no panic");
    let told = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && told.contains("do not name"), "{told}");
    let foreign = export("client-0002", "foreign", None).await.expect("no panic");
    assert_eq!(foreign.status.code(), Some(4));
    let entries = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let read = |operation| {
        entries
            .iter()
            .any(|entry| entry.operation() == operation && entry.caller == "sync")
    };
    assert!(
        read(Operation::AuditCheckpoint) && read(Operation::AuditList),
        "reading is on record"
    );
}
