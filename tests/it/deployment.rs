//! What is deployed is what there is: the compose file, the configurations and the image hold to the binaries, their
//! options, ports and keys, and no secret stands in any of them. `make test-compose` runs it all for real.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};

use hubkeep_core::config::{self, Environment};
use hubkeep_credential_service::config::Config as CredentialConfig;
use hubkeep_crm_service::config::Config as CrmConfig;
use hubkeep_tests::{
    Hubkeep, World,
    support::{
        compose::{Compose, option},
        processes,
        sources::{source, top},
    },
};

const SERVICES: [&str; 2] = ["credential-service", "crm-service"];

fn credential_config() -> CredentialConfig {
    config::load(
        Some(&top().join("deploy/credential-service.toml")),
        &Environment::new(),
    )
    .expect("valid")
}

fn crm_config() -> CrmConfig {
    config::load(Some(&top().join("deploy/crm-service.toml")), &Environment::new()).expect("valid")
}

/// What a service is configured with, as a table: each key as it would be printed.
fn table(service: &str) -> toml::Table {
    let text = match service {
        "credential-service" => config::print(&credential_config()),
        _ => config::print(&crm_config()),
    };
    text.expect("prints").parse().expect("TOML")
}

fn text<'a>(table: &'a toml::Table, section: &str, key: &str) -> &'a str {
    let value = table.get(section).and_then(|section| section.get(key));
    value
        .and_then(toml::Value::as_str)
        .unwrap_or_else(|| panic!("{section}.{key} is missing"))
}

fn binary(name: &str) -> &'static Path {
    match name {
        "credential-service" => processes::credential_service_binary(),
        "crm-service" => processes::crm_service_binary(),
        "hubspot-sim" => processes::hubspot_sim_binary(),
        other => panic!("the image has no {other}"),
    }
}

/// The help of a command; panics where there is no such command.
fn help(binary: &Path, command: &[String]) -> String {
    let output = Command::new(binary)
        .args(command)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{} {command:?}", binary.display());
    String::from_utf8(output.stdout).expect("text")
}

/// Holds a command line to what the binary says of itself.
fn exists(binary: &Path, words: &[String]) {
    let command: Vec<String> = words
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .cloned()
        .collect();
    let help = help(binary, &command);
    for word in words.iter().filter(|word| word.starts_with("--")) {
        let name = word.split('=').next().expect("a name");
        let known = help.split([' ', ',', '\n', '=']).any(|word| word.trim() == name);
        assert!(known, "{} has no {name}", binary.display());
    }
}

#[test]
fn every_command_of_the_compose_file_is_one_of_the_binaries() {
    let compose = Compose::read();
    for name in SERVICES {
        let service = compose.service(name);
        let (program, words) = service.command.split_first().expect("a command");
        assert_eq!(program, name);
        exists(binary(program), words);
        let health = service.healthcheck.as_ref().expect("a health check");
        let [kind, program, words @ ..] = health.test.as_slice() else {
            panic!("{name}: {:?}", health.test)
        };
        assert_eq!(
            (kind.as_str(), program.as_str()),
            ("CMD", name),
            "no shell is in the image"
        );
        exists(binary(program), words);
        assert_eq!(
            option(words, "--config"),
            service.option("--config"),
            "{name} is asked where it listens"
        );
    }
    exists(binary("hubspot-sim"), &compose.service("hubspot-sim").command);
}

#[test]
fn every_port_is_the_one_that_is_listened_on_and_open_on_loopback_only() {
    let compose = Compose::read();
    let dockerfile = source("Dockerfile").text;
    let exposed: BTreeSet<&str> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("EXPOSE "))
        .flat_map(str::split_whitespace)
        .collect();
    let mut listened = BTreeSet::new();
    for (name, service) in compose.ours() {
        let listen = match service.option("--listen") {
            Some(listen) => listen.to_owned(),
            None => text(&table(name), "grpc", "listen").to_owned(),
        };
        let mut ports = Vec::new();
        let pages = (name == "crm-service").then(|| text(&table(name), "web", "listen").to_owned());
        for listen in [Some(listen), pages].into_iter().flatten() {
            let (address, port) = listen.rsplit_once(':').expect("a port");
            assert_eq!(address, "0.0.0.0", "{name} must be reached from other containers");
            ports.push(format!("127.0.0.1:{port}:{port}"));
            listened.insert(port.to_owned());
        }
        assert_eq!(service.ports, ports, "{name}");
    }
    assert_eq!(exposed, listened.iter().map(String::as_str).collect());
    assert!(
        compose.service("postgres").ports.is_empty(),
        "the databases are nobody else's"
    );
}

