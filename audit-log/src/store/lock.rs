//! One process at a time writes to a log: a second one would take the intents of the first for lost.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use hubkeep_core::database::make_private;

use crate::Error;

/// Held as long as the log is open; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock beside this file, making its folder if need be.
    pub(super) fn take(file: &Path) -> Result<Self, Error> {
        let mut path = file.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        make_private(&path)
            .and_then(|()| make_private(file))
            .map_err(failed)?;
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path)),
            Err(TryLockError::Error(source)) => Err(Error::Lock { path, source }),
        }
    }
}
