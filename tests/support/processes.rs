//! The real binaries, as processes of their own. Dropping one kills it, and only it.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use hubkeep_core::random::SystemRandom;
use hubkeep_seal::FileKek;

use super::{keeping::Keeping, sources::top, wait::wait_until};

/// The binary credential-service, built once for all tests.
pub fn credential_service_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("hubkeep-credential-service", "credential-service"))
}

/// The simulator's binary, built once for all tests.
pub fn hubspot_sim_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("hubspot-sim", "hubspot-sim"))
}

/// The binary crm-service, built once for all tests.
pub fn crm_service_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("hubkeep-crm-service", "crm-service"))
}

/// The same with points at which it ends itself: see `core/src/dying.rs`. Under another name, so that it is in nobody's way.
pub fn dying_crm_service_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = built_with(
            "hubkeep-crm-service",
            "crm-service",
            &["--features", "hubkeep-crm-service/dying"],
        );
        let dying = built.with_file_name("crm-service-dying");
        fs::rename(built, &dying).expect("renamed");
        dying
    })
}

/// The operator's command, built once for all tests.
pub fn hubkeep_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("hubkeep", "hubkeep"))
}

/// Cargo builds the binaries of a package only for its own tests, so they are asked for here. Together with the library
/// of the tests, which stands on everything: so whatever both stand on has the same features and the same profile as in
/// this process, and is not compiled a second time.
fn built(package: &str, name: &str) -> PathBuf {
    let clouds: &[&str] = match cfg!(feature = "clouds") {
        true => &["--features", "hubkeep-tests/clouds"],
        false => &[],
    };
    built_with(package, name, &[&["--lib"], clouds].concat())
}

/// The same; without `--lib` for a binary with a feature that this process does not have.
fn built_with(package: &str, name: &str, more: &[&str]) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--message-format=json",
            "-p",
            env!("CARGO_PKG_NAME"),
            "-p",
            package,
            "--bin",
            name,
        ])
        .args(more)
        .current_dir(top())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{name} was not built");
    let messages = String::from_utf8(output.stdout).expect("text");
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let file = message.get("executable")?.as_str()?;
        Some(PathBuf::from(file))
    });
    executables
        .next_back()
        .unwrap_or_else(|| panic!("cargo named no executable for {name}"))
}

/// A process that was started here.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts it as it is.
    pub fn started(name: &str, command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            child,
            name: name.to_owned(),
        }
    }

    /// Starts it and waits for the line in which it says where it listens; gives the address, too.
    pub fn listening(name: &str, command: &mut Command) -> (Self, String) {
        let (process, mut said) = Self::saying(name, command, &["listening on "]);
        (process, format!("http://{}", said.remove(0)))
    }

    /// Starts it and waits until it has said a line that begins with each of these words, in this order; gives what
    /// follows them.
    pub fn saying(name: &str, command: &mut Command, words: &[&str]) -> (Self, Vec<String>) {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Self::started(name, command);
        let (stdout, stderr) = (process.child.stdout.take(), process.child.stderr.take());
        let mut stderr = stderr.expect("piped");
        let mut lines = BufReader::new(stdout.expect("piped"))
            .lines()
            .map_while(Result::ok);
        let mut said = Vec::new();
        for word in words {
            let found =
                lines.find_map(|line| line.trim().strip_prefix(word).map(|rest| rest.trim().to_owned()));
            let Some(rest) = found else {
                let mut heard = String::new();
                let _ = stderr.read_to_string(&mut heard);
                panic!(
                    "{name} ended and did not say {word:?}: {:?}\n{heard}",
                    process.child.wait()
                );
            };
            said.push(rest);
        }
        // What it says from now on is nobody's business, but must not stop it for want of a reader.
        thread::spawn(move || io::copy(&mut stderr, &mut io::sink()));
        thread::spawn(move || lines.for_each(drop));
        (process, said)
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to look at its files again: by SIGHUP.
    pub fn ask_to_look_again(&self) {
        self.signal("-HUP");
    }

    /// Asks it to stop, as a supervisor does: by SIGTERM.
    pub fn ask_to_stop(&self) {
        self.signal("-TERM");
    }

    /// Ends it as a fault of its own would, where the system writes down its memory if it may.
    pub fn abort(mut self) {
        self.signal("-ABRT");
        let status = self.child.wait();
        assert!(status.is_ok(), "{} cannot be waited for: {status:?}", self.name);
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.id().to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "{} is there",
            self.name
        );
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_some()
    }

    /// Waits until it has ended by itself, as it should: with success.
    pub async fn ends_within(&mut self, bound: Duration) {
        let mut status = None;
        wait_until(&format!("{} has ended", self.name), bound, async || {
            status = self.child.try_wait().expect("it can be asked");
            status.is_some()
        })
        .await;
        assert!(
            status.is_some_and(|status| status.success()),
            "{}: {status:?}",
            self.name
        );
    }

    /// Ends it without warning, as `kill -9` does. When this returns, it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// The same, for a process whose place is taken by another later.
    pub fn end(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let status = self.child.wait();
        assert!(status.is_ok(), "{} cannot be waited for: {status:?}", self.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// What crm-service needs to run as a process: its configuration and its key, in a folder. Each read is made by itself, where
/// calls are counted.
pub fn crm_service_config(folder: &Path, credential_service: &str, hubspot: &str) -> PathBuf {
    crm_service_config_on(folder, credential_service, hubspot, &Keeping::Files)
}

/// The same with its data and its log elsewhere.
pub fn crm_service_config_on(
    folder: &Path,
    credential_service: &str,
    hubspot: &str,
    keeping: &Keeping,
) -> PathBuf {
    let key = folder.join("crm-service.kek");
    if !key.exists() {
        FileKek::create(&key, &*SystemRandom::shared()).expect("a new key file");
    }
    let text = format!(
        "deployment = \"test\"\n\
         [grpc]\nlisten = \"127.0.0.1:0\"\n{1}\
         [keys]\nkek_file = \"{0}/crm-service.kek\"\n\
         [credentials]\nurl = \"{credential_service}\"\n\
         [coalesce]\nwindow = \"0s\"\n\
         [hubspot]\napi_base = \"{hubspot}\"\n",
        folder.display(),
        keeping.sections(folder, "crm-service")
    );
    let file = folder.join("crm-service.toml");
    fs::write(&file, text).expect("written");
    file
}

/// What credential-service needs to run as a process: its configuration and its key, in a folder.
pub fn credential_service_config(folder: &Path, hubspot: &str, keeping: &Keeping) -> PathBuf {
    let key = folder.join("credential-service.kek");
    if !key.exists() {
        FileKek::create(&key, &*SystemRandom::shared()).expect("a new key file");
    }
    let text = format!(
        "deployment = \"test\"\n\
         [grpc]\nlisten = \"127.0.0.1:0\"\n{1}\
         [keys]\nkek_file = \"{0}/credential-service.kek\"\n\
         [hubspot]\napi_base = \"{hubspot}\"\n",
        folder.display(),
        keeping.sections(folder, "credential-service")
    );
    let file = folder.join("credential-service.toml");
    fs::write(&file, text).expect("written");
    file
}

/// The command that serves this configuration.
pub fn serve(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(config).arg("--dev");
    command
}
