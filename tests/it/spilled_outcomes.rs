//! The log takes no outcomes, and then the process is killed: what was done is on record after the next start, and there once.

use std::{fs, path::PathBuf, process::Output, time::Duration};

use hubkeep_audit_log::{CallResult, Cause, Entry, Event, Phase};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Handle, Hubkeep, ObjectType, Refused, World, eventually, proto_entry,
    support::{
        audit::{assert_dense, events_on_disk},
        chaos::Proxy,
        crm_process::{CrmProcess, channel},
        disk::WriteLock,
        keeping::Keeping,
        processes::{Process, crm_service_binary, crm_service_config, crm_service_config_on, serve},
        trouble::socket_of,
    },
};
use prost::Message as _;
use sqlx::{Connection as _, PgConnection};
use tonic::{Code, Status};

const A: &str = "client-0001";
/// Nobody waits long for the log.
const IMPATIENT: (&str, &str) = ("HUBKEEP__AUDIT__INTENT_DEADLINE", "300ms");

/// A write that is done at HubSpot while the log can take nothing; what its caller was told.
async fn done_in_trouble(hubkeep: &Hubkeep, crm: &Crm, trouble: impl FnOnce()) -> Refused {
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).path("/crm/").times(1));
    let writer = crm.clone();
    let write = tokio::spawn(async move { writer.create("contacts", &[("firstname", "made")]).await });
    hubkeep.hubspot.until_held(1).await;
    trouble();
    hubkeep.hubspot.release(held);
    Refused::in_place_of(write.await.expect("no panic"))
}

/// A portal whose outcomes wait takes no calls, and says why.
fn is_kept_out(answer: Result<impl Sized, Status>) -> bool {
    let Err(status) = answer else {
        return false;
    };
    assert_eq!(
        Refused::of(&status).said(),
        (Code::Unavailable, "AUDIT_UNAVAILABLE")
    );
    status.message().contains("not on record yet")
}

/// How the call of the newest intent ended, as often as it did.
fn ends(entries: &[Entry], call_id: &str) -> Vec<(CallResult, Cause)> {
    let of_call = entries.iter().filter(|entry| entry.call_id == call_id);
    let outcomes = of_call.filter(|entry| entry.phase() == Phase::Outcome);
    outcomes.map(|entry| (entry.result(), entry.cause())).collect()
}

const DONE: [(CallResult, Cause); 1] = [(CallResult::Ok, Cause::Unspecified)];

fn in_file(stage: &CrmProcess) -> Vec<Entry> {
    let events = events_on_disk(&stage.log());
    assert_dense(&events);
    events
        .iter()
        .map(|event: &Event| proto_entry(event).clone())
        .collect()
}

/// The call of the intent that was recorded last.
fn newest(entries: &[Entry]) -> String {
    let mut intents = entries.iter().filter(|entry| entry.phase() == Phase::Intent);
    intents.next_back().expect("an intent").call_id.clone()
}

