//! What the operator's command prints, keeps and leaves out when something ends it early.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Hubkeep, Limits, Service, World, eventually,
    support::{
        certificates::Certificates,
        processes::{crm_service_binary, hubkeep_binary},
        walks::contacts,
    },
};
use serde_json::Value;

const A: &str = "client-0001";
const CONTACTS: usize = 12_000;

/// The command, for a Hubkeep that runs in this process.
fn command(hubkeep: &Hubkeep, words: &[&str]) -> Command {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(words)
        .args(["--credential-service", &hubkeep.credential_address()])
        .args(["--crm-service", &hubkeep.crm_address()])
        .stdin(Stdio::null());
    command
}

async fn run(mut command: Command) -> Output {
    let ran = tokio::task::spawn_blocking(move || command.output());
    ran.await.expect("no panic").expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn id(line: &str) -> String {
    let record: Value = serde_json::from_str(line).expect("JSON");
    record["object_id"].as_str().expect("an id").to_owned()
}

fn export(state: &Path) -> [&str; 10] {
    let state = state.to_str().expect("text");
    [
        "crm",
        "stream",
        A,
        "contacts",
        "--as",
        "sync",
        "--purpose",
        "export",
        "--state",
        state,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_leaves_a_pipe_misses_nothing_when_the_walk_goes_on() {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let all = contacts(&hubkeep.hubspot, hubkeep.portal_id(A), CONTACTS, 300);
    let state = hubkeep.folder().join("walk");

    let mut first = command(&hubkeep, &export(&state));
    let mut running = first
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(running.stdout.take().expect("piped")).lines();
    // So much that the file says how far the walk has come; then the reader leaves with what is in the pipe.
    let mut seen = BTreeSet::new();
    while !state.exists() {
        seen.insert(id(&lines.next().expect("there are more").expect("text")));
    }
    drop(lines);
    let mut ended = None;
    eventually!({
        ended = running.try_wait().expect("it can be asked");
        ended.is_some()
    });
    assert!(!ended.expect("ended").success(), "it was not complete");
    assert!(seen.len() < CONTACTS / 2, "{} were read before", seen.len());
    assert!(state.exists());

    let rest = hubkeep.folder().join("rest");
    let mut second = command(&hubkeep, &export(&state));
    second.stdout(File::create(&rest).expect("a file"));
    let second = run(second).await;
    assert!(second.status.success(), "{}", text(&second.stderr));
    let rest = fs::read_to_string(&rest).expect("text");
    let rest: Vec<String> = rest.lines().map(id).collect();
    assert!(rest.len() < CONTACTS, "it did not begin anew");
    seen.extend(rest);
    assert_eq!(seen, all.into_iter().collect(), "nothing is left out");
    assert!(!state.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_that_cannot_be_kept_is_refused_before_anything_is_read() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let state = hubkeep.folder().join("no-such-folder").join("walk");
    let ended = run(command(&hubkeep, &export(&state))).await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        text(&ended.stderr).contains("--state "),
        "{}",
        text(&ended.stderr)
    );
    assert!(hubkeep.hubspot_calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_refused_as_a_whole_prints_no_rows_and_names_the_role() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    let file = hubkeep.folder().join("clients.csv");
    let rows = format!("clientSlug,portalToken,portalId\n{A},{},\n,,\n", hubkeep.token(A));
    fs::write(&file, rows).expect("written");
    let line = ["import", file.to_str().expect("text"), "--as", "sync"];
    let refused = run(command(&hubkeep, &line)).await;
    assert_eq!(refused.status.code(), Some(4));
    assert_eq!(text(&refused.stdout), "", "no row was taken");
    let told = text(&refused.stderr);
    assert!(
        told.contains("the role fleet") && told.contains("[roles]"),
        "{told}"
    );
    assert!(!told.contains("[access]"), "it does not decide here: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_a_log_are_given_in_the_order_of_their_positions() {
    let hubkeep = Hubkeep::start(World::of_portals(3)).await;
    hubkeep.onboard_all().await;
    let positions = |listed: &Output| -> Vec<u64> {
        let position = |line: &str| {
            let event: Value = serde_json::from_str(line).expect("JSON");
            event["position"].as_u64().expect("a position")
        };
        text(&listed.stdout).lines().map(position).collect()
    };
    let of = "audit list --from credential-service";
    let list = async |more: &str| {
        let words: Vec<&str> = of.split(' ').chain(more.split(' ')).collect();
        let listed = run(command(&hubkeep, &words)).await;
        assert!(listed.status.success(), "{}", text(&listed.stderr));
        listed
    };
    let newest = positions(&list("--last 3 --json").await);
    // The reading itself may be on record by now.
    let end = hubkeep.audit_events(Service::Credential).await.len() as u64;
    let last = *newest.last().expect("three");
    assert_eq!(newest, [last - 2, last - 1, last]);
    assert!(last + 2 >= end, "{last} of {end}");
    assert_eq!(positions(&list("--limit 2 --json").await), [1, 2]);
    let told = text(&list("--limit 2").await.stderr);
    assert!(told.contains("--last"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_ca_is_named_each_time_also_for_a_write() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).certificates().start().await;
    let others = Certificates::new(&hubkeep.folder().join("others"), SystemClock::shared().now());
    let stranger = others.of("operator/ann").trusting(hubkeep.certificates().ca());
    let options = stranger.options(hubkeep.folder());
    let crm_service = hubkeep.crm_address().replace("http://", "https://");
    let words = [
        "crm",
        "update",
        A,
        "contacts",
        "101",
        "--set",
        "phone=1",
        "--handle",
        "hk1_none",
        "--crm-service",
        &crm_service,
    ];
    for _ in 0..12 {
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args(words)
            .args(&options)
            .stdin(Stdio::null());
        let refused = run(command).await;
        let told = text(&refused.stderr);
        assert!(told.contains("does not trust the CA"), "{told}");
        assert_eq!(refused.status.code(), Some(5), "nothing was sent: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_set_to_nothing_is_not_set() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    let mut command = command(&hubkeep, &["portals"]);
    for name in ["CERT", "KEY", "CA", "AS", "TIMEOUT", "JSON"] {
        command.env(format!("HUBKEEP_{name}"), "");
    }
    let listed = run(command).await;
    assert!(listed.status.success(), "{}", text(&listed.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_asked_without_certificates_says_that_the_port_takes_tls() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).certificates().start().await;
    let config = hubkeep.folder().join("plain.toml");
    let listen = hubkeep.address(Service::Crm);
    fs::write(
        &config,
        format!("deployment = \"test\"\n[grpc]\nlisten = \"{listen}\"\n"),
    )
    .expect("written");
    let mut command = Command::new(crm_service_binary());
    command.env_clear().args(["health", "--config"]).arg(&config);
    let asked = run(command).await;
    let told = text(&asked.stderr);
    assert_eq!(asked.status.code(), Some(1));
    assert!(
        told.contains("takes TLS only") && told.contains("[tls]"),
        "{told}"
    );
}
