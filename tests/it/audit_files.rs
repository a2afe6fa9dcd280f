//! What is asked of the log is found by whoever may, and files that are made of it hold what it holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output},
};

use hubkeep_audit_log::{Event, Operation, Phase};
use hubkeep_proto::audit::v1::EventFilter;
use hubkeep_tests::{
    Allow, Fault, FaultRule, Hubkeep, Service, World, proto_entry,
    support::{
        audit::Reader,
        handles::Handle,
        portals::OPERATOR,
        processes::hubkeep_binary,
        reports::{Kind, json, of},
    },
};
use serde_json::Value;

const A: &str = "client-0001";
const B: &str = "client-0002";

async fn start() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    for (slug, caller) in [(A, "sync"), (A, "billing"), (B, "sync")] {
        let handle = hubkeep.handle(slug).for_caller(caller).issue().await;
        let crm = hubkeep.crm_as(caller).with(&handle);
        crm.get("contacts", "101").await.expect("read");
        crm.get("contacts", "102").await.expect("read");
        crm.update("contacts", "101", &[("firstname", "=1+1")])
            .await
            .expect("written");
        crm.get("contacts", "999999").await.expect_err("there is none");
    }
    let rule = FaultRule::new(Fault::Status { status: 503 })
        .path("/crm/")
        .times(1);
    hubkeep.hubspot.inject(rule);
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "102")
        .await
        .expect("read at the second attempt");
    hubkeep
}

async fn auditor_of(hubkeep: &Hubkeep, slug: &str) -> Handle {
    hubkeep
        .handle(slug)
        .for_caller("sync")
        .allow([Allow::ReadAudit])
        .issue()
        .await
}

