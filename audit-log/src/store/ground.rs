//! What a log in a file stands on: the very file that was opened, and its write-ahead log beside it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::DatabaseError;

/// The files of a log. SQLite makes the write-ahead log with the first connection, and removes it with the last: while one is open,
/// whoever removes it takes away what was committed since it was last brought over.
#[derive(Debug)]
pub(crate) struct Ground {
    files: [Opened; 2],
}

/// A file that was opened.
#[derive(Debug)]
struct Opened {
    file: PathBuf,
    device: u64,
    number: u64,
}

impl Ground {
    /// Of a file that is open.
    ///
    /// # Errors
    /// If it is not there, or its write-ahead log is not.
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        let mut beside = file.as_os_str().to_owned();
        beside.push("-wal");
        Ok(Self {
            files: [Opened::at(file)?, Opened::at(Path::new(&beside))?],
        })
    }

    /// # Errors
    /// If another file, or none, is where one that was opened was: whatever is written would be gone with it.
    pub(crate) fn is_there(&self) -> Result<(), DatabaseError> {
        let missed = self.files.iter().find(|opened| !opened.is_there());
        missed.map_or(Ok(()), |missed| Err(DatabaseError::Replaced(missed.file.clone())))
    }
}

impl Opened {
    fn at(file: &Path) -> io::Result<Self> {
        let found = fs::metadata(file)?;
        Ok(Self {
            file: file.to_owned(),
            device: found.dev(),
            number: found.ino(),
        })
    }

    fn is_there(&self) -> bool {
        let found = Self::at(&self.file);
        found.is_ok_and(|found| (found.device, found.number) == (self.device, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_that_was_moved_away_or_replaced_is_missed_and_is_good_again_when_it_is_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log.db");
        let files = [file.clone(), folder.path().join("log.db-wal")];
        let aside = folder.path().join("aside");
        for file in &files {
            fs::write(file, "one").expect("written");
        }
        let ground = Ground::of(&file).expect("there");
        for file in &files {
            ground.is_there().expect("there");
            let missed =
                || matches!(ground.is_there(), Err(DatabaseError::Replaced(which)) if which == *file);
            fs::rename(file, &aside).expect("moved");
            assert!(missed());
            fs::copy(&aside, file).expect("copied");
            assert!(missed());
            fs::rename(&aside, file).expect("moved back");
        }
        ground.is_there().expect("there again");
        fs::remove_file(&files[1]).expect("removed");
        Ground::of(&file).expect_err("a log that is open has both");
    }
}
