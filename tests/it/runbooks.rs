//! The commands of the runbooks are commands, and they do what the pages say.

use std::{
    fs,
    process::{Command, Stdio},
};

use hubkeep_tests::support::{
    processes::{Process, hubkeep_binary},
    shown,
};

/// Runs the commands of a page one after another beside `hubkeep dev`, and gives what each of them said.
fn follow(page: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut dev = Command::new(hubkeep_binary());
    dev.args(["dev", "--log", "off"]);
    dev.args([
        "--credential-port",
        "0",
        "--crm-port",
        "0",
        "--hubspot-port",
        "0",
        "--viewer-port",
        "0",
    ]);
    let words = ["credential-service ", "crm-service ", "export "];
    let (_running, addresses) = Process::saying("hubkeep dev", dev.current_dir(folder.path()), &words);
    for (name, text) in shown::files(page) {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let commands = shown::commands(page);
    let mut said = Vec::new();
    for command in &commands {
        let words =
            shown::words_after(command, "hubkeep ").unwrap_or_else(|| panic!("{command} is not ours"));
        let output = Command::new(hubkeep_binary())
            .args(&words)
            .current_dir(folder.path())
            .env("HUBKEEP_CREDENTIAL_SERVICE", &addresses[0])
            .env("HUBKEEP_CRM_SERVICE", &addresses[1])
            .stdin(Stdio::null())
            .output()
            .expect("hubkeep runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let heard = String::from_utf8_lossy(&output.stderr);
        // One of the sample's tokens is revoked: its row is refused, and the others are done.
        let expected = if words.first().is_some_and(|name| name == "import") {
            3
        } else {
            0
        };
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{command}:\n{told}\n{heard}"
        );
        let says_something = !told.trim().is_empty() || !heard.trim().is_empty();
        assert!(says_something, "{command} says nothing");
        said.push((command.clone(), told));
    }
    said
}

#[test]
fn the_page_about_unknown_writes_works_as_it_stands() {
    let said = follow("docs/operations/unknown-writes.md");
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn the_page_about_the_audit_log_works_as_it_stands() {
    let said = follow("docs/audit.md");
    let (_, table) = said.last().expect("commands");
    let rows = table.lines().count();
    assert!(rows > 1, "a token of the sample is refused: {table}");
    assert!(table.starts_with("position,index,log,"), "{table}");
}

#[test]
fn the_runbook_for_alerts_works_as_it_stands() {
    let said = follow("docs/operations/alerts.md");
    let told = |word: &str| {
        let found = said.iter().find(|(command, _)| command.contains(word));
        &found.unwrap_or_else(|| panic!("no {word}")).1
    };
    assert!(told("alerts rules").contains("contact-reads"), "{said:?}");
    assert!(told("--threshold 300 --window 1m").contains("300"), "{said:?}");
    assert!(told("rule reset").contains("100"), "{said:?}");
}

#[test]
fn the_runbook_for_retention_works_as_it_stands() {
    let said = follow("docs/operations/retention.md");
    let told = |word: &str| {
        &said
            .iter()
            .find(|(command, _)| command.contains(word))
            .expect("shown")
            .1
    };
    assert!(told("audit hold").contains("case-7"), "{said:?}");
    assert!(!told("audit release").contains("case-7"), "{said:?}");
}

#[test]
fn the_runbook_for_containment_works_as_it_stands() {
    let said = follow("docs/operations/containment.md");
    let told = |word: &str| said.iter().filter(|(_, told)| told.contains(word)).count();
    assert_eq!(
        told("1 replica of crm-service stopped and said so"),
        5,
        "{said:?}"
    );
    let (_, listed) = said
        .iter()
        .find(|(command, _)| command == "hubkeep contain list")
        .expect("shown");
    for contained in ["portal acme", "caller nightly-sync", "person ann"] {
        assert!(listed.contains(contained), "{listed}");
    }
}

#[test]
fn the_runbook_for_onboarding_works_as_it_stands() {
    let said = follow("docs/operations/onboarding.md");
    let shown = said
        .iter()
        .find(|(command, _)| command.contains("portals show acme"));
    let (_, told) = shown.expect("it is shown");
    assert!(told.contains("active") && told.contains("4100001"), "{told}");
}

#[test]
fn the_runbook_for_access_works_as_it_stands() {
    let said = follow("docs/operations/access.md");
    let told = |command: &str| {
        let found = said.iter().find(|(said, _)| said.starts_with(command));
        &found.unwrap_or_else(|| panic!("no {command}")).1
    };
    assert!(told("hubkeep grants show nightly-sync").contains("acme, globex"));
    let listed = told("hubkeep grants list --caller nightly-sync");
    assert!(
        listed.contains("nightly-sync") && listed.contains("everybody"),
        "{listed}"
    );
    let checked = told("hubkeep grants put --file grants.toml --dry-run");
    assert!(
        checked.contains("nightly-sync would be put (revision 2)"),
        "{checked}"
    );
    assert!(told("hubkeep audit list").contains("grant"));
}

#[test]
fn the_runbook_for_erasure_works_as_it_stands() {
    let said = follow("docs/operations/erasure.md");
    let erased: Vec<_> = said
        .iter()
        .filter(|(command, _)| command.contains("portals erase"))
        .collect();
    assert_eq!(erased.len(), 2);
    assert!(
        erased.iter().all(|(_, told)| told.contains("acme is erased")),
        "{erased:?}"
    );
}

#[test]
fn the_page_about_a_log_that_cannot_be_written_works_as_it_stands() {
    follow("docs/operations/audit-storage.md");
}

#[test]
fn the_runbook_for_backups_works_as_it_stands() {
    follow("docs/operations/backup.md");
}
