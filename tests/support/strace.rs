//! strace, attached to a process: it makes system calls fail, or ends the process in the midst of one.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::NamedTempFile;

/// strace at work.
pub struct Strace {
    running: Child,
    told: NamedTempFile,
}

impl Strace {
    /// Attached to a process, to do what `injected` says at this system call, of all files or of these.
    pub fn attached(process: u32, name: &str, injected: &str, files: &[&Path]) -> Self {
        let told = NamedTempFile::new().expect("a file");
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-p", &process.to_string(), "-o"])
            .arg(told.path());
        strace.args(["-e", &format!("trace={name}"), "-e"]);
        strace.arg(format!("inject={name}:{injected}"));
        for file in files {
            strace.arg("-P").arg(file);
        }
        let running = running(&mut strace);
        Self { running, told }
    }

    /// Ends it, and the process goes on without it. Whether it has injected anything.
    pub fn detach(mut self) -> bool {
        let ended = Command::new("kill")
            .args(["-INT", &self.running.id().to_string()])
            .status();
        assert!(
            ended.is_ok_and(|status| status.success()),
            "strace is told to end"
        );
        self.running.wait().expect("it ends");
        let told = fs::read_to_string(self.told.path()).expect("strace wrote it");
        told.contains("(INJECTED)")
    }

    /// Waits until it ends with the process.
    pub fn wait(mut self) {
        self.running.wait().expect("strace ends with the process");
    }
}

fn running(strace: &mut Command) -> Child {
    let mut strace = strace
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace runs");
    let mut told = BufReader::new(strace.stderr.take().expect("piped")).lines();
    let is_attached = |line: Result<String, _>| line.is_ok_and(|line: String| line.contains("attached"));
    assert!(told.by_ref().any(is_attached), "strace did not attach");
    // What it says of further threads must not stop it for want of a reader.
    std::thread::spawn(move || told.for_each(drop));
    strace
}
