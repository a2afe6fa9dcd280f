//! The shape of the repository: what may know what, and what stands where.

mod rooms;

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_proto::error::v1::ErrorReason;
use hubkeep_tests::support::sources::{Source, source, sources};
use rooms::{CREDENTIAL_ROOMS, CRM_ROOMS, FLOORS};

const MAX_LINES: usize = 400;

/// What may know everything, and is known by none.
const TOP: &str = "cli tests tests/postgres tests/doubles tests/fuzz benches";

const BUILDERS: [&str; 5] = ["server", "cli", "config", "lib", "main"];

fn rust() -> Vec<Source> {
    sources(".rs")
}

/// The rust files of the product: not of tests, nor of the simulator.
fn product() -> Vec<Source> {
    let mut all = rust();
    all.retain(|file| !file.path.starts_with("tests/") && !file.path.starts_with("hubspot-sim/"));
    all.retain(|file| !is_test(file));
    all
}

fn is_test(file: &Source) -> bool {
    let ends = ["/tests.rs", "/models.rs"];
    ends.iter().any(|end| file.path.ends_with(end)) || file.path.contains("/tests/")
}

/// A file's lines without what only tests compile: unit tests stand at the end.
fn without_tests(file: &Source) -> impl Iterator<Item = (usize, &str)> {
    file.lines()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
}

fn broken(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// The folders of all crates.
fn crates() -> BTreeSet<String> {
    let manifests = sources("Cargo.toml");
    let folders = manifests
        .iter()
        .filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    folders.map(str::to_owned).collect()
}

/// The names of what a crate depends on, but for its tests.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest: toml::Table = source(&format!("{folder}/Cargo.toml"))
        .text
        .parse()
        .expect("a manifest");
    let used = manifest.get("dependencies").and_then(toml::Value::as_table);
    used.map(|used| used.keys().cloned().collect())
        .unwrap_or_default()
}

/// The folder of a dependency that is a crate of ours.
fn folder_of(dependency: &str) -> Option<&str> {
    match dependency {
        "hubspot-sim" => Some("hubspot-sim"),
        "hubkeep" => Some("cli"),
        other => other.strip_prefix("hubkeep-"),
    }
}

#[test]
fn each_crate_uses_only_the_floors_below_it() {
    let floors: BTreeMap<&str, &[&str]> = FLOORS.into_iter().collect();
    for folder in crates() {
        let floor = floors.get(folder.as_str());
        assert!(
            floor.is_some() || TOP.split(' ').any(|top| top == folder),
            "{folder} has no floor"
        );
        for dependency in dependencies(&folder) {
            let Some(used) = folder_of(&dependency) else {
                continue;
            };
            let below = floor.map_or(!["tests", "benches"].contains(&used), |floor| {
                floor.contains(&used)
            });
            assert!(below, "{folder} must not use {dependency}");
        }
    }
    for (folder, _) in FLOORS {
        assert!(crates().contains(folder), "there is no crate {folder}");
    }
}

/// What a crate has only for tests: where it dies, doors for hostile input, a model checker's primitives.
const FOR_TESTS: [&str; 3] = ["dying", "fuzzing", "models"];

/// The features that a dependency is taken with.
fn features_of(dependency: &toml::Value) -> Vec<&str> {
    let listed = dependency.get("features").and_then(toml::Value::as_array);
    listed
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect()
}

#[test]
fn what_a_crate_has_only_for_tests_is_in_no_build_of_the_product() {
    let is_for_tests = |feature: &str| {
        FOR_TESTS
            .iter()
            .any(|name| feature.rsplit('/').next() == Some(name))
    };
    let mut seen = BTreeSet::new();
    for (folder, _) in FLOORS {
        let manifest: toml::Table = source(&format!("{folder}/Cargo.toml"))
            .text
            .parse()
            .expect("a manifest");
        let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
        for (name, enabled) in table("features").into_iter().flatten() {
            seen.insert(name.clone());
            let enabled = enabled
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_str);
            for feature in enabled {
                let alike = feature.rsplit('/').next() == Some(name);
                assert!(!is_for_tests(feature) || alike, "{folder}: {name} has {feature}");
            }
        }
        for (name, dependency) in table("dependencies").into_iter().flatten() {
            let taken = features_of(dependency);
            assert!(
                !taken.into_iter().any(is_for_tests),
                "{folder} takes {name} as only tests do"
            );
        }
    }
    for feature in FOR_TESTS {
        assert!(seen.contains(feature), "no crate has {feature}");
    }
}

#[test]
fn the_simulator_knows_nothing_of_ours() {
    let manifest = source("hubspot-sim/Cargo.toml");
    assert!(!manifest.text.contains("hubkeep"), "not even for its tests");
}

#[test]
fn each_room_uses_only_the_rooms_below_it() {
    let mut found = rooms_of("credential-service", &CREDENTIAL_ROOMS);
    found.append(&mut rooms_of("crm-service", &CRM_ROOMS));
    broken("arrows that point up", &found);
}

