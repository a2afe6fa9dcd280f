//! Which file is whose: processes that share a folder take the first that nobody has, and what others have left there.

use std::path::{Path, PathBuf};

use super::{MOST, error::Error, file::SpillFile};
use crate::Error as LogError;

/// Where the files are, and whose they are.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) folder: PathBuf,
    /// What their names begin with.
    pub(super) name: String,
    /// "<deployment>/<service>".
    pub(super) owner: String,
    pub(super) size: u64,
}

impl Slots {
    /// The file of this process, and those in which processes that are gone have left something.
    pub(super) fn take(&self) -> Result<(SpillFile, Vec<SpillFile>), Error> {
        let (mut own, mut left) = (None, Vec::new());
        for number in 1..=MOST {
            let Some(file) = SpillFile::find(&self.path(number), &self.owner)? else {
                continue;
            };
            match own {
                None => own = Some(file),
                Some(_) if file.is_empty() => {}
                Some(_) => left.push(file),
            }
        }
        match own {
            Some(own) => Ok((own, left)),
            None => Ok((self.make()?, left)),
        }
    }

    /// A new file for this process.
    pub(super) fn make(&self) -> Result<SpillFile, Error> {
        for number in 1..=MOST {
            if let Some(file) = SpillFile::make(&self.path(number), &self.owner, self.size)? {
                return Ok(file);
            }
        }
        Err(Error::AllTaken(self.folder.clone()))
    }

    fn path(&self, number: usize) -> PathBuf {
        let name: &Path = self.name.as_ref();
        self.folder.join(format!("{}-spill-{number}", name.display()))
    }
}

/// Does what has to do with files where it keeps no worker of the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, LogError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // The runtime ends, or the work has failed in a way that has nothing to do with files.
        Err(ended) => Err(Error::Thread(ended.into()).into()),
    }
}
