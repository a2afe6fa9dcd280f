//! The server of this process, and the shell that ends it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Lines, Read as _, Write as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use crate::{ROLE, binaries};

/// Another process may take the free port between our look and the server's start; then the next is tried.
const ATTEMPTS: u32 = 5;

/// A running server. It ends with the pipe, which the system closes with the process.
#[derive(Debug)]
pub(crate) struct Server {
    binaries: PathBuf,
    port: u16,
    folder: PathBuf,
    password: String,
    shell: Mutex<Shell>,
}

/// The shell that runs the server: how it is spoken to, and what it says.
#[derive(Debug)]
struct Shell {
    pipe: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    /// Waits until the server is ready, and gives its folder; or what was said instead.
    fn ready(&mut self) -> Result<PathBuf, String> {
        let mut said = String::new();
        for line in &mut self.lines {
            let line = line.map_err(|error| error.to_string())?;
            if let Some(folder) = line.strip_prefix("ready ") {
                return Ok(PathBuf::from(folder));
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(said)
    }
}

impl Server {
    pub(crate) fn start(settings: &[&str]) -> Self {
        let binaries = binaries::folder();
        let password = random_password();
        let mut said = String::new();
        for _ in 0..ATTEMPTS {
            let port = free_port();
            match serve(&binaries, port, &password, settings) {
                Ok((folder, shell)) => {
                    let server = Self {
                        binaries,
                        port,
                        folder,
                        password,
                        shell: Mutex::new(shell),
                    };
                    server.make_role();
                    return server;
                }
                Err(why) => said = why,
            }
        }
        panic!("PostgreSQL does not start:\n{said}");
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    pub(crate) fn create_database(&self, name: &str) {
        self.run(&format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0"));
    }

    /// Ends the server by this signal, and starts it again.
    pub(crate) fn restart(&self, signal: &str) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(shell.pipe, "{signal}").expect("the shell runs");
        if let Err(said) = shell.ready() {
            panic!("PostgreSQL does not start again:\n{said}");
        }
    }

    fn make_role(&self) {
        self.run(&format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{}'", self.password));
    }

    /// Runs a statement as the superuser.
    fn run(&self, statement: &str) {
        let output = Command::new(self.binaries.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--host=127.0.0.1",
                "--username=postgres",
            ])
            .args(["--set=ON_ERROR_STOP=1", "--dbname=postgres"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--command={statement}"))
            .env("PGPASSWORD", &self.password)
            .stdin(Stdio::null())
            .output()
            .expect("`psql` runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "PostgreSQL refused: {said}");
    }
}

/// Starts the shell that runs the server; gives the server's folder and the shell, on whose pipe its life hangs.
fn serve(binaries: &Path, port: u16, password: &str, settings: &[&str]) -> Result<(PathBuf, Shell), String> {
    let mut child = binaries::shell()
        .args(["-c", include_str!("serve.sh"), "serve"])
        .arg(binaries)
        .arg(port.to_string())
        .args(settings)
        // Who runs it may not enter the folder of the test; and ctrl-C is for the test, which then ends the pipe.
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut shell = Shell {
        pipe: child.stdin.take().expect("piped"),
        lines: BufReader::new(child.stdout.take().expect("piped")).lines(),
    };
    writeln!(shell.pipe, "{password}").map_err(|error| error.to_string())?;
    let folder = shell.ready()?;
    Ok((folder, shell))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}

fn random_password() -> String {
    let mut bytes = [0; 16];
    let mut source = File::open("/dev/urandom").expect("a source of chance");
    source.read_exact(&mut bytes).expect("read");
    hex::encode(bytes)
}
