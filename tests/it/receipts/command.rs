//! The operator's command hands receipts on.

use std::process::Command;

use hubkeep_tests::support::processes::hubkeep_binary;
use serde_json::Value;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_command_gives_receipts_to_programs_and_tells_people_that_there_is_one() {
    let (hubkeep, _, _) = hubkeep().await;
    let handle = hubkeep.handle(A).issue().await;
    let run = async |more: &[&str]| {
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args([
                "crm",
                "update",
                A,
                "contacts",
                "--set",
                "firstname=Ann",
                "--as",
                "sync",
            ])
            .args(["--crm-service", &hubkeep.crm_address()])
            .args(more)
            .env("HUBKEEP_HANDLE", &handle.token);
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        ran.expect("no panic").expect("it runs")
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let done = text(&run(&["101", "--json"]).await.stdout);
    let done: Value = serde_json::from_str(&done).expect("JSON");
    Promise::of(done["reply"]["receipts"][0].as_str().expect("a receipt"));
    let refused = run(&["999"]).await;
    let told = text(&refused.stderr);
    assert!(told.contains("receipt  the service has signed"), "{told}");
    assert!(!told.contains("hubkeep receipt/1"), "{told}");
    let refused = text(&run(&["999", "--json"]).await.stdout);
    let refused: Value = serde_json::from_str(&refused).expect("JSON");
    Promise::of(
        refused["error"]["metadata"]["receipt"]
            .as_str()
            .expect("a receipt"),
    );
}
