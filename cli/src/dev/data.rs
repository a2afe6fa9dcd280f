//! The directory in which development keeps everything: databases, logs, and the local keys.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use hubkeep_core::random::Random;
use hubkeep_seal::FileKek;

use crate::errors::Error;

/// A data directory, ready for both services.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Makes the directory and the services' key files where there are none.
    ///
    /// # Errors
    /// If it cannot be made, or a key file in it cannot be used.
    pub(crate) fn open(path: &Path, random: &dyn Random) -> Result<Self, Error> {
        let unusable = |why: String| {
            Error::Usage(format!(
                "the data directory {} cannot be used: {why}",
                path.display()
            ))
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| unusable(error.to_string()))?;
        let data = Self {
            path: path.to_owned(),
        };
        for service in ["credential-service", "crm-service"] {
            let file = data.key_file(service);
            FileKek::open_or_create(&file, random).map_err(|error| unusable(error.to_string()))?;
        }
        Ok(data)
    }

    /// Holds the directory to one HubSpot: a token of a real portal must never be sent to another address, nor to the
    /// simulator.
    ///
    /// # Errors
    /// If the directory has served another HubSpot before.
    pub(crate) fn serve_only(&self, hubspot: &str) -> Result<(), Error> {
        let file = self.path.join("hubspot");
        match fs::read_to_string(&file) {
            Ok(before) if before.trim() == hubspot => Ok(()),
            Ok(before) => Err(Error::Usage(format!(
                "the data directory {} belongs to {}: its tokens must not be sent to {hubspot}; name another with \
                 --data-dir",
                self.path.display(),
                before.trim()
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(fs::write(&file, format!("{hubspot}\n"))?)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn key_file(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}.kek"))
    }

    pub(super) fn database(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}.db"))
    }

    pub(super) fn audit_log(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}-audit.db"))
    }

    pub(super) fn sample_csv(&self) -> PathBuf {
        self.path.join("sample-clients.csv")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use hubkeep_core::random::SystemRandom;

    use super::*;

    #[test]
    fn keys_are_made_once_with_mode_0400_and_are_each_services_own() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let random = SystemRandom::shared();
        let data = DataDir::open(&folder.path().join("data"), &*random).expect("made");
        let keys = ["credential-service", "crm-service"].map(|service| data.key_file(service));
        let first = keys.clone().map(|file| std::fs::read(file).expect("reads"));
        assert_ne!(first[0], first[1]);
        for file in &keys {
            let mode = std::fs::metadata(file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o400);
        }
        DataDir::open(data.path(), &*random).expect("opened again");
        assert_eq!(keys.map(|file| std::fs::read(file).expect("reads")), first);
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_a_usage_error() {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        let error = DataDir::open(file.path(), &*SystemRandom::shared()).expect_err("no directory");
        assert!(matches!(error, Error::Usage(_)), "{error}");
    }
}
