//! The commands in the README are commands, and they do what it says.

use std::process::{Command, Stdio};

use hubkeep_tests::support::{
    processes::{Process, crm_service_binary, hubkeep_binary},
    shown,
    sources::{source, top},
};

fn commands() -> Vec<String> {
    shown::commands("README.md")
}

/// The words after `cargo run --` in a command, where it has them.
fn of_hubkeep(command: &str) -> Option<Vec<String>> {
    shown::words_after(command, "cargo run -- ")
}

/// What `hubkeep <words> --help` says; `None` if there is no such command.
fn help(words: &[String]) -> Option<String> {
    let output = Command::new(hubkeep_binary())
        .args(words)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .expect("hubkeep runs");
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command that the words begin with: "crm list" of "crm list acme contacts".
fn command_of(words: &[String]) -> Vec<String> {
    let takes_another = |name: &str| ["handle", "crm", "audit", "certs", "grants"].contains(&name);
    let length = if words.first().is_some_and(|name| takes_another(name)) {
        2
    } else {
        1
    };
    words.iter().take(length).cloned().collect()
}

#[test]
fn every_command_of_the_readme_exists_with_every_option_it_is_given() {
    let commands = commands();
    let ours: Vec<_> = commands
        .iter()
        .filter_map(|command| of_hubkeep(command))
        .collect();
    assert!(ours.len() >= 5, "the README shows too little: {ours:?}");
    for words in ours {
        let command = command_of(&words);
        let help = help(&command).unwrap_or_else(|| panic!("there is no command {command:?}"));
        for option in words.iter().filter(|word| word.starts_with("--")) {
            let known = help
                .lines()
                .any(|line| line.split([' ', ',', '=']).any(|word| word == option));
            assert!(known, "hubkeep {} has no {option}", command.join(" "));
        }
    }
}

#[test]
fn the_first_configuration_that_the_readme_shows_is_one() {
    let readme = source("README.md").text;
    let (_, shown) = readme.split_once("```toml\n").expect("it shows one");
    let (shown, _) = shown.split_once("```").expect("it ends");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("crm-service.toml");
    std::fs::write(&file, shown).expect("written");
    let run = |words: &[&str]| {
        let mut service = Command::new(crm_service_binary());
        service.args(words).arg("--config").arg(&file);
        service.current_dir(folder.path()).stdin(Stdio::null());
        service.output().expect("crm-service runs")
    };
    let printed = run(&["config", "print"]);
    assert!(printed.status.success(), "{printed:?}");
    assert!(run(&["keys", "create"]).status.success());
    assert!(folder.path().join("hubkeep-data/crm-service.kek").exists());
}

#[test]
fn every_target_of_the_readme_is_in_the_makefile() {
    let makefile = source("Makefile").text;
    let commands = commands();
    let targets = commands
        .iter()
        .filter_map(|command| command.strip_prefix("make "));
    for target in targets {
        assert!(
            makefile
                .lines()
                .any(|line| line.starts_with(&format!("{target}:"))),
            "make {target}"
        );
    }
}

#[test]
fn every_file_that_the_readme_points_to_is_there() {
    let readme = source("README.md").text;
    for (at, _) in readme.match_indices("](") {
        let target = readme[at + 2..].split(')').next().expect("ends");
        if !target.starts_with("http") && !target.starts_with('#') {
            assert!(top().join(target).exists(), "{target} is not there");
        }
    }
    for quoted in readme.split('`').filter(|quoted| quoted.starts_with("tests/it/")) {
        assert!(top().join(quoted).exists(), "{quoted} is not there");
    }
}

#[test]
fn the_demo_ends_well_and_says_so_in_one_line_of_json() {
    let shown = "cargo run -- demo --once --json";
    assert!(
        commands().iter().any(|command| command == shown),
        "the README does not show {shown}"
    );
    let words = of_hubkeep(shown).expect("one of ours");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(hubkeep_binary())
        .args(&words)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("hubkeep runs");
    let (told, heard) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "the demo failed:\n{told}\n{heard}");
    let last = told
        .lines()
        .last()
        .unwrap_or_else(|| panic!("the demo said nothing:\n{heard}"));
    let report: serde_json::Value =
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
    let number = |name: &str| {
        let number = report[name].as_u64();
        number.unwrap_or_else(|| panic!("{name} is not a number in {last}"))
    };
    assert_eq!(
        (number("portals_onboarded"), number("rows_refused")),
        (3, 2),
        "{last}"
    );
    assert!(number("calls") > 0 && number("audit_events") > 0, "{last}");
    assert_eq!(number("cross_portal_requests_sent"), 0, "{last}");
    assert_eq!(number("unrecorded_calls"), 0, "{last}");
}

/// What runs for ever, or needs HubSpot itself.
const NOT_RUN: [&str; 3] = ["dev", "demo", "audit tail"];

#[test]
fn the_commands_of_the_readme_work_one_after_another_beside_dev() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut dev = Command::new(hubkeep_binary());
    dev.args([
        "dev",
        "--log",
        "off",
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
    let mut handle = String::new();
    let mut run = Vec::new();
    for words in commands().iter().filter_map(|command| of_hubkeep(command)) {
        let name = command_of(&words).join(" ");
        if NOT_RUN.contains(&name.as_str()) {
            continue;
        }
        let output = Command::new(hubkeep_binary())
            .args(&words)
            .current_dir(folder.path())
            .env("HUBKEEP_CREDENTIAL_SERVICE", &addresses[0])
            .env("HUBKEEP_CRM_SERVICE", &addresses[1])
            .env("HUBKEEP_HANDLE", &handle)
            .stdin(Stdio::null())
            .output()
            .expect("hubkeep runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let heard = String::from_utf8_lossy(&output.stderr);
        // One of the sample's tokens is revoked, as the README says: its row is refused, and the others are done.
        let expected = if name == "import" { 3 } else { 0 };
        assert_eq!(
            output.status.code(),
            Some(expected),
            "hubkeep {}:\n{told}\n{heard}",
            words.join(" ")
        );
        assert!(
            !told.trim().is_empty(),
            "hubkeep {} says nothing",
            words.join(" ")
        );
        if name == "handle issue" {
            told.trim().clone_into(&mut handle);
        }
        run.push(name);
    }
    for name in ["import", "portals", "handle issue", "crm list", "audit list"] {
        assert!(
            run.iter().any(|ran| ran == name),
            "the README does not show hubkeep {name}"
        );
    }
}
