//! The audit viewer in a real browser: Chromium without a window, which a script of Node leads from page to page. Run by
//! `make test-browser`, which needs chromium, node and npm.
//!
//! What is installed lies in `target/browser`, with pictures of the pages; nothing is written anywhere else.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use hubkeep_audit_log::{Draft, Operation, Outcome, Phase};
use hubkeep_core::{clock::SystemClock, id::CallId, random::SystemRandom};
use hubkeep_tests::{
    Hubkeep, Service, Setup, World,
    support::{handles::Handle, sources::top},
};
use tokio::task::block_in_place;

const A: &str = "client-0001";
const B: &str = "client-0002";
/// What another site, or an entry, would like to run.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
/// Where Debian and others put it.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Which browser there is.
fn browser() -> PathBuf {
    let path = std::env!("PATH");
    let found = path
        .split(':')
        .flat_map(|folder| BROWSERS.map(|name| Path::new(folder).join(name)))
        .find(|file| file.exists());
    found.unwrap_or_else(|| panic!("this test needs chromium: apt-get install chromium"))
}

/// The folder with the scripts and what they need: prepared once, for the tests run beside each other.
fn prepared() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = top().join("target/browser");
        fs::create_dir_all(&folder).expect("a folder in target");
        for file in fs::read_dir(top().join("tests/browser")).expect("a folder") {
            let file = file.expect("readable");
            fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
        }
        let installed = Command::new("npm")
            .args(["ci", "--silent", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .status();
        assert!(installed.expect("npm runs").success(), "npm ci failed");
        folder
    })
}

/// A script that leads a browser. It says a word a line, and goes on when it is answered.
struct Led {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Led {
    fn start(script: &str, variables: &[(&str, &str)]) -> Self {
        let folder = block_in_place(prepared);
        let mut child = Command::new("timeout")
            .args(["--kill-after=5", "240", "node", script])
            .current_dir(folder)
            .env("CHROMIUM", browser())
            .env("PICTURES", folder.join("pictures"))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let said = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, said }
    }

    /// Waits until it has said this.
    fn until(&mut self, word: &str) {
        let mut lines = self.said.by_ref().map_while(Result::ok);
        let found = block_in_place(|| lines.any(|line| line == word));
        assert!(
            found,
            "the script ended before it said {word:?}, and says why above"
        );
    }

    fn go_on(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        stdin.write_all(b"go on\n").expect("written");
    }

    /// Waits for its end, which must be success.
    fn ends_well(mut self) {
        let status = block_in_place(|| self.child.wait()).expect("waited");
        assert!(status.success(), "the script says what is wrong above: {status}");
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        // It has ended, unless a test has failed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_up() -> Setup {
    Hubkeep::over(World::of_portals(2)).crm(|config| {
        config.web.listen = Some(([127, 0, 0, 1], 0).into());
        config.audit.proofs.every = Duration::from_secs(1);
    })
}

/// A day's worth of entries: reads, writes, refusals, and one that a stranger wrote.
async fn lived_in(hubkeep: &Hubkeep) -> Handle {
    hubkeep.onboard_all().await;
    let of_b = hubkeep.handle(B).issue().await;
    let handle = hubkeep.handle(A).issue().await;
    for handle in [&of_b, &handle] {
        let crm = hubkeep.crm_as("sync").with(handle);
        crm.get("contacts", "101").await.expect("read");
        crm.list("companies").await.expect("listed");
        crm.get("contacts", "999999").await.expect_err("there is none");
        crm.update("contacts", "101", &[("firstname", "x")])
            .await
            .expect("written");
    }
    let foreign = hubkeep.crm_as("sync").with(&of_b).naming(A);
    foreign
        .get("contacts", "101")
        .await
        .expect_err("for another portal");
    let call = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
    let draft = Draft::system(Operation::Other, call)
        .object(HOSTILE, None)
        .subject(HOSTILE);
    let log = hubkeep.audit_log(Service::Crm);
    log.admin(draft, Outcome::ok()).await.expect("recorded");
    handle
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_filters_follows_live_and_opens_a_call_with_its_proof() {
    let hubkeep = set_up().start().await;
    let handle = lived_in(&hubkeep).await;
    let address = format!("http://{}", hubkeep.viewer_address());
    let mut led = Led::start("viewer.mjs", &[("VIEWER", &address), ("PORTAL", A), ("OTHER", B)]);
    led.until("following");
    let crm = hubkeep.crm_as("nightly-sync");
    let own = hubkeep.handle(A).for_caller("nightly-sync").issue().await;
    crm.with(&own).get("contacts", "102").await.expect("read");
    hubkeep
        .crm_as("sync")
        .with(&handle)
        .get("contacts", "102")
        .await
        .expect("read");
    led.go_on();
    led.ends_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_reads_it_in_an_operators_browser() {
    let hubkeep = set_up().start().await;
    lived_in(&hubkeep).await;
    let address = format!("http://{}", hubkeep.viewer_address());
    let led = Led::start("led.mjs", &[("VIEWER", &address), ("PORTAL", A)]);
    led.ends_well();
    let read = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let lists = read
        .iter()
        .filter(|entry| entry.operation() == Operation::AuditList);
    assert_eq!(lists.count(), 1, "only what the operator opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_comes_in_with_a_certificate_and_nobody_without() {
    let hubkeep = set_up().certificates().start().await;
    lived_in(&hubkeep).await;
    let address = format!("https://localhost:{}", hubkeep.viewer_address().port());
    let ann = hubkeep.certificates().of("operator/ann");
    let files = ann.environment(hubkeep.folder());
    let file = |name: &str| {
        let found = files.iter().find(|(variable, _)| variable == name);
        found.map(|(_, file)| file.as_str()).expect("written")
    };
    let variables = [
        ("VIEWER", address.as_str()),
        ("PORTAL", A),
        ("CERT", file("HUBKEEP_CERT")),
        ("KEY", file("HUBKEEP_KEY")),
    ];
    Led::start("certified.mjs", &variables).ends_well();
}
