//! The official TypeScript client and the conformance suite of MCP against the real endpoint. Run by `make test-mcp`, which needs node and npm: what is installed
//! lies in `target/mcp`.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use hubkeep_proto::credential::v1::ConnectionState;
use hubkeep_tests::{
    World,
    support::{limited::Limited, sources::top},
};
use tokio::task::block_in_place;

const A: &str = "client-0001";

/// The folder with the scripts and what they need.
fn prepared() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(install)
}

fn install() -> PathBuf {
    let folder = top().join("target/mcp");
    fs::create_dir_all(&folder).expect("a folder in target");
    for file in fs::read_dir(top().join("tests/mcp")).expect("a folder") {
        let file = file.expect("readable");
        fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
    }
    let installed = Command::new("npm")
        .args(["ci", "--silent", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .status();
    assert!(installed.expect("npm runs").success(), "npm ci failed");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_signs_in_lists_the_tools_and_calls_them() {
    let folder = block_in_place(prepared);
    let hubkeep = Limited::with_people(World::of_portals(1)).await;
    hubkeep.connect(&[A], ConnectionState::Active);
    let session = hubkeep.session();
    let led = block_in_place(|| {
        Command::new("timeout")
            .args(["--kill-after=5", "120", "node_modules/.bin/node", "client.mjs"])
            .current_dir(folder)
            .env("HUBKEEP", format!("{}/mcp", hubkeep.issuer()))
            .env("SESSION", session)
            .output()
    });
    let led = led.expect("node runs");
    let said = String::from_utf8_lossy(&led.stdout) + String::from_utf8_lossy(&led.stderr);
    assert!(led.status.success(), "{said}");
}

/// The proxy that adds a token, as long as this lives, and where it listens.
struct Proxy(Child, u16);

impl Proxy {
    fn start(hubkeep: &Limited, token: &str) -> Self {
        let mut child = Command::new("node_modules/.bin/node")
            .arg("proxy.mjs")
            .current_dir(prepared())
            .env("HUBKEEP", format!("{}/mcp", hubkeep.issuer()))
            .env("TOKEN", token)
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        let said = child.stdout.take().expect("piped");
        BufReader::new(said).read_line(&mut line).expect("it listens");
        Self(child, line.trim().parse().expect("a port"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What of a revision's required scenarios does not pass stands in `expected-failures.yml`, with the reason: most call tools that only a
/// server made for the suite has.
#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_finds_nothing_that_is_not_explained() {
    let hubkeep = Limited::with_people(World::of_portals(1)).await;
    hubkeep.connect(&[A], ConnectionState::Active);
    let token = hubkeep.access_token(A, "/mcp", &["crm.read"]);
    let proxy = block_in_place(|| Proxy::start(&hubkeep, &token));
    for revision in ["2026-07-28", "2025-11-25"] {
        let url = format!("http://127.0.0.1:{}/mcp", proxy.1);
        let baseline = format!("expected-failures-{revision}.yml");
        let suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
        let run = block_in_place(|| {
            Command::new("timeout")
                .args([
                    "--kill-after=5",
                    "400",
                    "node_modules/.bin/node",
                    suite,
                    "server",
                    "--url",
                    &url,
                ])
                .args([
                    "--requirements",
                    revision,
                    "--expected-failures",
                    &baseline,
                    "--timeout",
                    "8000",
                ])
                .current_dir(prepared())
                .output()
        });
        let run = run.expect("node runs");
        let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{revision}: {said}");
    }
}
