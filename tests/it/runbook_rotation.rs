//! The commands of the page on rotation are commands: they run as they stand there, one after the other.

use std::process::{Command, Stdio};

use hubkeep_tests::support::{
    processes::{Process, hubkeep_binary},
    sources::source,
};

/// The lines of the blocks that are marked as such.
fn script(page: &str) -> String {
    let (mut lines, mut inside) = (Vec::new(), false);
    let text = source(page).text;
    for line in text.lines() {
        match line.trim_end() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => lines.push(line.to_owned()),
            _ => {}
        }
    }
    assert!(lines.len() > 5, "{page} shows too little");
    lines.join("\n")
}

#[test]
fn the_commands_of_the_page_on_rotation_work_one_after_another_beside_dev() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut dev = Command::new(hubkeep_binary());
    dev.args("dev --log off --credential-port 0 --crm-port 0 --hubspot-port 0 --viewer-port 0".split(' '));
    let words = ["credential-service ", "HubSpot ", "export "];
    let (_running, said) = Process::saying("hubkeep dev", dev.current_dir(folder.path()), &words);
    let simulator = said[1].split(' ').next().expect("an address");
    let binaries = hubkeep_binary().parent().expect("a folder");
    let path = format!("{}:{}", binaries.display(), std::env!("PATH"));
    let run = |script: &str| {
        Command::new("bash")
            .args(["-eux", "-o", "pipefail", "-c", script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("HUBKEEP_CREDENTIAL_SERVICE", &said[0])
            .env("HUBSPOT_SIM", simulator)
            .stdin(Stdio::null())
            .output()
            .expect("bash runs")
    };
    // One of the sample's tokens is revoked: its row is refused, and the others are done.
    let imported = run("hubkeep import hubkeep-data/sample-clients.csv");
    assert_eq!(imported.status.code(), Some(3), "{imported:?}");
    let output = run(&script("docs/operations/rotation.md"));
    let (told, heard) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{told}\n{heard}");
    for word in [
        "old token alive",
        "acknowledged",
        "2 switched",
        "rolled back",
        "billing was shut down",
        "dropped",
    ] {
        let shown = told.contains(word) || heard.contains(word);
        assert!(shown, "nothing says {word:?}:\n{told}\n{heard}");
    }
    assert!(!told.contains("pat-"), "a token was printed:\n{told}");
}
