//! Secrets of a deployment: each service is shown its own, all are made by one command, and none stands in the
//! repository.

use std::{collections::BTreeSet, env, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use hubkeep_tests::support::{
    compose::{Compose, Service},
    processes::hubkeep_binary,
    sources::{source, top},
};

/// The names behind /run/secrets/ in a text.
fn secrets_named(text: &str) -> BTreeSet<String> {
    let parts = text.split("/run/secrets/").skip(1);
    let name = |part: &str| {
        part.chars()
            .take_while(|letter| letter.is_alphanumeric() || "_-.".contains(*letter))
            .collect()
    };
    parts.map(name).collect()
}

/// All that tells a service where something is.
fn told(service: &Service) -> String {
    // What may be written to is the service's own.
    let given = service.volumes.iter().filter(|volume| volume.ends_with(":ro"));
    let mounted = given.filter_map(|volume| volume.strip_prefix("./"));
    let files = mounted
        .filter_map(|volume| volume.split(':').next())
        .map(contents);
    let words = service
        .command
        .iter()
        .chain(service.environment.values())
        .cloned();
    files.chain(words).collect::<Vec<_>>().join("\n")
}

/// A file, or all files of a folder.
fn contents(path: &str) -> String {
    let Ok(folder) = fs::read_dir(top().join(path)) else {
        return source(path).text;
    };
    let files = folder.map(|file| fs::read_to_string(file.expect("listed").path()).expect("text"));
    files.collect()
}

#[test]
fn every_service_is_shown_the_secrets_that_it_reads_and_no_other() {
    let compose = Compose::read();
    let mut shown = BTreeSet::new();
    for (name, service) in &compose.services {
        let given: BTreeSet<String> = service.secrets.iter().cloned().collect();
        assert_eq!(given, secrets_named(&told(service)), "{name}");
        shown.extend(given);
    }
    let declared: BTreeSet<String> = compose.secrets.keys().cloned().collect();
    assert_eq!(shown, declared);
}

#[test]
fn no_secret_stands_in_what_is_in_the_repository() {
    let compose = Compose::read();
    let ignored = source(".gitignore").text;
    for (name, secret) in &compose.secrets {
        let folder = secret
            .file
            .strip_prefix("./")
            .and_then(|path| path.split('/').next());
        let folder = folder.unwrap_or_else(|| panic!("{name}: {}", secret.file));
        assert!(
            ignored.lines().any(|line| line == format!("/{folder}")),
            "{folder} would be committed"
        );
    }
    assert!(ignored.lines().any(|line| line == "/.env"));
    for (name, service) in &compose.services {
        for (variable, value) in &service.environment {
            let is_secret = ["PASSWORD", "SECRET", "TOKEN", "KEY"]
                .iter()
                .any(|word| variable.contains(word));
            assert!(
                !is_secret || value.starts_with("/run/secrets/"),
                "{name}: {variable}"
            );
        }
    }
    for path in [
        "docker-compose.yml",
        "deploy/credential-service.toml",
        "deploy/crm-service.toml",
    ] {
        for (number, line) in source(path).lines() {
            let password = line
                .split("postgres://")
                .nth(1)
                .and_then(|url| url.split('@').next())
                .is_some_and(|user| user.contains(':'));
            assert!(!password, "{path}:{number}");
        }
    }
}

/// Runs `deploy/prepare` as somebody does who has just cloned the repository into this folder.
fn prepare(folder: &Path, operator: &str) {
    let hubkeep = hubkeep_binary().parent().expect("a folder").to_owned();
    let path = env::var_os("PATH").expect("set");
    let path = env::join_paths([hubkeep].into_iter().chain(env::split_paths(&path))).expect("a path");
    let output = Command::new(folder.join("deploy/prepare"))
        .arg(operator)
        .env("PATH", path)
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn one_command_makes_every_secret_for_nobody_else_to_read_and_never_makes_it_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("deploy")).expect("made");
    fs::copy(top().join("deploy/prepare"), folder.path().join("deploy/prepare")).expect("copied");
    prepare(folder.path(), "ann");
    let read =
        |file: &str| fs::read(folder.path().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let secrets = Compose::read().secrets;
    let before: Vec<Vec<u8>> = secrets.values().map(|secret| read(&secret.file)).collect();
    assert_eq!(
        before.iter().collect::<BTreeSet<_>>().len(),
        before.len(),
        "each is its own"
    );
    for secret in secrets.values().filter(|secret| !secret.file.ends_with(".crt")) {
        let file = folder.path().join(&secret.file);
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", secret.file);
    }
    assert!(
        String::from_utf8(read(".env"))
            .expect("text")
            .starts_with("HUBKEEP_USER=")
    );
    read("hubkeep-certs/operator-ann.key");
    for service in ["credential-service", "crm-service"] {
        let outcomes = folder.path().join("hubkeep-outcomes").join(service);
        let mode = fs::metadata(&outcomes).expect("made").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{service}");
    }

    prepare(folder.path(), "bob");
    let after: Vec<Vec<u8>> = secrets.values().map(|secret| read(&secret.file)).collect();
    assert!(before == after, "what was there is what is there");
    read("hubkeep-certs/operator-bob.key");
}
