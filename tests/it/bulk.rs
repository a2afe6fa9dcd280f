//! Many clients at once, from a file, by the real command against the real service; whatever is killed in between.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use hubkeep_tests::{
    Fault, FaultRule, Limits, World, eventually,
    support::{
        keeping::Keeping,
        processes::{Process, credential_service_binary, credential_service_config, hubkeep_binary, serve},
    },
};
use hubspot_sim::Simulator;
use tempfile::TempDir;

const CLIENTS: u32 = 40;

/// A simulator of so many portals, and the file that names them all.
struct Stage {
    folder: TempDir,
    keeping: Keeping,
    hubspot: Simulator,
    tokens: Vec<String>,
}

impl Stage {
    fn set(keeping: Keeping) -> Self {
        let world = World::of_portals(CLIENTS).limits(&Limits::unlimited());
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = "clientSlug,portalToken,portalId\n".to_owned();
        let mut tokens = Vec::new();
        for portal in &world.portals {
            let token = portal.first_token().expect("it has one");
            file.push_str(&format!("{},{token},{}\n", portal.slug, portal.portal_id));
            tokens.push(token.to_owned());
        }
        fs::write(folder.path().join("clients.csv"), file).expect("written");
        let hubspot = Simulator::start(world).expect("the simulator starts");
        hubspot.inject(FaultRule::new(Fault::Slow { ms: 20 }));
        Self {
            folder,
            keeping,
            hubspot,
            tokens,
        }
    }

    fn service(&self) -> (Process, String) {
        let config = credential_service_config(self.folder.path(), &self.hubspot.base_url(), &self.keeping);
        Process::listening(
            "credential-service",
            &mut serve(credential_service_binary(), &config),
        )
    }

    fn hubkeep(&self, address: &str, words: &[&str]) -> Command {
        let mut command = Command::new(hubkeep_binary());
        command
            .args(words)
            .args(["--credential-service", address])
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn import(&self, address: &str, results: &str) -> Command {
        self.hubkeep(address, &["import", "clients.csv", "--results", results])
    }

    /// How many requests HubSpot has received.
    fn asked(&self) -> usize {
        self.hubspot.journal().len()
    }
}

/// What became of each row, as the result file has it: how many rows have each outcome.
fn outcomes(file: &Path) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(file).expect("a result file");
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    let mut header = lines.next().expect("a header").split(',');
    let place = header.position(|name| name == "outcome").expect("the column");
    for line in lines {
        let outcome = line.split(',').nth(place).expect("an outcome").to_owned();
        *found.entry(outcome).or_default() += 1;
    }
    found
}

/// Of how many rows a file tells that may not be there yet.
fn told_of(file: &Path) -> usize {
    fs::read_to_string(file).map_or(0, |text| text.lines().count().saturating_sub(1))
}

