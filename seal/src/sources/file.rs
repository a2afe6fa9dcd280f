//! A key-encryption key that lies in a file: 32 bytes which only their owner may read and nobody may write.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use futures::future::{BoxFuture, FutureExt as _};
use hubkeep_core::random::{Random, RandomError};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    kek::{Kek, KekError},
    key::{KEY_LEN, Key},
};

/// The one mode a key file may have: its owner reads, and nobody does anything else.
const MODE: u32 = 0o400;

/// A key file that cannot be used. The message says what to do.
#[derive(Debug, Error)]
pub enum FileKekError {
    /// It is not there, or cannot be read.
    #[error(
        "the key file {path} cannot be read: for a first start make it with `<service> keys create`; a lost key cannot \
         be made again"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read it, or somebody may write it.
    #[error("the key file {path} has mode {mode:04o}, and only its owner may read it: chmod 400 {path}")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is something else than a file.
    #[error("{path} is not a regular file: name a file of 32 bytes")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// It does not hold one key.
    #[error("the key file {path} must hold exactly 32 raw bytes, no text and no line end")]
    Length {
        /// The file.
        path: PathBuf,
    },
    /// It holds what nobody has drawn at random: one byte, over and over.
    #[error(
        "the key file {path} holds no key but one byte 32 times: make a key with `<service> keys create`, or put the \
         right file there"
    )]
    NotRandom {
        /// The file.
        path: PathBuf,
    },
    /// A new one could not be made.
    #[error("the key file {path} could not be made")]
    NotMade {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is one already.
    #[error("{path} is there already, and a key file is never overwritten: what it seals would be lost")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There was no randomness for a new one.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A key-encryption key from a file.
#[derive(Debug)]
pub struct FileKek {
    id: String,
    key: Key,
}

impl FileKek {
    /// Reads a key file: exactly 32 raw bytes, mode 0400.
    ///
    /// # Errors
    /// If it cannot be read, has another mode or another length, or holds one byte 32 times.
    pub fn open(path: &Path) -> Result<Self, FileKekError> {
        let unreadable = |source| FileKekError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        // Asked of the open file, not of the path: what was checked is what is read.
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(FileKekError::NotAFile {
                path: path.to_owned(),
            });
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode != MODE {
            return Err(FileKekError::Mode {
                path: path.to_owned(),
                mode,
            });
        }
        let bytes = read(file).map_err(unreadable)?;
        let key = Key::from_bytes(&bytes).ok_or_else(|| FileKekError::Length {
            path: path.to_owned(),
        })?;
        if bytes.iter().all(|byte| bytes.first() == Some(byte)) {
            return Err(FileKekError::NotRandom {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            id: format!("file/{}", key.name()),
            key,
        })
    }

    /// Makes a key file of mode 0400 with a new key, and the folder for it. Never overwrites one.
    ///
    /// # Errors
    /// If the file is there already or cannot be made.
    pub fn create(path: &Path, random: &dyn Random) -> Result<Self, FileKekError> {
        let key = Key::make(random)?;
        write_new(path, key.bytes()).map_err(|source| not_made(path.to_owned(), source))?;
        Self::open(path)
    }

    /// Opens the key file, or makes it where there is none. For development: elsewhere a key that is missing is a
    /// fault, not an occasion.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(path: &Path, random: &dyn Random) -> Result<Self, FileKekError> {
        if path.exists() {
            return Self::open(path);
        }
        tracing::warn!(file = %path.display(), "making a new key-encryption key");
        Self::create(path, random)
    }
}

fn not_made(path: PathBuf, source: io::Error) -> FileKekError {
    if source.kind() == io::ErrorKind::AlreadyExists {
        return FileKekError::Exists { path };
    }
    FileKekError::NotMade { path, source }
}

impl Kek for FileKek {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        aad: &'a [u8],
        random: &'a dyn Random,
    ) -> BoxFuture<'a, Result<Vec<u8>, KekError>> {
        let wrapped = self.key.encrypt(aad, key, random);
        std::future::ready(wrapped.map_err(|error| KekError::Unavailable(Box::new(error)))).boxed()
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        aad: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KekError>> {
        let key = self.key.decrypt(aad, wrapped).ok();
        let key = key.and_then(|bytes| Key::from_bytes(&bytes));
        let key = key.map(|key| Zeroizing::new(*key.bytes()));
        std::future::ready(key.ok_or(KekError::Refused)).boxed()
    }
}

/// The file's bytes, and one more than a key has if there are more.
fn read(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LEN + 1));
    let limit = u64::try_from(KEY_LEN + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use hubkeep_core::random::SystemRandom;
    use tempfile::TempDir;

    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn file(folder: &TempDir, bytes: &[u8], mode: u32) -> PathBuf {
        let path = folder.path().join(format!("kek-{}-{mode:o}", bytes.len()));
        fs::write(&path, bytes).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("mode set");
        path
    }

    #[test]
    fn only_mode_0400_is_accepted_and_the_error_says_what_to_do() {
        let folder = TempDir::new().expect("folder");
        for mode in [0o440, 0o644, 0o600, 0o404, 0o500, 0o700] {
            let path = file(&folder, KEY, mode);
            let error = FileKek::open(&path).expect_err("refused");
            let advice = format!("chmod 400 {}", path.display());
            assert!(error.to_string().contains(&advice), "{mode:o}: {error}");
        }
        FileKek::open(&file(&folder, KEY, 0o400)).expect("accepted");
    }

    #[test]
    fn only_32_bytes_are_accepted() {
        let folder = TempDir::new().expect("folder");
        for length in [0, 31, 33, 64] {
            let path = file(&folder, &vec![7; length], 0o400);
            assert!(
                matches!(FileKek::open(&path), Err(FileKekError::Length { .. })),
                "{length}"
            );
        }
    }

    #[test]
    fn one_byte_over_and_over_is_no_key() {
        for byte in [0, b'0', 0xff] {
            let folder = TempDir::new().expect("folder");
            let error = FileKek::open(&file(&folder, &[byte; 32], 0o400)).expect_err("refused");
            assert!(matches!(error, FileKekError::NotRandom { .. }), "{error}");
            assert!(error.to_string().contains("keys create"), "{error}");
        }
    }

    #[test]
    fn a_missing_file_and_a_folder_are_refused() {
        let folder = TempDir::new().expect("folder");
        let missing = FileKek::open(&folder.path().join("none"));
        assert!(matches!(missing, Err(FileKekError::Unreadable { .. })));
        assert!(matches!(
            FileKek::open(folder.path()),
            Err(FileKekError::NotAFile { .. })
        ));
    }

    #[test]
    fn a_made_key_reads_back_and_is_never_overwritten() {
        let folder = TempDir::new().expect("folder");
        let path = folder.path().join("deep/kek");
        let random = SystemRandom::shared();
        let made = FileKek::create(&path, &*random).expect("made");
        assert_eq!(FileKek::open(&path).expect("opens").id(), made.id());
        assert!(matches!(
            FileKek::create(&path, &*random),
            Err(FileKekError::Exists { .. })
        ));
        assert_eq!(FileKek::open(&path).expect("opens").id(), made.id());
    }

    #[test]
    fn printing_it_shows_its_name_only() {
        let folder = TempDir::new().expect("folder");
        let kek = FileKek::open(&file(&folder, KEY, 0o400)).expect("opens");
        let printed = format!("{kek:?}");
        assert!(
            printed.contains("[redacted]") && !printed.contains("0123456789"),
            "{printed}"
        );
    }
}
