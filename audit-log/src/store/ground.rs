//! What a log in a file stands on: the very file that was opened.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::DatabaseError;

/// The file of a log.
#[derive(Debug)]
pub(crate) struct Ground {
    file: PathBuf,
    /// The device and the number of the file that was opened.
    opened: (u64, u64),
}

impl Ground {
    /// Of a file that is open.
    ///
    /// # Errors
    /// If the file is not there.
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        Ok(Self {
            file: file.to_owned(),
            opened: identity(file)?,
        })
    }

    /// # Errors
    /// If another file, or none, is where the one that was opened was: whatever is written would be gone with it.
    pub(crate) fn is_there(&self) -> Result<(), DatabaseError> {
        match identity(&self.file) {
            Ok(found) if found == self.opened => Ok(()),
            _ => Err(DatabaseError::Replaced(self.file.clone())),
        }
    }
}

fn identity(file: &Path) -> io::Result<(u64, u64)> {
    let found = fs::metadata(file)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_away_or_replaced_is_missed_and_is_good_again_when_it_is_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, aside) = (folder.path().join("log.db"), folder.path().join("aside.db"));
        fs::write(&file, "one").expect("written");
        let ground = Ground::of(&file).expect("there");
        ground.is_there().expect("there");
        fs::rename(&file, &aside).expect("moved");
        assert!(matches!(ground.is_there(), Err(DatabaseError::Replaced(_))));
        fs::copy(&aside, &file).expect("copied");
        assert!(matches!(ground.is_there(), Err(DatabaseError::Replaced(_))));
        fs::rename(&aside, &file).expect("moved back");
        ground.is_there().expect("there again");
    }
}