fn run(command: &mut Command) -> Output {
    command.output().expect("hubkeep runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_in_the_middle_of_an_import_nothing_is_lost_and_nothing_doubled_on_sqlite() {
    killed_in_the_middle(&Stage::set(Keeping::Files)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_in_the_middle_of_an_import_nothing_is_lost_and_nothing_doubled_on_postgresql() {
    killed_in_the_middle(&Stage::set(Keeping::fresh_on_postgres())).await;
}

async fn killed_in_the_middle(stage: &Stage) {
    let (service, address) = stage.service();
    // The service is killed while rows are verified: the command says which rows have no answer.
    let first = Command::spawn(
        stage
            .import(&address, "first.csv")
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let mut first = first.expect("hubkeep runs");
    eventually!(stage.asked() >= 30);
    service.kill();
    let ended = first.wait().expect("it ends");
    assert_eq!(ended.code(), Some(5), "the service is not reached any more");
    let told = outcomes(&stage.folder.path().join("first.csv"));
    assert!(told.get("UNANSWERED").is_some_and(|rows| *rows > 0), "{told:?}");

    // The command is killed: the service goes on as if nothing were. What the command knew by then is in the partial
    // file, and results from before are as they were.
    let (_service, address) = stage.service();
    let earlier = "row,of an earlier run\n";
    fs::write(stage.folder.path().join("second.csv"), earlier).expect("written");
    let before = stage.asked();
    let second = Process::started(
        "hubkeep import",
        stage
            .import(&address, "second.csv")
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let partial = stage.folder.path().join("second.csv.partial");
    eventually!(stage.asked() >= before + 10 && told_of(&partial) > 0);
    second.kill();
    let kept = fs::read_to_string(stage.folder.path().join("second.csv")).expect("reads");
    assert_eq!(kept, earlier);
    assert!(!outcomes(&partial).contains_key("REFUSED"));

    let last = run(&mut stage.import(&address, "last.csv"));
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    let told = outcomes(&stage.folder.path().join("last.csv"));
    assert!(
        told.keys()
            .all(|outcome| ["ONBOARDED", "UNCHANGED"].contains(&outcome.as_str())),
        "{told:?}"
    );
    assert_eq!(told.values().sum::<usize>(), CLIENTS as usize);
    assert!(
        told.get("UNCHANGED").is_some_and(|rows| *rows > 0),
        "what was done is not done again: {told:?}"
    );

    let listed = run(&mut stage.hubkeep(&address, &["portals", "--json"]));
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let portals = listed["portals"].as_array().expect("a list");
    assert_eq!(portals.len(), CLIENTS as usize);
    for portal in portals {
        assert_eq!(portal["credential_version"], 1, "{portal}");
        assert_eq!(
            portal["credentials"].as_array().map(Vec::len),
            Some(1),
            "{portal}"
        );
    }
    let asked = stage.asked();
    let again = run(&mut stage.import(&address, "again.csv"));
    assert!(again.status.success());
    assert_eq!(
        outcomes(&stage.folder.path().join("again.csv")),
        [("UNCHANGED".to_owned(), 40)].into()
    );
    assert_eq!(stage.asked(), asked, "what is known is not asked again");

    for file in ["first.csv", "last.csv", "again.csv"] {
        let text = fs::read_to_string(stage.folder.path().join(file)).expect("reads");
        assert!(
            stage.tokens.iter().all(|token| !text.contains(token.as_str())),
            "{file} holds a token"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_verifies_every_row_and_stores_none_and_details_come_from_a_file() {
    let stage = Stage::set(Keeping::Files);
    let (_service, address) = stage.service();
    let dry = run(stage.import(&address, "dry.csv").arg("--dry-run"));
    assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
    assert_eq!(
        outcomes(&stage.folder.path().join("dry.csv")),
        [("WOULD_ONBOARD".to_owned(), 40)].into()
    );
    let listed = run(&mut stage.hubkeep(&address, &["portals", "--json"]));
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert!(listed["portals"].as_array().is_some_and(Vec::is_empty));

    let details = "[client-0001]\ncontroller_name = \"First GmbH\"\ntags = [\"gold\"]\n";
    fs::write(stage.folder.path().join("details.toml"), details).expect("written");
    let imported = run(stage
        .import(&address, "results.csv")
        .args(["--details", "details.toml"]));
    assert!(imported.status.success());
    let known = async |slug: &str| {
        let shown = run(&mut stage.hubkeep(&address, &["portals", "show", slug, "--json"]));
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        shown["portal"]["details"]["controller_name"].clone()
    };
    assert_eq!(known("client-0001").await, "First GmbH");
    assert!(known("client-0002").await.is_null());
    let changed = "[client-0002]\ncontroller_name = \"Second GmbH\"\n";
    fs::write(stage.folder.path().join("details.toml"), changed).expect("written");
    let updated = run(&mut stage.hubkeep(&address, &["portals", "update", "--details", "details.toml"]));
    assert!(
        updated.status.success(),
        "{}",
        String::from_utf8_lossy(&updated.stderr)
    );
    assert_eq!(known("client-0002").await, "Second GmbH");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stopped_says_of_every_row_of_the_file_what_is_known() {
    let stage = Stage::set(Keeping::Files);
    let (_service, address) = stage.service();
    let results = stage.folder.path().join("results.csv");
    let mut import = stage.import(&address, "results.csv");
    import.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
    let importing = import.spawn().expect("hubkeep runs");
    let partial = stage.folder.path().join("results.csv.partial");
    eventually!(told_of(&partial) >= 5);
    assert!(!results.exists(), "they take their name in the end");
    let pid = importing.id().to_string();
    let stopped = Command::new("kill").args(["-INT", &pid]).status();
    assert!(stopped.expect("kill runs").success());
    let ended = importing.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");

    let told = outcomes(&results);
    assert_eq!(told.values().sum::<usize>(), CLIENTS as usize, "{told:?}");
    assert!(told["UNANSWERED"] > 0 && told["ONBOARDED"] >= 5, "{told:?}");
    assert!(!partial.exists());
    let said = String::from_utf8(ended.stdout).expect("text");
    let documents: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("a document a line"))
        .collect();
    let (last, rows) = documents.split_last().expect("documents");
    assert_eq!(rows.len(), CLIENTS as usize);
    assert_eq!(last["summary"]["unanswered"], told["UNANSWERED"]);
    assert!(
        last["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("same file again"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn details_that_were_not_taken_are_told_and_a_client_that_is_refused_stands_in_no_others_way() {
    let stage = Stage::set(Keeping::Files);
    let (_service, address) = stage.service();
    let details = |text: &str| {
        fs::write(stage.folder.path().join("details.toml"), text).expect("written");
    };
    let import = |results: &str| {
        let mut import = stage.import(&address, results);
        run(import.args(["--details", "details.toml"]))
    };
    details("[client-0001]\nregion = \"DE\"\n[nobody]\nregion = \"US\"\n");
    let first = import("first.csv");
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(3), "{told}");
    assert!(told.contains("nobody") && !told.contains("client-0001"), "{told}");

    details("[client-0001]\nregion = \"US\"\n[client-0002]\n");
    assert!(import("second.csv").status.success());
    let text = fs::read_to_string(stage.folder.path().join("second.csv")).expect("reads");
    let differ: Vec<&str> = text.lines().filter(|line| line.contains("differs")).collect();
    assert_eq!(differ.len(), 1, "{text}");
    assert!(
        differ[0].contains("client-0001,")
            && differ[0].contains("(region)")
            && differ[0].contains("UNCHANGED"),
        "{differ:?}"
    );

    details(
        "[a-nobody]\nregion = \"US\"\n[client-0001]\nregion = \"US\"\n[client-0002]\ntags = [\"gold\"]\n",
    );
    let update = run(&mut stage.hubkeep(&address, &["portals", "update", "--details", "details.toml"]));
    let told = String::from_utf8_lossy(&update.stdout).into_owned();
    assert_eq!(update.status.code(), Some(3), "{told}");
    assert!(
        told.contains("2 updated") && told.contains("a-nobody is refused"),
        "{told}"
    );
    for (slug, line) in [("client-0001", "region"), ("client-0002", "gold")] {
        let shown = run(&mut stage.hubkeep(&address, &["portals", "show", slug]));
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains(line), "{shown}");
    }
}
