//! `hubkeep crm` on many records of a file, and on what cannot be undone: what became of each row is told, and the exit code
//! says whether some failed.

mod associations;
mod pipelines;

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use hubkeep_tests::{
    Allow, Handle, Hubkeep, Limits, World,
    support::{handles::EVERYTHING, processes::hubkeep_binary},
};
use serde_json::Value;

const A: &str = "client-0001";
const ANN: &str = "contact1@client-0001.example";

struct Bench {
    hubkeep: Hubkeep,
    handle: Handle,
}

impl Bench {
    async fn start() -> Self {
        let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
        hubkeep.onboard_all().await;
        let all = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
        let handle = hubkeep.handle(A).allow(all).issue().await;
        Self { hubkeep, handle }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.hubkeep.folder().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    async fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .arg("crm")
            .args(words)
            .args(["--as", "sync", "--crm-service", &self.hubkeep.crm_address()])
            .env("HUBKEEP_HANDLE", &self.handle.token)
            .stdin(Stdio::null());
        let ran = tokio::task::spawn_blocking(move || command.output());
        ran.await.expect("no panic").expect("it runs")
    }

    /// What a command says, line by line, if it ends like this.
    async fn lines(&self, words: &[&str], exit: i32) -> Vec<Value> {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let ran = self.run(&words).await;
        let (told, heard) = (text(&ran.stdout), text(&ran.stderr));
        assert_eq!(ran.status.code(), Some(exit), "{words:?}: {told}{heard}");
        told.lines()
            .map(|line| serde_json::from_str(line).expect("JSON on each line"))
            .collect()
    }