fn about(slug: &str, id: &str) -> EventFilter {
    EventFilter {
        client_slug: slug.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: id.to_owned(),
        ..EventFilter::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_about_a_record_are_found_by_its_id_in_its_own_portal() {
    let hubkeep = start().await;
    let handle = auditor_of(&hubkeep, A).await;
    let found = |reader, filter| hubkeep.list_events(Service::Crm, reader, filter);
    let by_handle = found(Reader::Holder(&handle), about(A, "102"))
        .await
        .expect("listed");
    let by_operator = found(Reader::Operator(OPERATOR), about(A, "102"))
        .await
        .expect("listed");
    assert_eq!(by_handle, by_operator);
    // Two of each caller's own, and two attempts more.
    let phases = by_handle.iter().map(|event| proto_entry(event).phase());
    let outcomes = phases.filter(|phase| *phase == Phase::Outcome).count();
    assert_eq!(outcomes, 4);
    let refs: BTreeSet<&str> = by_handle
        .iter()
        .map(|event| proto_entry(event).object_ref.as_str())
        .collect();
    assert_eq!(refs.len(), 1, "one record: {refs:?}");
    assert!(
        by_handle
            .iter()
            .all(|event| proto_entry(event).operation() == Operation::ObjectGet)
    );

    let of_b = found(Reader::Operator(OPERATOR), about(B, "102"))
        .await
        .expect("listed");
    assert!(!of_b.is_empty());
    assert!(
        of_b.iter()
            .all(|event| !refs.contains(proto_entry(event).object_ref.as_str()))
    );
    let own_ref = EventFilter {
        object_id: String::new(),
        object_ref: (*refs.first().expect("one")).to_owned(),
        ..about(A, "")
    };
    assert_eq!(
        found(Reader::Holder(&handle), own_ref).await.expect("listed"),
        by_handle
    );
    let foreign = found(Reader::Holder(&handle), about(B, "102"))
        .await
        .expect_err("refused");
    assert_eq!(foreign.code(), tonic::Code::PermissionDenied);
    assert_eq!(
        found(Reader::Holder(&handle), about(A, "no id"))
            .await
            .expect_err("refused")
            .code(),
        tonic::Code::InvalidArgument
    );
}

/// Runs the command against this deployment's crm-service.
async fn command(hubkeep: &Hubkeep, caller: &str, handle: Option<&Handle>, args: &[&str]) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(["--as", caller, "--crm-service", &hubkeep.crm_address()])
        .args(args);
    if let Some(handle) = handle {
        command.env("HUBKEEP_HANDLE", &handle.token);
    }
    let run = tokio::task::spawn_blocking(move || command.output().expect("it runs"));
    run.await.expect("no panic")
}

fn told(output: &Output) -> String {
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// A count over what was exported, of what the usage report counts.
fn recount<'a>(rows: impl Iterator<Item = [&'a str; 3]>) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    let mut calls = BTreeSet::new();
    for [phase, result, call] in rows {
        match phase {
            "OUTCOME" => {
                calls.insert(call);
                *counted.entry("requests").or_default() += 1;
                let name = match result {
                    "REFUSED" => "refused",
                    "FAILED" => "failed",
                    "UNKNOWN" => "unknown",
                    _ => continue,
                };
                *counted.entry(name).or_default() += 1;
            }
            "DENIED" => *counted.entry("denied").or_default() += 1,
            _ => {}
        }
    }
    counted.insert("calls", calls.len());
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_of_a_report_are_those_of_a_count_over_an_export() {
    let hubkeep = start().await;
    let report = hubkeep
        .report(Reader::Operator(OPERATOR), Kind::Usage, of(A))
        .await
        .expect("made");
    let total = &json(&report)["report"]["total"];
    let export = |format: &'static str| {
        let args = ["audit", "export", "--portal", A, "--format", format, "--to", "-"];
        let args = [args.as_slice(), &["--from", "crm-service"]].concat();
        let hubkeep = &hubkeep;
        async move { told(&command(hubkeep, OPERATOR, None, &args).await) }
    };

    let lines = export("ocsf").await;
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let text = |value: &'static str, event: &Value| {
        event
            .pointer(value)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let rows: Vec<[String; 3]> = events
        .iter()
        .map(|event| {
            ["/unmapped/phase", "/unmapped/result", "/metadata/correlation_uid"].map(|path| text(path, event))
        })
        .collect();
    let by_lines = recount(rows.iter().map(|row| [&*row[0], &*row[1], &*row[2]]));

    let table = export("csv").await;
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let names = table.headers().expect("names").clone();
    let columns = ["phase", "result", "call_id"]
        .map(|name| names.iter().position(|one| one == name).expect("a column"));
    let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("rows");
    let by_rows = recount(rows.iter().map(|row| columns.map(|column| &row[column])));

    assert_eq!(by_lines, by_rows);
    assert!(by_rows["requests"] > by_rows["calls"], "{by_rows:?}");
    for (name, count) in by_rows {
        assert_eq!(total[name].as_u64(), u64::try_from(count).ok(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_the_entries_of_its_own_portal_to_a_file_that_is_whole_or_not_there() {
    let hubkeep = start().await;
    let handle = auditor_of(&hubkeep, A).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.jsonl");
    let to = file.to_str().expect("text");
    let export = |slug: &'static str, severity: &'static str| {
        let args = [
            "audit",
            "export",
            "--portal",
            slug,
            "--format",
            "ocsf",
            "--severity",
            severity,
            "--from",
            "crm-service",
            "--to",
            to,
        ];
        let (hubkeep, handle) = (&hubkeep, &handle);
        async move { command(hubkeep, "sync", Some(handle), &args).await }
    };
    assert_eq!(export(B, "low").await.status.code(), Some(4));
    assert!(!file.exists(), "nothing is left of what was refused");
    told(&export(A, "low").await);
    let written = std::fs::read_to_string(&file).expect("a file");
    let expected: Vec<Event> = hubkeep
        .audit_events(Service::Crm)
        .await
        .into_iter()
        .filter(|event| {
            let entry = proto_entry(event);
            entry.portal_id == hubkeep.portal_id(A) && i32::from(entry.severity()) >= 2
        })
        .collect();
    assert!(expected.len() >= 3);
    let ids: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["metadata"]["uid"].clone())
        .collect();
    let recorded: Vec<Value> = expected
        .iter()
        .map(|event| proto_entry(event).entry_id.clone().into())
        .collect();
    assert_eq!(ids, recorded);
    assert_eq!(
        export(A, "low").await.status.code(),
        Some(2),
        "it is not written over"
    );
    let exports = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let of_client = exports
        .iter()
        .filter(|entry| entry.operation() == Operation::AuditExport);
    assert_eq!(of_client.count(), 1);
}
