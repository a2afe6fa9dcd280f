//! The repository's own files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

/// A text file of the repository.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path from the top of the repository, with slashes.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Its lines, numbered from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// The top of the repository.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a folder above")
        .to_owned()
}

/// The files whose name ends like this, without what is built.
pub fn sources(suffix: &str) -> Vec<Source> {
    let top = top();
    let entries = WalkDir::new(&top)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !(name.starts_with('.') || name == "target" || name == "node_modules")
        });
    let files = entries
        .map(|entry| entry.expect("readable"))
        .filter(|entry| entry.file_type().is_file());
    let wanted = files.filter(|file| file.path().to_string_lossy().ends_with(suffix));
    let found: Vec<Source> = wanted.map(|file| read(&top, file.path())).collect();
    assert!(
        !found.is_empty(),
        "no file ends in {suffix}: the search is broken"
    );
    found
}

/// One file, by its path from the top of the repository.
pub fn source(path: &str) -> Source {
    let top = top();
    read(&top, &top.join(path))
}

fn read(top: &Path, file: &Path) -> Source {
    let path = file
        .strip_prefix(top)
        .expect("below")
        .to_string_lossy()
        .replace('\\', "/");
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"));
    Source { path, text }
}