fn names(file: &PathBuf, call_id: &str) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    bytes
        .windows(call_id.len())
        .any(|window| window == call_id.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_before_its_log_could_take_an_outcome_loses_none_and_doubles_none() {
    let mut stage = CrmProcess::with(World::of_portals(1), &[IMPATIENT]).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let crm = stage.crm(&handle);
    crm.create("contacts", &[("firstname", "first")])
        .await
        .expect("all is well");
    let mut lock = None;
    let log = stage.log();
    let told = done_in_trouble(&stage.hubkeep, &crm, || lock = Some(WriteLock::take(&log))).await;
    assert_eq!(told.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let call_id = newest(&in_file(&stage));
    let spilled = stage.hubkeep.folder().join("crm-service-audit.db-spill-1");
    eventually!(names(&spilled, &call_id));
    eventually!(is_kept_out(crm.get("contacts", "101").await));
    stage.process.end();
    let left = fs::read(&spilled).expect("readable");
    drop(lock);

    stage.again_with(&[IMPATIENT]);
    assert_eq!(ends(&in_file(&stage), &call_id), DONE);
    // As a process leaves it that is killed when the log has the outcome, and its file still has it too.
    stage.process.end();
    fs::write(&spilled, &left).expect("written");
    stage.again_with(&[IMPATIENT]);
    assert_eq!(ends(&in_file(&stage), &call_id), DONE);
    let crm = stage.crm(&handle);
    eventually!(crm.get("contacts", "101").await.is_ok());
    let contacts = stage
        .hubkeep
        .hubspot
        .record_count(stage.hubkeep.portal_id(A), ObjectType::Contacts);
    assert_eq!(contacts, 5 + 2, "what was done was done once");
}

/// The entries of a log in PostgreSQL.
async fn on_server(keeping: &Keeping) -> Vec<Entry> {
    let Keeping::Postgres { audit, .. } = keeping else {
        panic!("it is in a file");
    };
    let mut connection = PgConnection::connect(&audit.url_with_password())
        .await
        .expect("a server");
    let leaves: Vec<Vec<u8>> = sqlx::query_scalar("SELECT leaf FROM audit_entry ORDER BY position")
        .fetch_all(&mut connection)
        .await
        .expect("it reads");
    let entries = leaves
        .iter()
        .map(|leaf| Entry::decode(leaf.as_slice()).expect("an entry"));
    entries.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_its_server_is_away_loses_no_outcome_and_doubles_none() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).without_crm().start().await;
    hubkeep.onboard_all().await;
    let keeping = Keeping::fresh_on_postgres();
    let Keeping::Postgres { audit, .. } = &keeping else {
        panic!("it is on a server");
    };
    let (credentials, hubspot) = (hubkeep.credential_address(), hubkeep.hubspot.base_url());
    let config = crm_service_config_on(hubkeep.folder(), &credentials, &hubspot, &keeping);
    let server = socket_of(&audit.url);
    let proxy = Proxy::to(server).await;
    let through = audit
        .url
        .replace(&server.to_string(), &proxy.address().to_string());
    let outcomes = hubkeep.folder().join("outcomes");
    let folder = outcomes.display().to_string();
    let started = |url: &str| {
        let variables = [
            IMPATIENT,
            ("HUBKEEP__AUDIT__URL", url),
            ("HUBKEEP__AUDIT__SPILL__FOLDER", folder.as_str()),
        ];
        Process::listening(
            "crm-service",
            serve(crm_service_binary(), &config).envs(variables),
        )
    };
    let (process, address) = started(&through);
    let handle = hubkeep.handle(A).issue().await;
    let caller = |address: &str, handle: &Handle| Crm::of(channel(address), "sync").with(handle);
    let crm = caller(&address, &handle);
    crm.create("contacts", &[("firstname", "first")])
        .await
        .expect("all is well");
    let told = done_in_trouble(&hubkeep, &crm, || proxy.cut()).await;
    assert_eq!(told.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let call_id = newest(&on_server(&keeping).await);
    assert_eq!(ends(&on_server(&keeping).await, &call_id), []);
    let spilled = outcomes.join("crm-service-spill-1");
    eventually!(names(&spilled, &call_id));
    process.kill();
    let left = fs::read(&spilled).expect("readable");

    let (process, _) = started(&audit.url);
    assert_eq!(ends(&on_server(&keeping).await, &call_id), DONE);
    process.kill();
    fs::write(&spilled, &left).expect("written");
    let (_last, address) = started(&audit.url);
    assert_eq!(ends(&on_server(&keeping).await, &call_id), DONE);
    let crm = caller(&address, &handle);
    eventually!(crm.get("contacts", "101").await.is_ok());
}

/// What a start says that ends by itself.
fn failed_start(variables: &[(&str, &str)], prepare: impl FnOnce(&std::path::Path)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    let config = crm_service_config(folder.path(), "http://127.0.0.1:9", "http://127.0.0.1:9");
    let output: Output = serve(crm_service_binary(), &config)
        .envs(variables.iter().copied())
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn a_file_in_the_place_of_outcomes_stops_the_start_with_what_to_do() {
    let said = failed_start(&[], |folder| {
        fs::write(folder.join("crm-service-audit.db-spill-1"), "a shopping list").expect("written");
    });
    assert!(
        said.contains("crm-service-audit.db-spill-1 is no file of outcomes"),
        "{said}"
    );
    assert!(said.contains("move it away"), "{said}");
}

#[test]
fn a_folder_of_outcomes_that_cannot_be_made_stops_the_start_with_what_to_do() {
    let in_the_way = [("HUBKEEP__AUDIT__SPILL__FOLDER", "crm-service.toml/outcomes")];
    let said = failed_start(&in_the_way, |_| {});
    assert!(
        said.contains("make its folder one that this user can write to"),
        "{said}"
    );
}

#[test]
fn a_size_that_no_file_of_outcomes_may_have_is_refused_by_its_key() {
    let said = failed_start(&[("HUBKEEP__AUDIT__SPILL__SIZE_BYTES", "5")], |_| {});
    assert!(said.contains("audit.spill.size_bytes"), "{said}");
}

/// How long anything may take that has to do with a full disk.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn too_little_room_is_told_to_callers_as_what_it_is() {
    let variables = [("HUBKEEP__AUDIT__MIN_FREE_BYTES", "9000000000000000000")];
    let stage = CrmProcess::with(World::of_portals(1), &variables).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let refused = stage.crm(&handle).within(SOON).get("contacts", "101").await;
    let status = refused.expect_err("refused");
    assert_eq!(
        Refused::of(&status).said(),
        (Code::Unavailable, "AUDIT_UNAVAILABLE")
    );
    assert!(status.message().contains("make room"), "{}", status.message());
    assert_eq!(stage.hubkeep.hubspot_calls().len(), 0, "nothing reached HubSpot");
}
