//! Where PostgreSQL's programs are, and as whom they run: never as root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Debian's folder: one below it for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The user that Debian's package makes.
const USER: &str = "postgres";

const ADVICE: &str = "PostgreSQL is not installed, and these tests need it: \
     `apt-get install postgresql` (Debian), or put its folder `bin` on the PATH";

/// The folder with `initdb`, `postgres` and `psql`.
///
/// # Panics
/// If there is none, saying what to install.
pub(crate) fn folder() -> PathBuf {
    find().unwrap_or_else(|| panic!("{ADVICE}"))
}

/// Debian's newest version, else the first on the `PATH`.
pub(crate) fn find() -> Option<PathBuf> {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let newest_first = versions.into_iter().rev().map(|(_, folder)| folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest_first
        .chain(std::env::split_paths(&path))
        .find(|folder| holds_all(folder))
}

fn holds_all(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"]
        .iter()
        .all(|name| folder.join(name).exists())
}

/// A shell that runs as a user whom `initdb` and `postgres` accept.
pub(crate) fn shell() -> Command {
    if !is_root() {
        return Command::new("sh");
    }
    let mut command = Command::new("setpriv");
    command.args([
        &format!("--reuid={USER}"),
        &format!("--regid={USER}"),
        "--init-groups",
        "sh",
    ]);
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("`id` runs");
    output.stdout.trim_ascii() == b"0"
}
