//! Where the secrets are planted: both services and the command, as processes, and all that they write.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use hubkeep_core::random::SystemRandom;
use hubkeep_seal::FileKek;
use hubkeep_test_postgres::{Fresh, Own};
use hubkeep_tests::{
    World,
    support::{
        processes::{Process, credential_service_binary, crm_service_binary, hubkeep_binary, serve},
        wait::wait_until,
    },
};
use hubspot_sim::{AppSpec, InstallSpec, Simulator};

pub(super) const PORTALS: usize = 60;
/// Of the portals, those whose clients connected our OAuth app: every so many-th.
const CONNECTED: usize = 10;
const APP: &str = "00000000-0000-4000-8000-0000000000aa";
pub(super) const APP_SECRET: &str = "canary-of-the-app-0000";

/// Both services and the command, as processes, and all that they write.
pub(super) struct Stage {
    pub(super) hubspot: Simulator,
    pub(super) world: World,
    /// What they keep, and what they say.
    pub(super) kept: tempfile::TempDir,
    /// What they are given: the keys, the clients.
    pub(super) given: tempfile::TempDir,
    addresses: [String; 2],
    pub(super) running: Vec<Process>,
    pub(super) secrets: Vec<(String, Vec<u8>)>,
    pub(super) postgres: Option<Own>,
    pub(super) databases: Vec<Fresh>,
    results: usize,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens").port()
}

impl Stage {
    pub(super) fn new(postgres: bool) -> Self {
        let mut world = World::of_portals(u32::try_from(PORTALS).expect("few"));
        for portal in world.portals.iter_mut().step_by(CONNECTED) {
            let consent = format!("na1-canary-{}-consent", portal.slug);
            portal.installs.push(InstallSpec::new(APP, consent));
        }
        let world = world.app(AppSpec::new(APP, APP_SECRET, 77));
        // A server of its own, whose files hold nothing else.
        let postgres = postgres.then(|| Own::start(&[]));
        let fresh = |name: &str| postgres.as_ref().map(|server| server.fresh(name));
        let names = [
            "canary_credential",
            "canary_credential_audit",
            "canary_crm",
            "canary_crm_audit",
        ];
        let stage = Self {
            hubspot: Simulator::start(world.clone()).expect("the simulator starts"),
            world,
            kept: tempfile::tempdir().expect("a folder"),
            given: tempfile::tempdir().expect("a folder"),
            addresses: [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}")),
            running: Vec::new(),
            secrets: Vec::new(),
            databases: names.into_iter().filter_map(fresh).collect(),
            postgres,
            results: 0,
        };
        stage.configure();
        stage
    }

    fn configure(&self) {
        for (number, service) in ["credential-service", "crm-service"].into_iter().enumerate() {
            let key = |version: u32| self.given.path().join(format!("{service}-{version}.kek"));
            for version in [1, 2] {
                FileKek::create(&key(version), &*SystemRandom::shared()).expect("made");
            }
            let own = match service {
                "crm-service" => format!("[credentials]\nurl = \"http://{}\"\n", self.addresses[0]),
                _ => format!(
                    "[hubspot.app]\nclient_id = \"{APP}\"\nclient_secret_file = \"{}\"\n",
                    self.app_secret().display()
                ),
            };
            let text = format!(
                "deployment = \"test\"\n[grpc]\nlisten = \"{}\"\n[telemetry]\nfilter = \"trace\"\n\
                 [hubspot]\napi_base = \"{}\"\n[database]\n{}[audit]\n{}\
                 [keys]\nkek_file = \"{}\"\n[[keys.kek]]\nversion = 2\nfile = \"{}\"\n{}",
                self.addresses[number],
                self.hubspot.base_url(),
                self.database(number * 2, &format!("{service}.db")),
                self.database(number * 2 + 1, &format!("{service}-audit.db")),
                key(1).display(),
                key(2).display(),
                own
            );
            fs::write(self.given.path().join(format!("{service}.toml")), text).expect("written");
        }
    }

    /// The file with the secret of our app, which is made.
    fn app_secret(&self) -> PathBuf {
        let file = self.given.path().join("app-secret");
        if !file.exists() {
            fs::write(&file, APP_SECRET).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("set");
        }
        file
    }

    fn database(&self, number: usize, file: &str) -> String {
        match self.databases.get(number) {
            Some(fresh) => format!(
                "url = \"{}\"\npassword_file = \"{}\"\n",
                fresh.url,
                fresh.password_file.display()
            ),
            None => format!("url = \"sqlite://{}/{file}\"\n", self.kept.path().display()),
        }
    }

    pub(super) async fn start(&mut self) {
        let binaries: [&Path; 2] = [credential_service_binary(), crm_service_binary()];
        for (service, binary) in ["credential-service", "crm-service"].into_iter().zip(binaries) {
            let config = self.given.path().join(format!("{service}.toml"));
            let log = File::options()
                .create(true)
                .append(true)
                .open(self.kept.path().join(format!("{service}.log")))
                .expect("opened");
            let said = log.try_clone().expect("cloned");
            let mut command = where_crashes_leave_their_memory(&serve(binary, &config));
            command.current_dir(self.kept.path());
            command.stdin(Stdio::null()).stdout(said).stderr(log);
            self.running.push(Process::started(service, &mut command));
            wait_until("it serves", Duration::from_secs(60), async || {
                let healthy = Command::new(binary)
                    .args(["health", "--config"])
                    .arg(&config)
                    .stderr(Stdio::null())
                    .status();
                healthy.is_ok_and(|status| status.success())
            })
            .await;
        }
    }

    pub(super) fn plant(&mut self, name: impl Into<String>, secret: impl Into<Vec<u8>>) {
        self.secrets.push((name.into(), secret.into()));
    }

    pub(super) fn run(&self, words: &[&str], handle: &str, caller: &str) -> Output {
        Command::new(hubkeep_binary())
            .args(words)
            .args(["--as", caller])
            .env(
                "HUBKEEP_CREDENTIAL_SERVICE",
                format!("http://{}", self.addresses[0]),
            )
            .env("HUBKEEP_CRM_SERVICE", format!("http://{}", self.addresses[1]))
            .env("HUBKEEP_HANDLE", handle)
            .stdin(Stdio::null())
            .output()
            .expect("it runs")
    }

    /// Runs the command, and keeps what it says among what is searched.
    pub(super) fn result(&mut self, words: &[&str], handle: &str, caller: &str, code: i32) {
        let output = self.run(words, handle, caller);
        let heard = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {heard}");
        self.results += 1;
        let file = |end: &str| self.kept.path().join(format!("result-{}.{end}", self.results));
        fs::write(file("out"), &output.stdout).expect("written");
        fs::write(file("err"), &output.stderr).expect("written");
    }
}

/// The command, run where the system lets a process that crashes leave its memory in a file.
fn where_crashes_leave_their_memory(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}
