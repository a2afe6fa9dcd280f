//! Where programs in other languages are prepared and run: copies under `target/interop`, each command with a bound.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

use hubkeep_tests::support::sources::{source, top};

/// How long a command may take. The first run downloads, and compiles gRPC for Go.
const BOUND: &str = "420";

/// What lies beside the sources when somebody works on them, and is not theirs.
const NOT_COPIED: [&str; 6] = ["node_modules", ".venv", "gen", "dist", "hubkeep", "__pycache__"];

/// The tools that are installed here, each by its command.
const BUF: &str =
    "npm install --silent --no-audit --no-fund --prefix buf @bufbuild/buf@${BUF_VERSION:-1.75.0}";
const GRPCURL: &str = "GOBIN=$PWD/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4";

/// One at a time prepares: they share two cores and the caches of their package managers.
static PREPARING: Mutex<()> = Mutex::new(());

/// A folder of the repository, copied to where it may be built in.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// `target/interop` itself, with buf and grpcurl installed.
    pub fn with_tools() -> Self {
        let place = Self {
            folder: interop_folder(),
        };
        static INSTALLED: OnceLock<()> = OnceLock::new();
        INSTALLED.get_or_init(|| {
            prepared(|| {
                place.must_run(BUF, &[]);
                place.must_run(GRPCURL, &[]);
            });
        });
        place
    }

    /// A copy of this folder of the repository, which finds proto/ where the original does. What was installed and
    /// generated there before is still there.
    pub fn copy_of(folder: &str) -> Self {
        // Once: a program of another test may be reading it.
        static PROTO: OnceLock<()> = OnceLock::new();
        let copy = interop_folder().join(folder);
        prepared(|| {
            PROTO.get_or_init(|| {
                synchronise(
                    &top().join("proto/hubkeep"),
                    &interop_folder().join("proto/hubkeep"),
                );
            });
            copy_files(&top().join(folder), &copy);
        });
        Self { folder: copy }
    }

    /// Runs commands that install or build. Panics with what they said if one fails.
    pub fn prepare(&self, commands: &[String]) {
        prepared(|| {
            commands
                .iter()
                .for_each(|command| drop(self.must_run(command, &[])))
        });
    }

    /// Runs a command of a README, in this environment too; gives what it said. Panics if it fails.
    pub fn must_run(&self, command: &str, environment: &[(&str, &str)]) -> String {
        let output = self.run(command, environment);
        let (told, heard) = said(&output);
        assert!(
            output.status.success(),
            "{command}: {}\n{told}\n{heard}",
            output.status
        );
        told
    }

    /// Runs a command of a README, however it ends.
    pub fn run(&self, command: &str, environment: &[(&str, &str)]) -> Output {
        let with_tools = format!("PATH=$INTEROP/bin:$INTEROP/buf/node_modules/.bin:$PATH\n{command}");
        Command::new("timeout")
            .args([
                "--kill-after=5",
                BOUND,
                "bash",
                "-euo",
                "pipefail",
                "-c",
                &with_tools,
            ])
            .current_dir(&self.folder)
            .env("INTEROP", interop_folder())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

/// What a command said on its two outputs.
pub fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The commands that a page of the repository shows, in order.
pub fn commands_of(page: &str) -> Vec<String> {
    let (mut commands, mut inside) = (Vec::new(), false);
    for line in source(page).text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && !line.is_empty() => commands.push(line.to_owned()),
            _ => {}
        }
    }
    assert!(!commands.is_empty(), "{page} shows no command");
    commands
}

fn prepared(what: impl FnOnce()) {
    let _turn = PREPARING.lock().unwrap_or_else(PoisonError::into_inner);
    what();
}

fn interop_folder() -> PathBuf {
    let folder = top().join("target/interop");
    fs::create_dir_all(&folder).expect("a folder in target");
    folder
}

/// Makes a copy that has nothing of an earlier one.
fn synchronise(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("removed");
    }
    copy_files(from, to);
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if source.is_file() {
            fs::copy(&source, &copy).expect("copied");
        } else if !NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
            copy_files(&source, &copy);
        }
    }
}
