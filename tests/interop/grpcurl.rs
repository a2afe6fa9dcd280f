//! What needs no generated code: grpcurl and buf learn the services from their reflection.

use std::process::{Command, Stdio};

use hubkeep_tests::support::processes::{Process, hubkeep_binary};
use tempfile::TempDir;

use crate::place::{Place, commands_of, said};

/// `hubkeep dev` with its sample imported, and a handle as the README issues it.
struct Dev {
    credential: String,
    crm: String,
    handle: String,
    _process: Process,
    _folder: TempDir,
}

impl Dev {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut dev = Command::new(hubkeep_binary());
        let ports = [
            "--credential-port",
            "0",
            "--crm-port",
            "0",
            "--hubspot-port",
            "0",
            "--viewer-port",
            "0",
        ];
        dev.args(["dev", "--log", "off"])
            .args(ports)
            .current_dir(folder.path());
        let words = ["credential-service ", "crm-service ", "export "];
        let (process, said) = Process::saying("hubkeep dev", &mut dev, &words);
        let mut running = Self {
            credential: said[0].clone(),
            crm: said[1].clone(),
            handle: String::new(),
            _process: process,
            _folder: folder,
        };
        for command in commands_of("README.md") {
            if command.contains(" -- import ") {
                running.hubkeep(&command);
            }
            if command.contains(" -- handle issue ") {
                running.handle = running.hubkeep(&command);
            }
        }
        assert!(running.handle.starts_with("hk1_"), "the README issues a handle");
        running
    }

    /// Runs a command of the README that calls hubkeep.
    fn hubkeep(&self, command: &str) -> String {
        let (_, words) = command.split_once("cargo run -- ").expect("one of ours");
        let output = Command::new(hubkeep_binary())
            .args(words.trim_end_matches(')').split(' '))
            .current_dir(self._folder.path())
            .env("HUBKEEP_CREDENTIAL_SERVICE", &self.credential)
            .env("HUBKEEP_CRM_SERVICE", &self.crm)
            .stdin(Stdio::null())
            .output()
            .expect("hubkeep runs");
        said(&output).0.trim().to_owned()
    }

    /// The line, for the ports that were free.
    fn here(&self, line: &str) -> String {
        let bare = |address: &str| address.trim_start_matches("http://").to_owned();
        line.replace("127.0.0.1:7401", &bare(&self.credential))
            .replace("127.0.0.1:7402", &bare(&self.crm))
    }
}

#[test]
fn grpcurl_does_what_the_readme_shows() {
    let place = Place::with_tools();
    let dev = Dev::start();
    let mut lines = commands_of("README.md");
    lines.retain(|line| line.starts_with("grpcurl "));
    assert!(lines.len() >= 2, "the README shows grpcurl");
    for line in lines {
        let told = place.must_run(&dev.here(&line), &[("HUBKEEP_HANDLE", &dev.handle)]);
        let answer: serde_json::Value =
            serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
        if line.ends_with("/IssueHandle") {
            assert_eq!(answer["description"]["clientSlug"], "acme", "{told}");
        }
        if line.ends_with("/ListObjects") {
            assert_eq!(answer["reply"]["clientSlug"], "acme", "{told}");
            assert!(
                answer["objects"].as_array().is_some_and(|all| !all.is_empty()),
                "{told}"
            );
        }
    }
}

#[test]
fn grpcurl_shows_a_refusal_with_its_reason() {
    let place = Place::with_tools();
    let dev = Dev::start();
    let line = "grpcurl -plaintext -H \"authorization: Bearer $HUBKEEP_HANDLE\" \
                -d '{\"client_slug\":\"globex\",\"object_type\":\"contacts\"}' \
                127.0.0.1:7402 hubkeep.crm.v1.ObjectService/ListObjects";
    let output = place.run(&dev.here(line), &[("HUBKEEP_HANDLE", &dev.handle)]);
    let (_, heard) = said(&output);
    assert!(!output.status.success(), "{heard}");
    for word in [
        "Code: PermissionDenied",
        "type.googleapis.com/google.rpc.ErrorInfo",
        "\"reason\": \"PORTAL_MISMATCH\"",
        "\"requested_client_slug\": \"globex\"",
    ] {
        assert!(heard.contains(word), "{word} is not in: {heard}");
    }
}

#[test]
fn buf_curl_learns_the_services_from_their_reflection_too() {
    let place = Place::with_tools();
    let dev = Dev::start();
    let line = "buf curl --protocol grpc --http2-prior-knowledge --header \"authorization: Bearer $HUBKEEP_HANDLE\" \
                --data '{\"clientSlug\":\"acme\",\"objectType\":\"contacts\",\"pageSize\":1}' \
                http://127.0.0.1:7402/hubkeep.crm.v1.ObjectService/ListObjects";
    let told = place.must_run(&dev.here(line), &[("HUBKEEP_HANDLE", &dev.handle)]);
    let answer: serde_json::Value =
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert_eq!(answer["reply"]["clientSlug"], "acme", "{told}");
}
