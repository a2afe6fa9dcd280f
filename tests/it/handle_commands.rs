//! `hubkeep handle`: what it issues, narrows and says of handles, and how it lets them follow a new certificate.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use hubkeep_tests::{Crm, Handle, Hubkeep, Service, World, support::processes::hubkeep_binary};
use serde_json::Value;

const A: &str = "client-0001";

async fn run(mut command: Command) -> Output {
    let ran = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output());
    ran.await.expect("no panic").expect("it runs")
}

/// The command as "sync", with a handle in its environment where there is one.
fn command(hubkeep: &Hubkeep, handle: Option<&str>, words: &[&str]) -> Command {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(words)
        .args(["--as", "sync"])
        .args(["--credential-service", &hubkeep.credential_address()]);
    if let Some(handle) = handle {
        command.env("HUBKEEP_HANDLE", handle);
    }
    command
}

async fn answer(hubkeep: &Hubkeep, handle: Option<&str>, words: &[&str]) -> String {
    let ran = run(command(hubkeep, handle, words)).await;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{words:?}: {said}");
    String::from_utf8(ran.stdout).expect("text").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_taken_told_and_no_wider_than_its_parent() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let issue = [
        "handle",
        "issue",
        A,
        "--allow",
        "get,update",
        "--types",
        "contacts,deals",
        "--max-calls",
        "9",
        "--purpose",
        "trial",
    ];
    let parent = answer(&hubkeep, None, &issue).await;
    let narrow = [
        "handle",
        "narrow",
        "--read-only",
        "--types",
        "deals",
        "--pipelines",
        "renewals",
        "--max-calls",
        "1",
    ];
    let child = answer(&hubkeep, Some(&parent), &narrow).await;
    let told = answer(&hubkeep, Some(&child), &["handle", "introspect", "--json"]).await;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let scope = &told["description"]["scope"];
    assert_eq!(scope["operations"], serde_json::json!(["HANDLE_OPERATION_GET"]));
    assert_eq!(scope["pipelines"], serde_json::json!(["renewals"]));
    let told = answer(&hubkeep, Some(&child), &["handle", "introspect"]).await;
    assert!(
        told.contains("1 calls") && told.contains("narrowed from"),
        "{told}"
    );

    let wider = ["handle", "narrow", "--allow", "archive"];
    let refused = run(command(&hubkeep, Some(&child), &wider)).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("HANDLE_WIDER"),
        "{said}"
    );
    assert!(refused.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_follow_a_certificate_by_a_command_of_the_old_one() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).certificates().start().await;
    hubkeep.onboard_all().await;
    let handle: Handle = hubkeep.handle(A).issue().await;
    let (old, new) = (
        hubkeep.certificates().of("sync"),
        hubkeep.certificates().another("sync"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new.crt");
    fs::write(&file, new.certificate()).expect("written");
    let address = format!(
        "https://localhost:{}",
        hubkeep.address(Service::Credential).port()
    );
    let renew = |file: &std::path::Path| {
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args(["handle", "renew-certificate"])
            .arg(file)
            .args(["--credential-service", &address])
            .args(old.options(folder.path()));
        command
    };
    let ran = run(renew(&file)).await;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let crm = Crm::of(new.connect(hubkeep.door(Service::Crm).address()), "").silent();
    crm.with(&handle)
        .get("contacts", "101")
        .await
        .expect("it followed");

    fs::write(&file, "no certificate").expect("written");
    let refused = run(renew(&file)).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("no certificate in PEM"),
        "{said}"
    );
}
