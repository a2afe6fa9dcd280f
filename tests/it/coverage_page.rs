//! `docs/coverage.md` says what of HubSpot is called, by which RPC, and where that is tested: all of it, and nothing else.

mod tour;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use hubkeep_audit_log::Phase;
use hubkeep_proto::DESCRIPTOR_SET;
use hubkeep_tests::{
    Allow, Hubkeep, Service,
    support::{
        handles::EVERYTHING,
        sources::{source, sources, top},
    },
};
use prost_reflect::DescriptorPool;

use self::tour::{A, everything, world};

const PAGE: &str = "docs/coverage.md";
/// The services whose every RPC calls HubSpot.
const SERVICES: [&str; 4] = [
    "ObjectService",
    "AssociationService",
    "OwnerService",
    "SchemaService",
];
const VERSION: &str = "2026-09";
/// Where the flows of HubSpot's own clients are made through Hubkeep too, and in which language.
const FLOWS: [(&str, &str); 2] = [
    ("tests/interop/same-results", ".mjs"),
    ("tests/interop/same-results-python", ".py"),
];

/// A row of the page.
#[derive(Debug)]
struct Row {
    method: String,
    path: String,
    /// "ObjectService.GetObject"; none where no RPC is named.
    rpcs: Vec<String>,
    /// Paths from the top of the repository.
    tests: Vec<String>,
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn rows() -> Vec<Row> {
    let page = source(PAGE);
    let lines = page.text.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<Row> = lines.map(row).collect();
    assert!(rows.len() > 30, "{} rows were read", rows.len());
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
    let [endpoint, rpcs, tests] = cells.as_slice() else {
        panic!("three columns: {line}")
    };
    let [endpoint] = quoted(endpoint)[..] else {
        panic!("one endpoint: {line}")
    };
    let (method, path) = endpoint.split_once(' ').expect("a method and a path");
    let mut service = "";
    let mut named = Vec::new();
    for rpc in quoted(rpcs) {
        let method = match rpc.split_once('.') {
            Some((of, method)) => {
                service = of;
                method
            }
            None => rpc,
        };
        named.push(format!("{service}.{method}"));
    }
    assert!(!named.is_empty() || rpcs.starts_with("none: "), "{line}");
    let in_its_folder = |file: &str| match file.contains('/') {
        true => file.to_owned(),
        false => format!("tests/it/{file}"),
    };
    let tests: Vec<String> = quoted(tests).into_iter().map(in_its_folder).collect();
    assert!(!tests.is_empty(), "no test: {line}");
    Row {
        method: method.to_owned(),
        path: path.to_owned(),
        rpcs: named,
        tests,
    }
}

/// Every RPC of crm-service, as the page names them.
fn rpcs() -> BTreeSet<String> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).expect("descriptors");
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("hubkeep.crm.v1."));
    let names = services.flat_map(|service| {
        let names = service
            .methods()
            .map(|method| format!("{}.{}", service.name(), method.name()));
        names.collect::<Vec<_>>()
    });
    names.collect()
}

fn is_of(service: &str, rpc: &str) -> bool {
    rpc.split_once('.').is_some_and(|(of, _)| of == service)
}

#[test]
fn every_rpc_stands_on_the_page_and_no_other() {
    let (known, rows) = (rpcs(), rows());
    let named: BTreeSet<&String> = rows.iter().flat_map(|row| &row.rpcs).collect();
    let unknown: Vec<_> = named.iter().filter(|rpc| !known.contains(**rpc)).collect();
    let of_these = |rpc: &&String| SERVICES.iter().any(|service| is_of(service, rpc));
    let missing: Vec<_> = known
        .iter()
        .filter(of_these)
        .filter(|rpc| !named.contains(rpc))
        .collect();
    assert!(
        unknown.is_empty() && missing.is_empty(),
        "unknown: {unknown:?}, missing: {missing:?}"
    );
    let mut seen = BTreeSet::new();
    for row in &rows {
        assert!(
            seen.insert((&row.method, &row.path)),
            "{} {} stands twice",
            row.method,
            row.path
        );
    }
}

