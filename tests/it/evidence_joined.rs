//! What both services have recorded of a portal is exported, and verified, together.

use std::process::{Command, Output};

use hubkeep::bundle::verify_all;
use hubkeep_tests::{
    Hubkeep, World,
    support::{
        evidence_joined::{JOINED_SPOILINGS, Joined, SERVICES},
        portals::OPERATOR,
        processes::hubkeep_binary,
    },
};
use serde_json::Value;

const A: &str = "client-0001";

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_of_both_services_are_good_together_and_it_is_found_where_one_is_not_what_it_was() {
    let joined = Joined::gather().await;
    let (keys, held, kept) = (joined.keys(), [joined.held()], [joined.receipts.clone()]);
    let found = verify_all(joined.folder(), Some(&keys), &held, &kept).expect("good");
    let portal = joined.evidence.hubkeep.portal_id(A);
    let logs: Vec<&str> = found.iter().map(|found| found.log.as_str()).collect();
    assert_eq!(logs, SERVICES.map(|service| format!("test/{service}/{portal}")));
    assert_eq!(found.iter().map(|found| found.receipts).sum::<usize>(), 1);
    for spoiling in &JOINED_SPOILINGS {
        let folder = joined.spoilt(spoiling);
        let found = verify_all(folder.path(), Some(&keys), &held, &kept);
        assert!(found.is_err(), "{}: {found:?}", spoiling.what);
    }
}

async fn export(hubkeep: &Hubkeep, to: &str, more: &[&str]) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args([
            "audit", "export", "--as", OPERATOR, "--portal", A, "--json", "--to", to,
        ])
        .args(["--credential-service", &hubkeep.credential_address()])
        .args(["--crm-service", &hubkeep.crm_address()])
        .args(more);
    let run = tokio::task::spawn_blocking(move || command.output().expect("it runs"));
    run.await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_has_nothing_of_a_portal_is_named_and_the_other_one_s_log_is_exported() {
    let hubkeep = Hubkeep::over(World::of_portals(1))
        .credential(|config| config.audit.proofs.every = std::time::Duration::ZERO)
        .start()
        .await;
    hubkeep.onboard_all().await;
    let folder = hubkeep.folder().join("evidence").display().to_string();
    let mut ran = export(&hubkeep, &folder, &[]).await;
    // Until a checkpoint covers it.
    for _ in 0..100 {
        if ran.status.success() {
            break;
        }
        ran = export(&hubkeep, &folder, &[]).await;
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("crm-service has no entry of a portal"), "{said}");
    let told: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let logs = told["logs"].as_array().expect("logs");
    assert_eq!(logs.len(), 1, "{told}");
    let found = verify_all(folder.as_ref(), None, &[], &[]).expect("good");
    assert_eq!(Value::from(found[0].log.clone()), logs[0]["log"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_the_entries_of_both_services() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    hubkeep
        .crm_as("sync")
        .with(&handle)
        .get("contacts", "101")
        .await
        .expect("given");
    for format in ["ocsf", "csv"] {
        let file = hubkeep.folder().join(format);
        let ran = export(&hubkeep, file.to_str().expect("text"), &["--format", format]).await;
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let told: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        let services: Vec<&str> = told["logs"]
            .as_array()
            .expect("logs")
            .iter()
            .filter(|log| log["events"].as_u64() > Some(0))
            .filter_map(|log| log["service"].as_str())
            .collect();
        assert_eq!(services, SERVICES);
        let text = std::fs::read_to_string(file).expect("read");
        for service in SERVICES {
            assert!(text.contains(&format!("test/{service}/")), "{format}: {service}");
        }
    }
}
