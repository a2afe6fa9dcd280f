//! AWS as moto has it, a program from PyPI that `make test-keys` installs below `target/keys`. It runs as a process of its
//! own, which ends when this is dropped.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Starts moto on a free port, says which, and ends when nobody holds its standard input any more.
const SCRIPT: &str = "
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
";

/// An AWS.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// One, running. Takes a second or two.
    pub fn start() -> Self {
        let mut child = Command::new(python())
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut line = String::new();
        let mut told = BufReader::new(child.stdout.take().expect("piped"));
        told.read_line(&mut line).expect("it says its port");
        let port: u16 = line.trim().parse().expect("a port");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Runs a program in Python, which has `s3`, boto3's client of it. Gives what it prints.
    pub fn boto(&self, program: &str) -> String {
        let client = format!(
            "import boto3\ns3 = boto3.client('s3', endpoint_url='{}', region_name='eu-central-1', \
             aws_access_key_id='test', aws_secret_access_key='test')\n",
            self.url
        );
        let ran = Command::new(python())
            .args(["-c", &format!("{client}{program}")])
            .output()
            .expect("python starts");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).expect("text")
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one that has moto.
fn python() -> PathBuf {
    let python = top().join("target/keys/venv/bin/python");
    assert!(
        python.exists(),
        "{} is not there: make test-keys",
        python.display()
    );
    python
}

/// The repository.
fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