/// "GetObject" as clients in Rust have it.
fn in_rust(method: &str) -> String {
    let mut name = String::new();
    for letter in method.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The functions of the harness, each with what it calls.
fn hands() -> BTreeMap<String, String> {
    let mut hands = BTreeMap::new();
    for file in sources(".rs")
        .into_iter()
        .filter(|file| file.path.starts_with("tests/support/"))
    {
        for part in file.text.split("pub async fn ").skip(1) {
            let name = part.split(['(', '<']).next().expect("a name");
            let body = part.split("\n    }\n").next().unwrap_or(part);
            hands.insert(name.to_owned(), body.to_owned());
        }
    }
    assert!(hands.len() > 20, "{} functions were read", hands.len());
    hands
}

/// Whether a text calls an RPC: by its client, or by functions of the harness that do.
fn calls(text: &str, name: &str, hands: &BTreeMap<String, String>) -> bool {
    let mut wanted = BTreeSet::from([name.to_owned()]);
    loop {
        let more: Vec<String> = hands
            .iter()
            .filter(|(hand, body)| {
                !wanted.contains(*hand) && wanted.iter().any(|name| body.contains(&format!(".{name}(")))
            })
            .map(|(hand, _)| hand.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    wanted.iter().any(|name| text.contains(&format!(".{name}(")))
}

/// Whether a flow in another language asks an RPC.
fn asks(text: &str, method: &str) -> bool {
    ["ask", "walk"]
        .iter()
        .any(|word| text.contains(&format!("{word}(\"{method}\"")))
}

/// The page says it of the flows of each of HubSpot's clients.
#[test]
fn every_rpc_is_asked_in_the_flows_of_each_of_hubspots_clients() {
    let page = source(PAGE).text;
    for (folder, suffix) in FLOWS {
        assert!(
            page.contains(&format!("`{folder}`")),
            "{folder} is not on the page"
        );
        let flows: Vec<String> = sources(suffix)
            .into_iter()
            .filter(|file| file.path.starts_with(&format!("{folder}/")))
            .map(|file| file.text)
            .collect();
        let is_asked = |rpc: &String| {
            let (_, method) = rpc.split_once('.').expect("a service");
            flows.iter().any(|text| asks(text, method))
        };
        let of_these = rpcs()
            .into_iter()
            .filter(|rpc| SERVICES.iter().any(|service| is_of(service, rpc)));
        let unasked: Vec<_> = of_these.filter(|rpc| !is_asked(rpc)).collect();
        assert!(unasked.is_empty(), "{folder} asks nothing of {unasked:?}");
    }
}

#[test]
fn every_test_that_is_named_exists_and_calls_what_it_is_named_for() {
    let hands = hands();
    for row in rows() {
        let mut left: BTreeSet<&String> = row.rpcs.iter().collect();
        for test in &row.tests {
            assert!(top().join(test).is_file(), "{test} is not there");
            let text = source(test).text;
            let is_rust = Path::new(test).extension().is_some_and(|end| end == "rs");
            let called = row.rpcs.iter().filter(|rpc| {
                let (_, method) = rpc.split_once('.').expect("a service");
                match is_rust {
                    true => calls(&text, &in_rust(method), &hands),
                    false => asks(&text, method),
                }
            });
            let called: Vec<&String> = called.collect();
            // What the command does is seen from outside.
            let is_by_command = text.contains("hubkeep_binary");
            assert!(
                !called.is_empty() || row.rpcs.is_empty() || is_by_command,
                "{test} calls none of {:?}",
                row.rpcs
            );
            left.retain(|rpc| !called.contains(rpc));
        }
        assert!(
            left.is_empty(),
            "no test of {} {} calls {left:?}",
            row.method,
            row.path
        );
    }
}

/// Whether a path, with ids left out, is of an endpoint.
fn is_at(path: &str, pattern: &str) -> bool {
    let (path, pattern): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), pattern.split('/').collect());
    let segment = |(segment, pattern): (&&str, &&str)| match *pattern {
        "{V}" => *segment == VERSION,
        "{type}" => !segment.starts_with('{'),
        literal => *segment == literal,
    };
    path.len() == pattern.len() && path.iter().zip(&pattern).all(segment)
}

#[tokio::test]
async fn hubspot_is_called_at_these_endpoints_by_these_rpcs_and_nowhere_else() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let all = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
    let handle = hubkeep.handle(A).allow(all).issue().await;
    everything(&hubkeep.crm_as("sync").with(&handle)).await;

    let rows = rows();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for service in [Service::Credential, Service::Crm] {
        for entry in hubkeep.entries(service, Phase::Intent).await {
            let at = |row: &&Row| row.method == entry.http_method && is_at(&entry.path_template, &row.path);
            let found: Vec<&Row> = rows.iter().filter(at).collect();
            let [row] = found[..] else {
                panic!("{} {} is at {found:?}", entry.http_method, entry.path_template)
            };
            let rpc = entry
                .grpc_method
                .trim_start_matches("/hubkeep.crm.v1.")
                .replace('/', ".");
            asked.insert(rpc.clone());
            seen.insert((format!("{} {}", row.method, row.path), rpc));
        }
    }
    let unasked: Vec<_> = rpcs()
        .into_iter()
        .filter(|rpc| SERVICES.iter().any(|service| is_of(service, rpc)) && !asked.contains(rpc))
        .collect();
    assert!(unasked.is_empty(), "the walk leaves out {unasked:?}");
    for row in &rows {
        for rpc in &row.rpcs {
            let pair = (format!("{} {}", row.method, row.path), rpc.clone());
            assert!(
                seen.contains(&pair),
                "{rpc} was not seen at {} {}",
                row.method,
                row.path
            );
        }
    }
}

