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
