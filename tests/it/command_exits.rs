//! How a command ends when it is asked for a portal that there is not, and what a script reads of a report.

use std::process::{Command, Output, Stdio};

use hubkeep_tests::{Hubkeep, World, support::processes::hubkeep_binary};
use serde_json::Value;

const A: &str = "client-0001";

async fn run(hubkeep: &Hubkeep, words: &[&str]) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(words)
        .args(["--credential-service", &hubkeep.credential_address()])
        .args(["--crm-service", &hubkeep.crm_address()])
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output());
    ran.await.expect("no panic").expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

async fn hubkeep() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    hubkeep
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_there_is_not_is_told_by_whatever_is_asked_of_it() {
    let hubkeep = hubkeep().await;
    let folder = hubkeep.folder().join("bundle").display().to_string();
    for words in [
        &["alerts", "list", "nosuch"][..],
        &["alerts", "rules", "nosuch"],
        &["alerts", "watch", "nosuch"],
        &["audit", "export", "--portal", "nosuch", "--to", &folder],
    ] {
        let refused = run(&hubkeep, words).await;
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(4), "{words:?}: {told}");
        assert!(
            told.contains("nosuch") && told.contains("PORTAL_UNKNOWN"),
            "{told}"
        );
    }
    for words in [
        &["alerts", "list", A][..],
        &["alerts", "rules", A],
        &["alerts", "list"],
    ] {
        let listed = run(&hubkeep, words).await;
        assert_eq!(
            listed.status.code(),
            Some(0),
            "{words:?}: {}",
            text(&listed.stderr)
        );
    }
    let refused = run(
        &hubkeep,
        &[
            "alerts",
            "rule",
            "put",
            A,
            "contact-reads",
            "--threshold",
            "100001",
        ],
    )
    .await;
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4));
    assert!(told.contains("--threshold: must be at most 100,000"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_reads_what_is_in_a_report() {
    let hubkeep = hubkeep().await;
    let made = run(&hubkeep, &["report", "usage", A, "--json"]).await;
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let told: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert!(told["content"].is_object(), "{told}");
    assert_eq!(told["media_type"], "application/json");
    let made = run(&hubkeep, &["report", "usage", A, "--json", "--format", "csv"]).await;
    let told: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let rows = told["content"].as_str().expect("text");
    assert!(rows.contains(','), "{rows}");
}
