//! The numbers that a service tells are those that are documented, they move with what is done, and they name nobody.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use hubkeep_tests::{
    World, eventually,
    support::{alerts::secret_file, crm_process::CrmProcess},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const A: &str = "client-0001";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

async fn told_at(address: SocketAddr) -> Option<String> {
    let mut connection = TcpStream::connect(address).await.ok()?;
    let asked = b"GET /metrics HTTP/1.1\r\nhost: metrics\r\nconnection: close\r\n\r\n";
    connection.write_all(asked).await.ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.ok()?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Some(answer)
}

/// The sum over all labels.
fn sum(told: &str, name: &str) -> f64 {
    let of_name = told
        .lines()
        .filter(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")));
    of_name
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn documented() -> BTreeSet<String> {
    names_in(&read("docs/monitoring.md"))
}

fn read(path: &str) -> String {
    let file = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every name of a metric in a text.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let names = words.filter(|word| {
        let ends = ["_total", "_seconds", "_bytes", "_outcomes"];
        word.starts_with("hubkeep_") && ends.iter().any(|end| word.ends_with(end))
    });
    names.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_move_with_calls_and_name_no_client() {
    let address = free_address();
    let listen = address.to_string();
    let variables = [("HUBKEEP__TELEMETRY__METRICS_LISTEN", listen.as_str())];
    let stage = CrmProcess::with(World::of_portals(1), &variables).await;
    eventually!(told_at(address).await.is_some());
    let handle = stage.hubkeep.handle(A).issue().await;
    let crm = stage.crm(&handle);
    for _ in 0..3 {
        crm.get("contacts", "101").await.expect("read");
    }
    crm.get("contacts", "999999").await.expect_err("there is none");
    let told = told_at(address).await.expect("told");
    for (name, at_least) in [
        ("hubkeep_grpc_requests_total", 4.0),
        ("hubkeep_grpc_request_seconds_count", 4.0),
        ("hubkeep_hubspot_requests_total", 4.0),
        ("hubkeep_audit_entries_total", 8.0),
        ("hubkeep_audit_commit_seconds_count", 1.0),
        ("hubkeep_audit_disk_free_bytes", 1.0),
        ("hubkeep_audit_disk_size_bytes", 1.0),
        ("hubkeep_audit_waiting_outcomes", 0.0),
        ("hubkeep_quota_wait_seconds_count", 4.0),
        ("hubkeep_redemptions_total", 4.0),
        ("hubkeep_revocation_heartbeats_total", 1.0),
    ] {
        assert!(sum(&told, name) >= at_least, "{name}: {told}");
    }
    assert!(
        told.contains(r#"method="hubkeep.crm.v1.ObjectService/GetObject",code="NotFound""#),
        "{told}"
    );
    for secret in [A, "sync", handle.token.as_str(), &stage.hubkeep.token(A)] {
        assert!(!told.contains(secret), "a number names {secret}");
    }
    let unknown: Vec<String> = names_in(&told).difference(&documented()).cloned().collect();
    assert!(unknown.is_empty(), "not in docs/monitoring.md: {unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_what_is_not_anchored_is_told_and_grows() {
    let address = free_address();
    let listen = address.to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let secret = secret_file(folder.path(), "webhook", SECRET)
        .display()
        .to_string();
    let variables = [
        ("HUBKEEP__TELEMETRY__METRICS_LISTEN", listen.as_str()),
        ("HUBKEEP__AUDIT__PROOFS__EVERY", "0s"),
        ("HUBKEEP__AUDIT__PROOFS__HEADS_EVERY", "0s"),
        // Nobody listens there.
        ("HUBKEEP__AUDIT__ANCHORS__WEBHOOK__URL", "http://127.0.0.1:9/"),
        ("HUBKEEP__AUDIT__ANCHORS__WEBHOOK__SECRET_FILE", secret.as_str()),
    ];
    let stage = CrmProcess::with(World::of_portals(1), &variables).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    stage.crm(&handle).get("contacts", "101").await.expect("read");
    let age = async || match told_at(address).await {
        Some(told) => sum(&told, "hubkeep_audit_unanchored_seconds"),
        None => 0.0,
    };
    eventually!(Duration::from_secs(30), age().await > 0.0);
    let before = age().await;
    eventually!(Duration::from_secs(30), age().await > before);
}

#[test]
fn the_dashboard_shows_every_number_that_is_documented_and_no_other() {
    let text = read("deploy/grafana/hubkeep.json");
    serde_json::from_str::<Value>(&text).expect("JSON");
    let shown: BTreeSet<String> = names_in(&text.replace("_bucket", "")).into_iter().collect();
    assert_eq!(shown, documented());
}

#[test]
fn every_rule_for_prometheus_is_about_a_number_that_is_documented() {
    let text = read("deploy/prometheus/hubkeep.yml");
    let rules: Value = serde_saphyr::from_str(&text).expect("YAML");
    let rules = rules["groups"][0]["rules"].as_array().expect("rules");
    for rule in rules {
        let named = names_in(rule["expr"].as_str().expect("an expression"));
        assert!(!named.is_empty(), "{rule}");
        assert!(named.is_subset(&documented()), "{rule}");
    }
    for share in ["0.2", "0.05"] {
        let free = format!("hubkeep_audit_disk_free_bytes < {share} * hubkeep_audit_disk_size_bytes");
        assert!(rules.iter().any(|rule| rule["expr"] == free), "{free}");
    }
}
