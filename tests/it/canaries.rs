//! Two hundred secrets go through both services and the command, and are nowhere afterwards: not in databases and their
//! write-ahead logs, not in the files of the PostgreSQL server, not in dumps, not in logs at the level trace, not in
//! results, not in what a panic says; and a crash leaves no image of the memory, in which they would be.

mod stage;

use std::{fs, panic, path::PathBuf, process::Command, time::Duration};

use hubkeep_core::{handle_token::HandleToken, secret::PortalToken};
use hubkeep_tests::support::{
    canaries::{Canaries, disguised},
    portals::OPERATOR,
};

use stage::{APP_SECRET, PORTALS, Stage};

/// Tokens that no portal has.
const REFUSED: usize = 10;
/// Values, searches and addresses of people.
const PERSONAL: usize = 30;

#[test]
fn a_secret_is_found_in_every_disguise() {
    let secret = b"pat-na1-canary+of/a=token?@1";
    let canaries = Canaries::planted(&[("the token".to_owned(), secret.to_vec())]);
    for (disguise, text) in disguised(secret) {
        let noise = [b"before ".as_slice(), &text, b" after"].concat();
        assert!(!canaries.in_bytes(&noise).is_empty(), "{disguise}");
    }
    assert!(canaries.in_bytes(b"pat-na1-canary").is_empty());
}

impl Stage {
    /// The clients, their tokens, and some tokens that nobody has.
    fn clients(&mut self) -> PathBuf {
        let mut rows = String::from("clientSlug,portalToken,portalId,credentialKind\n");
        self.plant("the secret of the app", APP_SECRET);
        for portal in self.world.portals.clone() {
            let (token, kind) = match portal.installs.first() {
                Some(install) => (install.refresh_token.clone(), "oauth"),
                None => (
                    portal.first_token().expect("it has one").to_owned(),
                    "private_app",
                ),
            };
            rows.push_str(&format!("{},{token},{},{kind}\n", portal.slug, portal.portal_id));
            self.plant(format!("the token of {}", portal.slug), token);
        }
        for number in 0..REFUSED {
            let token = format!("pat-na1-0badcafe-0000-4000-8000-{number:012}");
            rows.push_str(&format!("refused-{number},{token},,\n"));
            self.plant(format!("refused token {number}"), token);
        }
        let file = self.given.path().join("clients.csv");
        fs::write(&file, rows).expect("written");
        file
    }

    fn handle(&mut self, slug: &str) -> String {
        let words = [
            "handle",
            "issue",
            slug,
            "--allow",
            "get,list,search,create,update",
            "--types",
            "contacts",
            "--purpose",
            "canary",
        ];
        let output = self.run(&words, "", "sync");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let handle = String::from_utf8(output.stdout).expect("text").trim().to_owned();
        self.plant(format!("the handle for {slug}"), handle.clone());
        // The first half of a handle would be as bad as the whole.
        self.plant(format!("half the handle for {slug}"), &handle.as_bytes()[..30]);
        handle
    }

    fn use_it_all(&mut self) {
        let clients = self.clients();
        let file = clients.display().to_string();
        self.result(&["import", &file, "--json"], "", OPERATOR, 3);
        self.result(&["import", &file], "", OPERATOR, 3);
        self.result(&["portals", "--json"], "", OPERATOR, 0);
        self.result(&["portals", "verify", "client-0001"], "", OPERATOR, 0);
        let grant = [
            "grants",
            "put",
            "sync",
            "--caller",
            "sync",
            "--all-portals",
            "--allow",
            "get,list,search,create,update",
            "--types",
            "contacts",
        ];
        self.result(&grant, "", OPERATOR, 0);
        self.result(&["grants", "--json"], "", OPERATOR, 0);
        let handles: Vec<String> = (1..=PORTALS)
            .map(|number| self.handle(&format!("client-{number:04}")))
            .collect();
        for (number, handle) in handles.iter().take(PERSONAL).enumerate() {
            let (value, search) = (
                format!("canary-value-{number:04}"),
                format!("canary-search-{number:04}"),
            );
            let email = format!("canary-{number:04}@person.example");
            self.plant(format!("value {number}"), value.clone());
            self.plant(format!("search {number}"), search.clone());
            self.plant(format!("address {number}"), email.clone());
            let slug = format!("client-{:04}", number + 1);
            let set = [format!("email={email}"), format!("firstname={value}")];
            let create = [
                "crm", "create", &slug, "contacts", "--set", &set[0], "--set", &set[1],
            ];
            let words = ["crm", "search", &slug, "contacts", "--query", &search];
            for words in [create.as_slice(), &words] {
                let output = self.run(words, handle, "sync");
                let heard = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{words:?}: {heard}");
            }
        }
        self.fail_in_every_way(&handles);
        self.result(&["keys", "rotate"], "", OPERATOR, 0);
        self.result(&["keys", "status", "--probe", "--json"], "", OPERATOR, 0);
        self.result(&["audit", "list", "--limit", "1000", "--json"], "", OPERATOR, 0);
    }

