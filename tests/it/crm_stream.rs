//! `hubkeep crm stream`: every record on a line of its own, whatever breaks meanwhile.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use hubkeep_tests::{
    Limits, Proxy, World, eventually,
    support::{
        crm_process::CrmProcess,
        processes::{Process, hubkeep_binary},
        walks::contacts,
    },
};

const A: &str = "client-0001";
const CONTACTS: usize = 10_000;
/// A minute of a slow machine: the command waits between its attempts.
const PATIENCE: Duration = Duration::from_secs(60);

fn ids(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("text");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let id = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
        record["object_id"].as_str().expect("an id").to_owned()
    };
    whole.lines().map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_goes_on_by_itself_when_the_service_is_killed_under_it() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let mut stage = CrmProcess::start(world).await;
    let all = contacts(&stage.hubkeep.hubspot, stage.hubkeep.portal_id(A), CONTACTS, 8);
    let proxy = Proxy::to(stage.address()).await;
    let (records, state) = (
        stage.hubkeep.folder().join("records"),
        stage.hubkeep.folder().join("state"),
    );
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(["crm", "stream", A, "contacts", "--as", "sync"])
        .args(["--purpose", "export", "--properties", "lastname"])
        .args(["--credential-service", &stage.hubkeep.credential_address()])
        .args(["--crm-service", &format!("http://{}", proxy.address())])
        .arg("--state")
        .arg(&state)
        .stdout(File::create(&records).expect("a file"))
        .stderr(Stdio::null())
        .stdin(Stdio::null());
    let mut running = Process::started("hubkeep", &mut command);
    for least in [1, 3_000] {
        eventually!(PATIENCE, ids(&records).len() >= least);
        stage.process.end();
        eventually!(PATIENCE, state.exists());
        stage.again();
        proxy.lead_to(stage.address());
    }
    running.ends_within(PATIENCE).await;
    assert_eq!(ids(&records), all);
    assert!(!state.exists(), "there is nothing to go on with");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_how_to_go_on_when_its_handle_opens_nothing_any_more() {
    let stage = CrmProcess::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let all = contacts(&stage.hubkeep.hubspot, stage.hubkeep.portal_id(A), 300, 8);
    let crm_service = format!("http://{}", stage.address());
    let stream = |handle: &str, more: &[&str]| {
        let output = Command::new(hubkeep_binary())
            .env_clear()
            .env("HUBKEEP_HANDLE", handle)
            .args(["crm", "stream", A, "contacts", "--as", "sync"])
            .args(["--crm-service", &crm_service])
            .args(more)
            .output();
        output.expect("it runs")
    };
    let handle = stage.hubkeep.handle(A).issue().await;
    let mut walk = stage.crm(&handle).walk("contacts", "").await.expect("begun");
    let token = walk.message().await.expect("read").expect("a page").resume_token;

    let over = stage.hubkeep.handle(A).issue().await;
    stage.hubkeep.revoke(&over).await;
    let refused = stream(&over.token, &["--resume", &token]);
    assert_eq!(refused.status.code(), Some(4));
    let told = String::from_utf8(refused.stderr).expect("text");
    assert!(told.contains(&format!("--resume {token}")), "{told}");

    let rest = stream(&handle.token, &["--resume", &token]);
    assert_eq!(rest.status.code(), Some(0));
    let lines = String::from_utf8(rest.stdout).expect("text");
    assert_eq!(lines.lines().count(), all.len() - 100);

    let refused = stream(&handle.token, &["--resume", "no-token"]);
    assert_eq!(refused.status.code(), Some(4));
    let told = String::from_utf8(refused.stderr).expect("text");
    assert!(told.contains("PAGE_TOKEN_INVALID"), "{told}");
    assert!(
        !told.contains("to go on"),
        "a refused token leads nowhere: {told}"
    );

    let nothing = stream("", &[]);
    assert_eq!(nothing.status.code(), Some(2));
    let told = String::from_utf8(nothing.stderr).expect("text");
    assert!(told.contains("no handle: give --handle"), "{told}");
}
