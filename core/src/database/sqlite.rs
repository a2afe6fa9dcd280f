//! SQLite: one file for one machine.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, path::Path};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What every connection is set to: a commit is on disk when it returns, writers wait for each other.
pub(super) const SESSION: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;";

pub(super) fn is_url(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// The file that a `sqlite://` URL names, to the letter; `None` for other databases, and for one without a file.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let file = url.strip_prefix("sqlite://")?;
    (!file.is_empty() && !file.starts_with(':')).then(|| Path::new(file))
}

/// Makes a file and its folder where there are none, for nobody else to read. What SQLite lays beside a database has
/// the same mode as the database.
///
/// # Errors
/// If it cannot be made.
pub fn make_private(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)?;
    Ok(())
}

/// What a path may hold and a URL may not.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b'"')
    .add(b'<')
    .add(b'>');

/// The URL by which the driver finds the file, whatever its path holds.
pub(super) fn driver_url(file: &Path) -> io::Result<String> {
    let absolute = std::path::absolute(file)?;
    let path = absolute
        .to_str()
        .ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    Ok(format!("sqlite://{}?mode=rw", utf8_percent_encode(path, ESCAPED)))
}