#[test]
fn every_configuration_is_mounted_where_it_is_looked_for() {
    let compose = Compose::read();
    for name in SERVICES {
        let service = compose.service(name);
        let looked_for = service.option("--config").expect("a configuration");
        let file = service.mounted(looked_for).expect("mounted");
        assert_eq!(file, format!("./deploy/{name}.toml"));
    }
    for (name, service) in &compose.services {
        for volume in &service.volumes {
            let (from, _) = volume.split_once(':').expect("a place");
            let there = match from.strip_prefix("./") {
                // What is written to: `deploy/prepare` makes it.
                Some(path) if path.starts_with("hubkeep-outcomes/") => path.ends_with(name),
                Some(path) => top().join(path).exists() && volume.ends_with(":ro"),
                None => compose.volumes.contains_key(from),
            };
            assert!(there, "{name}: {volume}");
        }
    }
}

#[test]
fn outcomes_that_wait_for_the_database_outlive_the_container_they_wait_in() {
    let compose = Compose::read();
    for (name, spill) in [
        ("credential-service", credential_config().audit.spill),
        ("crm-service", crm_config().audit.spill),
    ] {
        let folder = spill.folder.expect("a folder");
        let mounted = compose.service(name).mounted(folder.to_str().expect("text"));
        assert_eq!(mounted.expect("mounted"), format!("./hubkeep-outcomes/{name}"));
    }
}

#[test]
fn every_service_finds_the_others_where_it_looks_for_them() {
    let compose = Compose::read();
    let shares = |one: &str, other: &str| {
        let networks = &compose.service(other).networks;
        compose
            .service(one)
            .networks
            .iter()
            .any(|name| networks.contains(name))
    };
    let crm = table("crm-service");
    let credentials = crm_config().credentials.url;
    let listen = credential_config().grpc.listen;
    assert_eq!(
        credentials.as_str(),
        format!("https://credential-service:{}/", listen.port())
    );
    assert!(shares("crm-service", "credential-service"));

    let made = source("deploy/postgres/databases.sql").text;
    for name in SERVICES {
        let table = if name == "crm-service" {
            crm.clone()
        } else {
            table(name)
        };
        assert!(shares(name, "postgres"));
        assert!(compose.service(name).depends_on.contains_key("postgres"));
        let mut databases = BTreeSet::new();
        for section in ["database", "audit"] {
            let url = text(&table, section, "url");
            let (role, database) = url
                .strip_prefix("postgres://")
                .and_then(|rest| rest.split_once("@postgres:5432/"))
                .map(|(role, database)| (role, database.trim_end_matches("?sslmode=disable")))
                .unwrap_or_else(|| panic!("{name}: {url}"));
            assert!(made.contains(&format!("CREATE ROLE {role} LOGIN")), "{role}");
            assert!(
                made.contains(&format!("CREATE DATABASE {database} OWNER {role};")),
                "{database}"
            );
            databases.insert(database.to_owned());
        }
        assert_eq!(databases.len(), 2, "{name}: the log has a database of its own");
    }
}

#[test]
fn every_service_waits_for_what_it_needs_to_be_healthy() {
    let compose = Compose::read();
    for (name, service) in &compose.services {
        for (needed, dependency) in &service.depends_on {
            assert_eq!(dependency.condition, "service_healthy", "{name}");
            assert!(
                compose.service(needed).healthcheck.is_some(),
                "{name} waits for {needed} for ever"
            );
        }
    }
    assert!(
        compose
            .service("crm-service")
            .depends_on
            .contains_key("credential-service")
    );
    assert_eq!(compose.service("hubspot-sim").profiles, ["sim"]);
}

#[test]
fn a_service_that_is_stopped_has_time_to_end_what_is_in_flight() {
    let compose = Compose::read();
    for (name, drain) in [
        ("credential-service", credential_config().grpc.drain),
        ("crm-service", crm_config().grpc.drain),
    ] {
        let grace = compose.service(name).stop_grace_period.as_deref().expect("set");
        let grace = grace.parse::<humantime::Duration>().expect("a time");
        assert!(*grace > drain, "{name} would be killed at work");
    }
}

