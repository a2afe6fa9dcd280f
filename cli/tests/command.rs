//! The command as a script sees it: exit codes, and what stands on standard output.

#![expect(clippy::expect_used, reason = "a test that cannot run the command has failed")]

use std::process::{Command, Output};

use serde_json::Value;

fn hubkeep(line: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hubkeep"))
        .args(line)
        .env_clear()
        .output()
        .expect("the command runs")
}

fn last_line(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let line = text.lines().last().expect("a line");
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn help_and_version_are_no_errors_and_help_tells_the_exit_codes() {
    let help = hubkeep(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes:"));
    let version = hubkeep(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("hubkeep "));
}

#[test]
fn a_wrong_command_line_is_told_in_json_to_those_who_asked_for_json() {
    let output = hubkeep(&["--json", "crm", "list"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(last_line(&output)["error"]["code"], "INVALID_ARGUMENT");
    let output = hubkeep(&["crm", "list"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn what_the_environment_gives_is_not_told_as_if_it_were_required() {
    for line in [
        &["rotate"][..],
        &["portals", "show"],
        &["audit", "list", "--last", "x"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_hubkeep"))
            .args(line)
            .env_clear()
            .env("HUBKEEP_CREDENTIAL_SERVICE", "http://127.0.0.1:1")
            .env("HUBKEEP_CRM_SERVICE", "http://127.0.0.1:2")
            .output()
            .expect("the command runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(!told.contains("--credential-service"), "{told}");
    }
}

#[test]
fn a_call_without_a_handle_is_not_made() {
    let output = hubkeep(&["--json", "crm", "list", "acme", "contacts"]);
    assert_eq!(output.status.code(), Some(2));
    let message = last_line(&output)["error"]["message"].to_string();
    assert!(message.contains("HUBKEEP_HANDLE"), "{message}");
}

#[test]
fn a_service_that_is_not_there_has_its_own_exit_code() {
    let output = hubkeep(&["--json", "--credential-service", "http://127.0.0.1:1", "portals"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(last_line(&output)["error"]["code"], "UNAVAILABLE");
}

#[test]
fn a_file_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let output = hubkeep(&["import", "/no/such/file.csv"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn results_never_go_to_a_file_that_is_read_by_whatever_name_and_it_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let tokens = "clientSlug,portalToken,portalId\nacme,pat-1,1\n";
    let details = "[acme]\nregion = \"DE\"\n";
    std::fs::write(at("tokens.csv"), tokens).expect("written");
    std::fs::write(at("details.toml"), details).expect("written");
    std::fs::hard_link(at("tokens.csv"), at("hard.csv")).expect("linked");
    std::os::unix::fs::symlink(at("tokens.csv"), at("soft.csv")).expect("linked");
    let (file, of_details) = (at("tokens.csv"), at("details.toml"));
    let spelled = at("./tokens.csv");
    let lines: [&[&str]; 6] = [
        &["import", &file, "--results", &file],
        &["import", &file, "--results", &at("hard.csv")],
        &["import", &file, "--results", &at("soft.csv")],
        &["import", &file, "--results", &spelled],
        &[
            "import",
            &file,
            "--details",
            &of_details,
            "--results",
            &of_details,
        ],
        &["rotate", &file, "--result", &file],
    ];
    for line in lines {
        let output = hubkeep(line);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line:?}: {told}");
        assert!(told.contains("the same file"), "{line:?}: {told}");
        assert_eq!(std::fs::read_to_string(&file).expect("reads"), tokens);
        assert_eq!(std::fs::read_to_string(&of_details).expect("reads"), details);
    }
}

#[test]
fn results_go_to_no_file_that_holds_something_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        at("tokens.csv"),
        "clientSlug,portalToken,portalId\nacme,pat-1,1\n",
    )
    .expect("written");
    std::fs::write(at("other.csv"), "clientSlug,portalToken\nacme,pat-2\n").expect("written");
    let output = hubkeep(&["import", &at("tokens.csv"), "--results", &at("other.csv")]);
    assert_eq!(output.status.code(), Some(2));
    let kept = std::fs::read_to_string(at("other.csv")).expect("reads");
    assert!(kept.contains("pat-2"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 2);
}

#[cfg(feature = "dev")]
#[test]
fn the_demo_keeps_its_promises() {
    let output = hubkeep(&["demo", "--once", "--json"]);
    let summary = last_line(&output);
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert_eq!(summary["portals_onboarded"], 3);
    assert_eq!(summary["rows_refused"], 2);
    assert_eq!(summary["cross_portal_requests_sent"], 0);
    assert_eq!(summary["unrecorded_calls"], 0);
    assert!(summary["calls"].as_u64() > Some(0) && summary["audit_events"].as_u64() > Some(0));
}

#[cfg(feature = "dev")]
#[test]
fn nothing_that_the_demo_prints_holds_a_token() {
    for line in [&["demo", "--once", "--json"][..], &["demo", "--once"]] {
        let output = hubkeep(line);
        let said = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains("pat-"));
    }
}
