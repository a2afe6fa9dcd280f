//! Who has no grant has no handle, and reaches no portal; what the command says of grants is what the service does.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use hubkeep_audit_log::Phase;
use hubkeep_tests::{
    Allow, Hubkeep, Refused, Service, World,
    support::{
        grants::{of_everything, put},
        processes::hubkeep_binary,
    },
};
use serde_json::Value;
use tonic::Code;

const A: &str = "client-0001";

async fn without_grants(portals: u32) -> Hubkeep {
    let hubkeep = Hubkeep::over(World::of_portals(portals))
        .without_grants()
        .start()
        .await;
    hubkeep.onboard_all().await;
    hubkeep
}

#[tokio::test]
async fn who_has_no_grant_gets_no_handle_and_who_gets_one_calls_with_it() {
    let hubkeep = without_grants(1).await;
    let refused = Refused::in_place_of(hubkeep.handle(A).ask().await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "GRANT_MISSING"));
    assert_eq!(refused.metadata["lacking"], "portal");
    let denied = hubkeep.entries(Service::Credential, Phase::Denied).await;
    assert!(
        denied
            .iter()
            .any(|entry| entry.caller == "sync" && entry.portal_id == 0),
        "on record, and in no portal's log: {denied:?}"
    );
    let door = hubkeep.door(Service::Credential);
    put(door, of_everything("sync", "sync")).await.expect("put");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("answered");
    assert_eq!(hubkeep.hubspot_calls().len(), 1);
}

/// What the command does as an operator, with what it printed as JSON.
async fn run(hubkeep: &Hubkeep, words: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(words)
        .args(["--json", "--as", "operator/ann"])
        .args(["--credential-service", &hubkeep.credential_address()])
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output());
    let Output {
        status,
        stdout,
        stderr,
    } = ran.await.expect("no panic").expect("it runs");
    let told = serde_json::from_slice(&stdout);
    let told = told.unwrap_or_else(|_| panic!("{words:?}: {}", String::from_utf8_lossy(&stderr)));
    (status.code(), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_puts_shows_replays_and_deletes_grants() {
    let hubkeep = without_grants(2).await;
    let words = [
        "grants",
        "put",
        "sync",
        "--caller",
        "sync",
        "--portals",
        A,
        "--tags",
        "eu",
        "--allow",
        "get,update",
        "--types",
        "contacts",
        "--max-lifetime",
        "5m",
        "--max-calls",
        "9",
        "--writes-need-approval",
    ];
    let dry: Vec<&str> = words.iter().copied().chain(["--dry-run"]).collect();
    let (exit, told) = run(&hubkeep, &dry).await;
    assert_eq!((exit, &told["grant"]["revision"]), (Some(0), &Value::from(1)));
    let (exit, told) = run(&hubkeep, &["grants", "show", "sync"]).await;
    assert_eq!(exit, Some(2), "nothing was put: {told}");
    run(&hubkeep, &words).await;
    let (exit, shown) = run(&hubkeep, &["grants", "show", "sync"]).await;
    assert_eq!(exit, Some(0));
    assert_eq!(shown["caller"], "sync");
    assert_eq!(shown["portals"]["tags"][0], "eu");
    assert_eq!(shown["budget"]["max_calls"], 9);
    assert_eq!(shown["max_lifetime"], "300s");
    assert_eq!(shown["writes_need_approval"], true);
    assert_eq!(shown["updated_by"], "operator/ann");

    let file = hubkeep.folder().join("grants.toml");
    let text = "[sync]\ncaller = \"sync\"\nall_portals = true\nallow = [\"get\", \"update\"]\ntypes = [\"contacts\"]\n\
                [refused]\nperson = \"nobody\"\nall_portals = true\nallow = [\"quota\"]\n";
    fs::write(&file, text).expect("written");
    let (exit, told) = run(
        &hubkeep,
        &["grants", "put", "--file", file.to_str().expect("text")],
    )
    .await;
    assert_eq!(exit, Some(3), "one is refused, the other done: {told}");
    assert_eq!(told["put"][0]["grant"]["revision"], 2);
    assert_eq!(told["refused"][0]["error"]["reason"], "PERSON_UNKNOWN");
    let wish = || hubkeep.handle(A).allow([Allow::Get]).types(["contacts"]);
    wish().issue().await;
    let (exit, told) = run(&hubkeep, &["grants", "replay", "--without", "sync"]).await;
    assert_eq!(
        (exit, &told["refusals"][0]["lacking"]),
        (Some(0), &Value::from("portal")),
        "{told}"
    );
    let (exit, told) = run(&hubkeep, &["grants", "delete", "sync"]).await;
    assert_eq!(exit, Some(0));
    assert!(
        told["revocation_seq"].as_u64().is_some_and(|seq| seq > 0),
        "{told}"
    );
    assert_eq!(Refused::in_place_of(wish().ask().await).reason, "GRANT_MISSING");
    let (exit, told) = run(
        &hubkeep,
        &["grants", "put", "Sync", "--caller", "a b", "--allow", "get"],
    )
    .await;
    assert_eq!(exit, Some(4));
    let fields = told["error"]["fields"].as_array().expect("told").len();
    assert_eq!(fields, 4, "every fault at once: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_puts_lists_and_forgets_people() {
    let hubkeep = without_grants(1).await;
    let words = [
        "people",
        "put",
        "ann",
        "--certs",
        "operator/ann,laptop/ann",
        "--oidc",
        "https://accounts.google.com#1176",
        "--slack",
        "T024BE7LD#U024BE7LH",
    ];
    let (exit, told) = run(&hubkeep, &words).await;
    assert_eq!(exit, Some(0));
    assert!(
        told["revocation_seq"].as_u64().is_some_and(|seq| seq > 0),
        "{told}"
    );
    let (_, listed) = run(&hubkeep, &["people"]).await;
    let ann = &listed["people"][0];
    assert_eq!(ann["certificate_names"].as_array().map(Vec::len), Some(2));
    assert_eq!(ann["oidc_subjects"][0]["subject"], "1176");
    assert_eq!(ann["slack_users"][0]["team_id"], "T024BE7LD");
    let (exit, told) = run(&hubkeep, &["people", "put", "eve", "--certs", "laptop/ann"]).await;
    assert_eq!(
        (exit, &told["error"]["reason"]),
        (Some(4), &Value::from("IDENTITY_TAKEN"))
    );
    assert_eq!(told["error"]["metadata"]["person_id"], "ann");
    let (exit, _) = run(&hubkeep, &["people", "delete", "ann"]).await;
    assert_eq!(exit, Some(0));
    let (_, listed) = run(&hubkeep, &["people"]).await;
    assert_eq!(listed["people"].as_array().map(Vec::len), Some(0));
}