    async fn document(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let ran = self.run(&words).await;
        assert_eq!(ran.status.code(), Some(0), "{words:?}: {}", text(&ran.stderr));
        serde_json::from_slice(&ran.stdout).expect("JSON")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_a_file_is_written_and_told_by_itself() {
    let bench = Bench::start().await;
    let new = format!("email,firstname\na@new.example,\"Ann, A.\"\n{ANN},Bob\nc@new.example,\n");
    let new = bench.file("new.csv", &new);
    let made = bench.lines(&["batch", "create", A, "contacts", &new], 3).await;
    assert_eq!(made.len(), 3);
    assert_eq!(made[0]["result"]["object"]["properties"]["firstname"], "Ann, A.");
    assert_eq!(made[1]["row"], 2);
    assert_eq!(
        made[1]["result"]["error"]["reason"],
        "ERROR_REASON_OBJECT_CONFLICT"
    );
    let id = made[2]["result"]["object"]["object_id"]
        .as_str()
        .expect("an id")
        .to_owned();

    let changes = format!(
        "{{\"id\":\"{id}\",\"properties\":{{\"firstname\":\"Cy\"}}}}\n{{\"id\":102,\"properties\":{{\"lastname\":\"B\"}}}}\n"
    );
    let changes = bench.file("changes.jsonl", &changes);
    let changed = bench
        .lines(&["batch", "update", A, "contacts", &changes], 0)
        .await;
    assert_eq!(changed[0]["result"]["object"]["properties"]["firstname"], "Cy");

    let people = bench.file(
        "people.csv",
        &format!("id,lastname\n{ANN},First\nd@new.example,Second\n"),
    );
    let line = [
        "batch",
        "upsert",
        A,
        "contacts",
        &people,
        "--id-property",
        "email",
    ];
    let written = bench.lines(&line, 0).await;
    let created: Vec<bool> = written
        .iter()
        .map(|row| row["result"]["created"].as_bool().expect("told"))
        .collect();
    assert_eq!(created, [false, true]);

    let ids = bench.file("ids.csv", &format!("id,note\n{id},x\n999,y\n"));
    let line = ["batch", "read", A, "contacts", &ids, "--properties", "firstname"];
    let read = bench.lines(&line, 3).await;
    assert_eq!(read[0]["result"]["object"]["properties"]["firstname"], "Cy");
    assert_eq!(
        read[1]["result"]["error"]["reason"],
        "ERROR_REASON_OBJECT_NOT_FOUND"
    );
    let shown = bench.run(&line).await;
    assert_eq!(shown.status.code(), Some(3));
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("Cy") && shown.contains("OBJECT_NOT_FOUND"),
        "{shown}"
    );

    let one = bench.file("one.csv", &format!("id\n{id}\n"));
    let gone = bench.run(&["batch", "archive", A, "contacts", &one]).await;
    assert_eq!(gone.status.code(), Some(0), "{}", text(&gone.stderr));
    assert!(text(&gone.stdout).contains("archived"));
    bench.lines(&["batch", "read", A, "contacts", &one], 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let bench = Bench::start().await;
    let before = bench.hubkeep.hubspot_calls().len();
    let nothing = bench.file("nothing.csv", "email\n");
    let without_id = bench.file("without.csv", "firstname\nAnn\n");
    let broken = bench.file("broken.jsonl", "{\"id\":\"101\"\n");
    let many: String = (1..=1_001).map(|id| format!("{id}\n")).collect();
    let many = bench.file("many.csv", &format!("id\n{many}"));
    let again = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (line, told) in [
        (&["batch", "create", A, "contacts", &nothing][..], "holds no rows"),
        (
            &["batch", "update", A, "contacts", &without_id],
            "column is called id",
        ),
        (&["batch", "update", A, "contacts", &broken], "line 1"),
        (
            &["batch", "read", A, "contacts", "/no/such/file.csv"],
            "cannot be read",
        ),
        (
            &["batch", "archive", A, "contacts", &many, "--request-id", again],
            "--request-id is for one request",
        ),
    ] {
        let refused = bench.run(line).await;
        assert_eq!(refused.status.code(), Some(2), "{line:?}");
        let heard = text(&refused.stderr);
        assert!(heard.contains(told), "{line:?}: {heard}");
    }
    assert_eq!(bench.hubkeep.hubspot_calls().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_undone_is_done_only_by_who_says_so() {
    let bench = Bench::start().await;
    let before = bench.hubkeep.hubspot_calls().len();
    for line in [
        &["erase", A, "101"][..],
        &["merge", A, "contacts", "102", "103"],
        &["property", "archive", A, "contacts", "tier"],
    ] {
        let refused = bench.run(line).await;
        assert_eq!(refused.status.code(), Some(2), "{line:?}");
        assert!(text(&refused.stderr).contains("--yes"), "{line:?}");
    }
    assert_eq!(bench.hubkeep.hubspot_calls().len(), before, "nothing was sent");
    let merged = bench
        .document(&["merge", A, "contacts", "102", "103", "--yes"])
        .await;
    assert!(merged["object"]["object_id"].is_string(), "{merged}");
    bench.document(&["erase", A, "101", "--yes"]).await;
    let back = bench
        .run(&["create", A, "contacts", "--set", &format!("email={ANN}")])
        .await;
    assert_eq!(back.status.code(), Some(4));
    assert!(text(&back.stderr).contains("CONTACT_ERASED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_is_upserted_associated_and_taken_apart() {
    let bench = Bench::start().await;
    let upsert = ["upsert", A, "contacts", "z@new.example", "--id-property", "email"];
    let line: Vec<&str> = upsert.into_iter().chain(["--set", "firstname=Zoe"]).collect();
    let made = bench.document(&line).await;
    assert_eq!(made["results"][0]["created"], true);
    let company = bench
        .document(&["create", A, "companies", "--set", "name=Acme"])
        .await;
    let company = company["object"]["object_id"].as_str().expect("an id").to_owned();
    let other = format!("companies/{company}");
    bench
        .document(&["associate", A, "contacts/102", &other, "--label", "1"])
        .await;
    let there = bench
        .document(&["associations", A, "contacts/102", "companies"])
        .await;
    assert_eq!(there["records"][0]["object_id"], company.as_str());
    let labels = bench
        .document(&["associations", A, "contacts", "companies"])
        .await;
    let labels = labels["labels"].as_array().expect("a list").clone();
    assert!(labels.iter().any(|label| label["type_id"] == 1), "{labels:?}");
    let off = ["unlabel", A, "contacts/102", &other, "--label", "1"];
    let off = bench.document(&off).await;
    assert!(off["results"][0]["kinds"].is_object(), "{off}");
    let there = bench
        .document(&["associations", A, "contacts/102", "companies"])
        .await;
    let labels = there["records"][0]["labels"].as_array().expect("a list");
    assert!(labels.iter().all(|label| label["type_id"] != 1), "{labels:?}");
    bench.document(&["dissociate", A, "contacts/102", &other]).await;
    let there = bench
        .document(&["associations", A, "contacts/102", "companies"])
        .await;
    assert_eq!(there["records"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_listed_made_changed_and_archived() {
    let bench = Bench::start().await;
    let create = "property create client-0001 contacts tier --label Tier --type enumeration --field-type select \
                  --group contactinformation --option gold=Gold --option silver=Silver";
    let create: Vec<&str> = create.split_whitespace().collect();
    let made = bench.document(&create).await;
    assert_eq!(made["property"]["options"][1]["value"], "silver");
    bench
        .document(&["property", "update", A, "contacts", "tier", "--label", "Level"])
        .await;
    let shown = bench.run(&["properties", A, "contacts", "--name", "tier"]).await;
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("Level") && shown.contains("gold = Gold"),
        "{shown}"
    );
    let all = text(&bench.run(&["properties", A, "contacts"]).await.stdout);
    assert!(all.contains("tier") && all.contains("email"), "{all}");
    let wrong = bench
        .run(&["property", "update", A, "contacts", "tier", "--field-type", "bar"])
        .await;
    assert_eq!(wrong.status.code(), Some(4));
    assert!(
        text(&wrong.stderr).contains("--field-type"),
        "{}",
        text(&wrong.stderr)
    );
    bench
        .document(&["property", "archive", A, "contacts", "tier", "--yes"])
        .await;
    let gone = bench.run(&["properties", A, "contacts", "--name", "tier"]).await;
    assert_eq!(gone.status.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_an_empty_group_is_refused_and_an_owner_that_is_none_names_the_option() {
    let bench = Bench::start().await;
    let before = bench.hubkeep.hubspot_calls().len();
    for line in [
        &["search", A, "contacts", "--or"][..],
        &["search", A, "contacts", "--where", "email EQ a@b.example", "--or"],
    ] {
        let refused = bench.run(line).await;
        assert_eq!(refused.status.code(), Some(2), "{line:?}");
        assert!(text(&refused.stderr).contains("--or"), "{line:?}");
    }
    let refused = bench.run(&["owners", A, "--id", "olga"]).await;
    assert_eq!(refused.status.code(), Some(4));
    let heard = text(&refused.stderr);
    assert!(
        heard.contains("--id: must be HubSpot's id of the owner"),
        "{heard}"
    );
    assert_eq!(bench.hubkeep.hubspot_calls().len(), before);
}
