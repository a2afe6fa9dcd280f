//! A walk over very many records takes no more memory than one over a few.

use std::{collections::HashMap, fmt::Write as _, fs};

use axum::{Router, extract::Query, http::header, response::IntoResponse, routing::get};
use hubkeep_tests::{
    Crm, Hubkeep, Limits, World,
    support::{
        crm_process::channel,
        processes::{Process, crm_service_binary, crm_service_config, serve},
    },
};
use tokio::net::TcpListener;

const A: &str = "client-0001";
const RECORDS: u64 = 200_000;
/// By then everything has the size that it has at work.
const WARM: u64 = 50_000;
/// What the process may have more in memory afterwards, in MiB. The records are 60 MiB as HubSpot sends them.
const GROWTH: u64 = 24;

/// A portal of so many contacts, which are made up page by page.
async fn hubspot_of_many() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = Router::new().route("/crm/objects/2026-09/contacts", get(page));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn page(Query(query): Query<HashMap<String, String>>) -> impl IntoResponse {
    let number = |name: &str, other| {
        query
            .get(name)
            .map_or(other, |text| text.parse().expect("a number"))
    };
    let (after, limit): (u64, u64) = (number("after", 0), number("limit", 10));
    let last = RECORDS.min(after + limit);
    let mut body = String::from(r#"{"results":["#);
    for id in after + 1..=last {
        let comma = if id == after + 1 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"id":"{id}","properties":{{"email":"n{id}@many.example","firstname":"Number {id}","hs_object_id":"{id}","createdate":"2026-01-01T00:00:00Z","lastmodifieddate":"2026-01-01T00:00:00Z"}},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","archived":false}}"#
        )
        .expect("written");
    }
    body.push(']');
    if last < RECORDS {
        write!(body, r#","paging":{{"next":{{"after":"{last}"}}}}"#).expect("written");
    }
    body.push('}');
    let plenty = [
        ("x-hubspot-ratelimit-daily", "4294967295"),
        ("x-hubspot-ratelimit-daily-remaining", "4294967000"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("x-hubspot-ratelimit-max", "4294967295"),
        ("x-hubspot-ratelimit-remaining", "4294967000"),
    ];
    ([(header::CONTENT_TYPE, "application/json")], plenty, body)
}

/// What a process has in memory now, in MiB.
fn resident(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("its size") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_very_many_records_needs_no_more_memory_than_one_over_a_few() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let hubkeep = Hubkeep::over(world).without_crm().start().await;
    hubkeep.onboard_all().await;
    let many = hubspot_of_many().await;
    let config = crm_service_config(hubkeep.folder(), &hubkeep.credential_address(), &many);
    let (process, address) = Process::listening("crm-service", &mut serve(crm_service_binary(), &config));
    let handle = hubkeep.handle(A).issue().await;
    let crm = Crm::of(channel(&address), &handle.caller).with(&handle);
    let mut walk = crm.walk("contacts", "").await.expect("begun");
    let (mut seen, mut warm) = (0, None);
    while let Some(page) = walk.message().await.expect("a page") {
        for object in page.objects {
            seen += 1;
            assert_eq!(object.object_id, seen.to_string(), "each once, and in order");
        }
        if seen >= WARM {
            warm.get_or_insert_with(|| resident(&process));
        }
    }
    assert_eq!(seen, RECORDS);
    let (warm, after) = (warm.expect("it came so far"), resident(&process));
    assert!(
        after <= warm + GROWTH,
        "{warm} MiB at {WARM}, {after} MiB at {RECORDS}"
    );
}