fn rooms_of(service: &str, table: &[(&str, &[&str])]) -> Vec<String> {
    let rules: BTreeMap<&str, &[&str]> = table.iter().copied().collect();
    let mut found = Vec::new();
    let prefix = format!("{service}/src/");
    for file in rust() {
        let Some(path) = file.path.strip_prefix(&prefix) else {
            continue;
        };
        let room = path.split('/').next().expect("a name").trim_end_matches(".rs");
        if BUILDERS.contains(&room) {
            continue;
        }
        let Some(allowed) = rules.get(room) else {
            found.push(format!("{}: the room {room} is in no table", file.path));
            continue;
        };
        for used in rooms_used(&file) {
            if used != room && !allowed.contains(&used.as_str()) && rules.contains_key(used.as_str()) {
                found.push(format!("{}: {room} uses {used}", file.path));
            }
            if BUILDERS.contains(&used.as_str()) {
                found.push(format!("{}: {room} uses {used}", file.path));
            }
        }
    }
    found
}

/// The rooms that a file names by `crate::room`, also in a list: `use crate::{a::X, b::Y}`.
fn rooms_used(file: &Source) -> BTreeSet<String> {
    let code: Vec<&str> = without_tests(file)
        .map(|(_, line)| line)
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => rooms.extend(first_names(list)),
            None => rooms.extend(name_at(rest)),
        }
    }
    rooms
}

/// The first name of each path in a list of `use`, up to the brace that ends it.
fn first_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut fresh) = (0_usize, Vec::new(), true);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            letter if letter.is_alphabetic() && fresh => {
                names.extend(name_at(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    (!name.is_empty() && name.starts_with(char::is_lowercase)).then_some(name)
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    let mut found = Vec::new();
    for file in rust() {
        let included = file.path.ends_with("/tests.rs");
        if !included && !file.text.starts_with("//!") {
            found.push(format!("{} does not begin with //!", file.path));
        }
        let lines = file.text.lines().count();
        if lines > MAX_LINES {
            found.push(format!("{} has {lines} lines", file.path));
        }
    }
    broken("files without a subject, or with too many", &found);
}

#[test]
fn nothing_is_named_after_nothing() {
    let empty = ["utils", "util", "helpers", "helper", "common", "misc", "types"];
    let mut found = Vec::new();
    for file in rust() {
        let parts = file.path.trim_end_matches(".rs").split('/');
        found.extend(
            parts
                .filter(|part| empty.contains(part))
                .map(|part| format!("{}: {part}", file.path)),
        );
    }
    broken("names that say nothing", &found);
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let code = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[", "ignore"),
    ];
    let mut found = Vec::new();
    let files = ["rs", "toml", "proto", "md", "sql"].map(|end| sources(&format!(".{end}")));
    for file in files.iter().flatten() {
        for (number, line) in file.lines() {
            let left = marks.iter().any(|mark| line.contains(mark));
            if left || file.path.ends_with(".rs") && code.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    broken("left for later", &found);
}

#[test]
fn a_status_is_made_in_one_place() {
    let constructors = [
        "Status::new(",
        "Status::with_",
        "Status::internal(",
        "Status::invalid_argument(",
    ];
    let others = [
        "not_found",
        "already_exists",
        "permission_denied",
        "unauthenticated",
        "unavailable",
    ];
    let others = others.map(|name| format!("Status::{name}("));
    let mut found = Vec::new();
    for file in product() {
        if file.path == "core/src/error/status.rs" {
            assert!(
                file.text.contains("Status::with_"),
                "this test looks for what is not there"
            );
            continue;
        }
        for (number, line) in without_tests(&file) {
            let made = constructors
                .iter()
                .copied()
                .chain(others.iter().map(String::as_str));
            if made.into_iter().any(|made| line.contains(made)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    broken("statuses made elsewhere than in core::error::status", &found);
}

#[test]
fn one_crate_alone_speaks_to_hubspot_and_each_other_door_is_known() {
    for folder in FLOORS.map(|(folder, _)| folder) {
        let speaks = dependencies(folder).iter().any(|name| name == "reqwest");
        assert_eq!(
            speaks,
            ["hubspot", "seal", "webhook"].contains(&folder),
            "reqwest in {folder}"
        );
    }
    let sends = |file: &Source| without_tests(file).any(|(_, line)| line.contains("request.send()"));
    let mut senders: Vec<String> = product()
        .iter()
        .filter(|file| sends(file))
        .map(|file| file.path.clone())
        .collect();
    senders.sort();
    assert_eq!(
        senders,
        [
            "hubspot/src/transport.rs",
            "seal/src/remote/door.rs",
            "webhook/src/documents.rs",
            "webhook/src/sender.rs"
        ],
        "the only places that send"
    );
    // A token of a portal cannot be delivered anywhere: the crate that delivers has no way to hold one.
    let holds = |file: &Source| file.path.starts_with("webhook/src/") && file.text.contains("PortalToken");
    assert!(!product().iter().any(holds), "deliveries know nothing of tokens");
}

#[test]
fn every_reason_on_the_wire_is_given_somewhere() {
    let text: String = product()
        .iter()
        .flat_map(without_tests)
        .map(|(_, line)| line)
        .collect();
    let unused: Vec<String> = (1..=300)
        .filter_map(|number| ErrorReason::try_from(number).ok())
        .map(|reason| format!("ErrorReason::{reason:?}"))
        .filter(|name| {
            !text.contains(name.as_str()) && !text.contains(&name.replace("ErrorReason", "Reason"))
        })
        .collect();
    broken("reasons that nobody gives", &unused);
}
