//! The runbook for certificates: its commands do what it says, and a running service takes up what they made.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use hubkeep_core::{
    clock::SystemClock,
    tls::{Config, Identity, RevocationList},
};
use hubkeep_tests::{
    eventually,
    support::{
        processes::{Process, crm_service_binary, crm_service_config, hubkeep_binary},
        shown,
    },
};

const PAGE: &str = "docs/operations/certificates.md";

fn hubkeep(folder: &Path, words: &[String]) {
    let output = Command::new(hubkeep_binary())
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("hubkeep runs");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&said)
    );
}

fn issue(folder: &Path, line: &str) {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    hubkeep(folder, &words);
}

#[test]
fn the_commands_of_the_runbook_renew_and_revoke() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for line in [
        "certs init",
        "certs issue nightly-sync",
        "certs issue crm-service --host localhost",
    ] {
        issue(folder, line);
    }
    let certs = folder.join("hubkeep-certs");
    let before = fs::read(certs.join("crm-service.crt")).expect("read");
    let commands = shown::commands(PAGE);
    assert_eq!(commands.len(), 4, "{commands:?}");
    for command in commands {
        let words = shown::words_after(&command, "hubkeep ").expect("a command of ours");
        hubkeep(folder, &words);
    }
    let old = fs::read(certs.join("crm-service.old.crt")).expect("kept");
    assert_eq!(old, before);
    let list = RevocationList::read(&fs::read_to_string(certs.join("ca.crl")).expect("read"));
    let list = list.expect("a list");
    assert_eq!(
        (list.number, list.revoked.len()),
        (3, 2),
        "each adds to the one before"
    );
    let config = |stem: &str| Config {
        certificate_file: certs.join(format!("{stem}.crt")),
        key_file: certs.join("crm-service.key"),
        ca_file: certs.join("ca.crt"),
        crl_file: Some(certs.join("ca.crl")),
        ..Config::default()
    };
    Identity::load(&config("crm-service"), &SystemClock::shared()).expect("the renewed one is not revoked");
}

#[test]
fn only_what_our_ca_signed_is_put_on_its_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    issue(folder, "certs init");
    issue(folder, "certs init --dir others");
    issue(folder, "certs issue thief --dir others");
    let output = Command::new(hubkeep_binary())
        .args(["certs", "revoke", "--certificate", "others/thief.crt"])
        .current_dir(folder)
        .output()
        .expect("hubkeep runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && said.contains("has signed"),
        "{said}"
    );
    assert!(
        !folder.join("hubkeep-certs/ca.crl").exists(),
        "nothing was written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_once_why_it_does_not_take_up_what_was_put_in_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    issue(folder, "certs init");
    issue(folder, "certs issue crm-service --host localhost");
    issue(folder, "certs issue other");
    let config = crm_service_config(folder, "https://127.0.0.1:1", "http://127.0.0.1:1");
    let mut text = fs::read_to_string(&config).expect("read");
    text.push_str(
        "[tls]\ncertificate_file = \"hubkeep-certs/crm-service.crt\"\nkey_file = \"hubkeep-certs/crm-service.key\"\n\
         ca_file = \"hubkeep-certs/ca.crt\"\n",
    );
    fs::write(&config, text).expect("written");
    let (log, said) = (folder.join("log"), folder.join("said"));
    let mut command = Command::new(crm_service_binary());
    command
        .args(["serve", "--config"])
        .arg(&config)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(File::create(&said).expect("a file"))
        .stderr(File::create(&log).expect("a file"));
    let process = Process::started("crm-service", &mut command);
    let lines = |file: &Path, part: &str| {
        let text = fs::read_to_string(file).expect("text");
        text.lines().filter(|line| line.contains(part)).count()
    };
    eventually!(lines(&said, "listening on ") == 1);
    let certs = folder.join("hubkeep-certs");
    let key = fs::read(certs.join("crm-service.key")).expect("read");
    fs::rename(certs.join("other.key"), certs.join("crm-service.key")).expect("moved");
    process.ask_to_look_again();
    let wrong = "is not the private key of the certificate";
    eventually!(lines(&log, wrong) == 1);
    fs::write(certs.join("crm-service.key"), key).expect("written");
    issue(folder, "certs issue crm-service --host localhost --renew");
    process.ask_to_look_again();
    eventually!(lines(&log, "are gone by from now on") == 1);
    assert_eq!(lines(&log, wrong), 1, "said once");
}
