//! What lies on disk: files searched for bytes that must not be there, databases locked from outside.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use walkdir::WalkDir;

/// The files under `folder` that hold any of these needles, each with the needle found. Key files are searched too.
pub fn files_with<'a>(folder: &Path, needles: &'a [String]) -> Vec<(PathBuf, &'a str)> {
    assert!(
        needles.iter().all(|needle| needle.len() >= 8),
        "a needle too short to mean anything"
    );
    let mut found = Vec::new();
    for file in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if !file.file_type().is_file() {
            continue;
        }
        let bytes = fs::read(file.path()).expect("readable");
        let within = needles.iter().filter(|needle| holds(&bytes, needle.as_bytes()));
        found.extend(within.map(|needle| (file.path().to_owned(), needle.as_str())));
    }
    found
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Holds the write lock of a SQLite database until it is dropped, as a backup gone wrong would.
#[derive(Debug)]
pub struct WriteLock(Connection);

impl WriteLock {
    /// Takes the lock, waiting for writers that are at it.
    pub fn take(database: &Path) -> Self {
        let connection = Connection::open(database).expect("opens");
        connection.busy_timeout(crate::BOUND).expect("set");
        connection.execute_batch("BEGIN EXCLUSIVE").expect("locks");
        Self(connection)
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").expect("unlocks");
    }
}