/// Literal segments that the code puts into paths: `.then("merge")`, `path(…, "read")`.
fn segments(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (before, after) in [(".then(\"", "\")"), ("path(version, ", "\")")] {
        for part in text.split(before).skip(1) {
            let literal = part.split(after).next().unwrap_or_default();
            let literal = literal.rsplit('"').next().unwrap_or_default();
            let is_word = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            if !literal.is_empty() && literal.chars().all(is_word) {
                found.insert(literal.to_owned());
            }
        }
    }
    found
}

/// The beginnings of all paths that can be built: `&["crm", "objects", "2026-09"]`.
fn beginnings(text: &str) -> Vec<String> {
    let quoted_version = format!("\"{VERSION}\"");
    let built = text
        .split("&[\"")
        .skip(1)
        .filter_map(|part| part.split(']').next());
    let paths = built.map(|list| {
        format!(
            "/{}",
            list.trim_end_matches('"')
                .replace("version.name()", &quoted_version)
                .replace("\", \"", "/")
        )
    });
    paths
        .filter(|path| !path.contains("/v3") && !path.contains("/v4"))
        .collect()
}

#[test]
fn whatever_path_the_code_can_build_is_on_the_page() {
    let rows = rows();
    let on_the_page = |segment: &str| {
        rows.iter()
            .any(|row| row.path.split('/').any(|known| known == segment))
    };
    let mut count = 0;
    for file in sources(".rs") {
        if !file.path.starts_with("hubspot/src/") || file.path.contains("tests") {
            continue;
        }
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for segment in segments(code) {
            assert!(
                on_the_page(&segment),
                "{}: {segment} is at no endpoint",
                file.path
            );
            count += 1;
        }
        if file.path.ends_with("/path.rs") {
            for path in beginnings(code) {
                let known = |row: &Row| row.path.replace("{V}", VERSION).starts_with(&path);
                assert!(rows.iter().any(known), "{path} begins no endpoint");
                count += 1;
            }
        }
    }
    assert!(count > 15, "{count} parts of paths were read");
}