    /// What is refused says why, and shows nothing.
    fn fail_in_every_way(&mut self, handles: &[String]) {
        let get = |slug: &'static str| ["crm", "get", slug, "contacts", "101"];
        self.result(&get("client-0002"), &handles[0], "sync", 4);
        self.result(&get("client-0001"), &handles[0], "agent", 4);
        let cut = &handles[0][..handles[0].len() - 1];
        self.result(&get("client-0001"), cut, "sync", 4);
        self.result(&["handle", "introspect", &handles[1], "--json"], "", "sync", 0);
        self.result(&["handle", "revoke", &handles[1]], "", "sync", 0);
        self.result(&get("client-0002"), &handles[1], "sync", 4);
        self.result(&["handle", "list", "client-0001", "--json"], "", "sync", 0);
        let taken = [
            "crm",
            "create",
            "client-0001",
            "contacts",
            "--set",
            "email=canary-0000@person.example",
        ];
        self.result(&taken, &handles[0], "sync", 4);
    }

    /// What the databases hold, as their own tool writes it.
    fn dump(&self) {
        for (number, fresh) in self.databases.iter().enumerate() {
            let dumped = Command::new("pg_dump")
                .args(["--no-password", &fresh.url])
                .env("PGPASSWORD", &fresh.password)
                .output()
                .expect("pg_dump runs");
            let heard = String::from_utf8_lossy(&dumped.stderr);
            assert!(dumped.status.success(), "{heard}");
            fs::write(self.kept.path().join(format!("dump-{number}.sql")), dumped.stdout).expect("written");
        }
    }

    fn assert_nothing_is_found(&self, canaries: &Canaries, when: &str) {
        self.dump();
        let (mut found, searched) = canaries.below(self.kept.path());
        if let Some(server) = &self.postgres {
            let (in_files, searched) = canaries.below(server.folder());
            assert!(searched > 10_000_000, "{when}: these are not the server's files");
            found.extend(in_files);
        }
        assert!(
            searched > 1_000_000,
            "{when}: only {searched} bytes were there to be searched"
        );
        assert!(found.is_empty(), "{when}: {found:#?}");
    }
}

/// What a panic says about things that hold secrets.
fn panics(stage: &Stage) {
    let (_, token) = stage.secrets.first().expect("planted");
    let token = PortalToken::new(String::from_utf8(token.clone()).expect("text"));
    let handle = stage
        .secrets
        .iter()
        .find(|(name, _)| name.starts_with("the handle"));
    let handle = String::from_utf8(handle.expect("planted").1.clone()).expect("text");
    let handle = HandleToken::parse(&handle).expect("whole");
    let said = panic::catch_unwind(panic::AssertUnwindSafe(|| panic!("{token:?} {handle:?}")));
    let said = said.expect_err("it panics");
    let said = said.downcast_ref::<String>().expect("a text");
    fs::write(stage.kept.path().join("panic.txt"), said).expect("written");
}

async fn two_hundred_secrets_are_nowhere(postgres: bool) {
    let mut stage = Stage::new(postgres);
    stage.start().await;
    stage.use_it_all();
    panics(&stage);
    for service in ["credential-service", "crm-service"] {
        for version in [1, 2] {
            let key = stage.given.path().join(format!("{service}-{version}.kek"));
            stage.plant(
                format!("key {version} of {service}"),
                fs::read(key).expect("read"),
            );
        }
    }
    let canaries = Canaries::planted(&stage.secrets);
    assert!(canaries.len() >= 200, "{} were planted", canaries.len());

    // The search works: what may be there is found.
    let slug = Canaries::planted(&[("a slug".to_owned(), b"\"client-0001\"".to_vec())]);
    assert!(!slug.below(stage.kept.path()).0.is_empty());

    stage.assert_nothing_is_found(&canaries, "while they run");
    // Crashed, they leave write-ahead logs behind.
    for process in stage.running.drain(..) {
        process.abort();
    }
    if let Some(server) = &stage.postgres {
        // Stopped in order, it writes down what it had in memory; and what may be there is found.
        server.restart();
        let id = format!("portal/{}/token/", stage.world.portals[0].portal_id).into_bytes();
        let id = Canaries::planted(&[("the id of a secret".to_owned(), id)]);
        assert!(!id.below(server.folder()).0.is_empty());
    }
    stage.assert_nothing_is_found(&canaries, "after they crashed");
    stage.start().await;
    let mut running = std::mem::take(&mut stage.running);
    for process in running.iter_mut().rev() {
        process.ask_to_stop();
        process.ends_within(Duration::from_secs(30)).await;
    }
    stage.assert_nothing_is_found(&canaries, "after they stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_secrets_are_nowhere_on_sqlite() {
    two_hundred_secrets_are_nowhere(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_secrets_are_nowhere_on_postgresql() {
    two_hundred_secrets_are_nowhere(true).await;
}