#[test]
fn every_container_is_bound_as_tightly_as_it_can_be() {
    let compose = Compose::read();
    for (name, service) in &compose.services {
        assert!(
            service.user == "${HUBKEEP_USER:-65532:65532}",
            "{name} runs as {}",
            service.user
        );
        assert!(service.read_only, "{name}");
        assert_eq!(service.cap_drop, ["ALL"], "{name}");
        assert_eq!(service.security_opt, ["no-new-privileges:true"], "{name}");
        for network in &service.networks {
            assert!(compose.networks.contains_key(network), "{name}: {network}");
        }
        let storage = service.networks.contains(&"storage".to_owned());
        assert_eq!(storage, name != "hubspot-sim", "{name}");
    }
    assert!(compose.networks["storage"].internal);
    assert_eq!(compose.service("postgres").networks, ["storage"]);
}

#[test]
fn every_image_is_pinned() {
    let compose = Compose::read();
    let mut images: Vec<String> = compose
        .services
        .values()
        .map(|service| service.image.clone())
        .collect();
    let dockerfile = source("Dockerfile").text;
    let bases = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("ARG ")?.split_once("_IMAGE="));
    let bases: Vec<String> = bases.map(|(_, image)| image.to_owned()).collect();
    assert_eq!(bases.len(), 2);
    images.extend(bases);
    for image in images {
        let (_, tag) = image
            .rsplit_once(':')
            .unwrap_or_else(|| panic!("{image} has no tag"));
        assert_ne!(tag, "latest", "{image}");
    }
    for (name, service) in compose.ours() {
        assert!(
            service.image.ends_with(concat!(":", env!("CARGO_PKG_VERSION"))),
            "{name}: {}",
            service.image
        );
    }
}

#[test]
fn the_compose_file_builds_on_the_bases_that_the_dockerfile_names() {
    let dockerfile = source("Dockerfile").text;
    for (name, service) in Compose::read().ours() {
        let build = service.build.as_ref().expect("ours");
        assert!(
            dockerfile.contains(&format!(" AS {}\n", build.target)),
            "{name}: no stage {}",
            build.target
        );
        for (argument, value) in &build.args {
            let default = value
                .split_once(":-")
                .map(|(_, default)| default.trim_end_matches('}'));
            let default = default.unwrap_or_else(|| panic!("{name}: {argument} has no default"));
            assert!(
                dockerfile.contains(&format!("ARG {argument}={default}\n")),
                "{argument}"
            );
        }
    }
}

#[test]
fn the_image_is_built_from_every_crate_and_holds_every_program() {
    let manifest: toml::Table = source("Cargo.toml").text.parse().expect("a manifest");
    let ignored = source(".dockerignore").text;
    let members = manifest["workspace"]["members"].as_array().expect("members");
    for member in members {
        let folder = member
            .as_str()
            .expect("a path")
            .split('/')
            .next()
            .expect("a folder");
        assert!(
            ignored.lines().any(|line| line == format!("!{folder}")),
            "the builder does not see {folder}"
        );
    }
    let dockerfile = source("Dockerfile").text;
    for program in ["credential-service", "crm-service", "hubkeep", "hubspot-sim"] {
        assert!(
            dockerfile.contains(&format!("/binaries/{program} ")),
            "{program} is in no image"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_of_itself_whether_it_serves() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).without_crm().start().await;
    let config = processes::crm_service_config(
        hubkeep.folder(),
        &hubkeep.credential_address(),
        &hubkeep.hubspot.base_url(),
    );
    let mut serve = processes::serve(processes::crm_service_binary(), &config);
    let (process, address) = processes::Process::listening("crm-service", &mut serve);
    let health = || {
        Command::new(processes::crm_service_binary())
            .args(["health", "--config"])
            .arg(&config)
            .env("HUBKEEP__GRPC__LISTEN", address.trim_start_matches("http://"))
            .output()
            .expect("it runs")
    };
    assert!(health().status.success(), "{:?}", health());
    process.kill();
    let output = health();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("not healthy") && told.contains("cannot be reached"),
        "{told}"
    );
}
