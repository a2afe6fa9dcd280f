//! A store of `pass` for one test, with a key of its own. Needs Debian's packages `pass` and `gnupg`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use hubkeep_credential_service::secret_store::{Config, PassConfig, StoreKind};
use tempfile::TempDir;

const KEY: &str = "hubkeep@test.example";

/// A password store, and the agent of its key, which ends with it.
pub(crate) struct PasswordStore(TempDir);

impl PasswordStore {
    pub(crate) fn new() -> Self {
        // A short path: the agent listens on a socket in it.
        let folder = tempfile::Builder::new()
            .prefix("hk")
            .tempdir_in("/tmp")
            .expect("a folder");
        let store = Self(folder);
        fs::create_dir(store.gnupg_home()).expect("made");
        fs::set_permissions(store.gnupg_home(), Permissions::from_mode(0o700)).expect("set");
        let make = [
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--quick-generate-key",
            KEY,
            "default",
            "default",
            "never",
        ];
        store.run("gpg", &make);
        store.run("pass", &["init", KEY]);
        store
    }

    /// The configuration of a service that puts new secrets here.
    pub(crate) fn config(&self, limit: Duration) -> Config {
        Config {
            store: StoreKind::Pass,
            pass: Some(PassConfig {
                folder: self.folder(),
                gnupg_home: self.gnupg_home(),
                limit,
                ..PassConfig::default()
            }),
            ..Config::default()
        }
    }

    /// A program that stands in the place of `pass`.
    pub(crate) fn program(&self, script: &str) -> PathBuf {
        let file = self.0.path().join("program");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o700)).expect("set");
        file
    }

    fn gnupg_home(&self) -> PathBuf {
        self.0.path().join("gnupg")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn run(&self, program: &str, words: &[&str]) {
        let output = Command::new(program)
            .args(words)
            .env("GNUPGHOME", self.gnupg_home())
            .env("PASSWORD_STORE_DIR", self.folder())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{program} does not run: {error}; apt-get install pass gnupg"));
        let heard = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {words:?}: {heard}");
    }
}

impl Drop for PasswordStore {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .args(["--kill", "gpg-agent"])
            .env("GNUPGHOME", self.gnupg_home())
            .status();
    }
}
