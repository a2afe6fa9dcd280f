//! Sealed bytes in `pass`, the standard Unix password manager: a program, which runs once for each question.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hubkeep_core::clock::SharedClock;
use hubkeep_seal::remote::RemoteError;

use super::config::PassConfig;

/// Where the programs are that `pass` runs.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);
/// The longest sentence that is told of it, in bytes.
const MAX_TOLD: u64 = 200;

/// A folder of a password store.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    config: PassConfig,
    folder: String,
    clock: SharedClock,
}

/// How the program ended.
struct Ended {
    good: bool,
    out: Vec<u8>,
    told: String,
}

impl Pass {
    pub(super) fn new(config: &PassConfig, deployment: &str, clock: SharedClock) -> Self {
        Self {
            config: config.clone(),
            folder: format!("hubkeep/{deployment}"),
            clock,
        }
    }

    /// The program overwrites without asking where nobody sits before it, so it is looked first. Names are never used
    /// twice; two who race for one do not exist.
    pub(super) async fn put(&self, name: &str, sealed: &[u8]) -> Result<(), RemoteError> {
        match self.get(name).await {
            Ok(_) => return Err(RemoteError::Taken),
            Err(RemoteError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        let text = format!("{}\n", BASE64.encode(sealed));
        let ended = self
            .run(&["insert", "--multiline"], name, text.into_bytes())
            .await?;
        ended.well()
    }

    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let ended = self.run(&["show"], name, Vec::new()).await?;
        if !ended.good && ended.told.contains("is not in the password store") {
            return Err(RemoteError::NotFound(ended.told));
        }
        let out = ended.out.trim_ascii().to_vec();
        ended.well()?;
        let sealed = BASE64.decode(out);
        sealed.map_err(|_| RemoteError::Nonsense("what lies there is not base64"))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), RemoteError> {
        let ended = self.run(&["rm", "--force"], name, Vec::new()).await?;
        if ended.told.contains("is not in the password store") {
            return Ok(());
        }
        ended.well()
    }

    /// The names are those of files; the program would draw a tree of them.
    pub(super) async fn list(&self) -> Result<Vec<String>, RemoteError> {
        let folder = self.config.folder.join(&self.folder);
        let unreadable = |error: std::io::Error| RemoteError::Credentials {
            file: folder.clone(),
            problem: error.to_string(),
        };
        let files = match std::fs::read_dir(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for file in files {
            let path = PathBuf::from(file.map_err(unreadable)?.file_name());
            if path.extension() == Some(OsStr::new("gpg")) {
                let name = path.file_stem().and_then(OsStr::to_str);
                names.extend(name.map(str::to_owned));
            }
        }
        Ok(names)
    }

    async fn run(&self, words: &[&'static str], name: &str, input: Vec<u8>) -> Result<Ended, RemoteError> {
        let mut command = Command::new(&self.config.program);
        command
            .args(words)
            .arg(format!("{}/{name}", self.folder))
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            .env("HOME", &self.config.gnupg_home)
            .env("GNUPGHOME", &self.config.gnupg_home)
            .env("PASSWORD_STORE_DIR", &self.config.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (clock, limit) = (self.clock.clone(), self.config.limit);
        let ran = tokio::task::spawn_blocking(move || ended(command, &input, &clock, limit));
        ran.await
            .map_err(|error| RemoteError::Unreachable(Box::new(error)))?
    }
}

impl Ended {
    fn well(self) -> Result<(), RemoteError> {
        if self.good {
            return Ok(());
        }
        Err(RemoteError::Refused {
            status: 0,
            told: self.told,
        })
    }
}

/// Runs the program to its end. What it is given and what it says is far smaller than what a pipe holds.
fn ended(
    mut command: Command,
    input: &[u8],
    clock: &SharedClock,
    limit: Duration,
) -> Result<Ended, RemoteError> {
    let lost = |error: std::io::Error| RemoteError::Unreachable(Box::new(error));
    let mut child = command.spawn().map_err(lost)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read ends by itself, or is ended below.
        let _ = stdin.write_all(input);
    }
    let began = clock.tick();
    let mut looks: u32 = 0;
    let status = loop {
        match child.try_wait().map_err(lost)? {
            Some(status) => break status,
            // Also by our own count, where a test holds the clock.
            None if clock.tick().since(began) >= limit || LOOK.saturating_mul(looks) >= limit => {
                give_up(&mut child);
                return Err(RemoteError::Silent(limit));
            }
            None => std::thread::sleep(LOOK),
        }
        looks = looks.saturating_add(1);
    };
    let (mut out, mut told) = (Vec::new(), Vec::new());
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut out).map_err(lost)?;
    }
    if let Some(stderr) = child.stderr.take() {
        stderr.take(MAX_TOLD).read_to_end(&mut told).map_err(lost)?;
    }
    let told = String::from_utf8_lossy(&told).replace(char::is_control, " ");
    Ok(Ended {
        good: status.success(),
        out,
        told: told.trim().to_owned(),
    })
}

fn give_up(child: &mut Child) {
    // It may end by itself just now.
    let _ = child.kill();
    let _ = child.wait();
}
