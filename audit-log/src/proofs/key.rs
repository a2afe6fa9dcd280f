//! The log key: an Ed25519 key of a service's own, with which its checkpoints are signed. It seals nothing, and no
//! key-encryption key has to do with it.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use hubkeep_core::random::{Random, RandomError};
use signed_note::{Note, Signer, StandardSigner, new_ed25519_verifier_key};
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

use crate::Identity;

/// Bytes of an Ed25519 seed.
const SEED: usize = 32;
/// The number of the algorithm Ed25519 in a note's keys.
const ED25519: u8 = 1;

/// A log key that cannot be used. The message says what to do.
#[derive(Debug, ThisError)]
pub enum LogKeyError {
    /// It is not there, or cannot be read.
    #[error("the log key {} cannot be read: make it once with `head -c 32 /dev/urandom`, and chmod 400", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner may do something with it.
    #[error("the log key {} has mode {mode:04o}, and only its owner may read it: chmod 400", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It does not hold one key.
    #[error("the log key {} must hold exactly 32 random bytes, no text and no line end", .0.display())]
    NotAKey(PathBuf),
    /// The log was signed before, and its key is gone.
    #[error(
        "the log was signed before, and its key {} is gone: put it back, or make another and name it as \
         audit.proofs.key_file",
        .0.display()
    )]
    Lost(PathBuf),
    /// A new one could not be made.
    #[error("the log key {} could not be made", path.display())]
    NotMade {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The name of the service makes no name of a key.
    #[error("the deployment's name cannot be the name of a key: it has a space or a plus in it")]
    Name,
    /// No randomness for a new one.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The keys that sign: the present one, and while clients learn it, the one before.
pub(crate) struct LogKeys {
    signers: Vec<StandardSigner>,
    verifier_keys: Vec<String>,
}

impl fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKeys").field(&self.verifier_keys).finish()
    }
}

impl LogKeys {
    /// Reads the keys in these files. The name of each is "<deployment>/<service>".
    pub(crate) fn read(identity: &Identity, files: &[&Path]) -> Result<Self, LogKeyError> {
        let name = format!("{}/{}", identity.deployment, identity.service);
        let (mut signers, mut verifier_keys) = (Vec::new(), Vec::new());
        for file in files {
            let seed = seed(file)?;
            let (signer, verifier_key) = signer(&name, &seed)?;
            signers.push(signer);
            verifier_keys.push(verifier_key);
        }
        Ok(Self {
            signers,
            verifier_keys,
        })
    }

    /// What their signatures are verified with.
    pub(super) fn verifier_keys(&self) -> &[String] {
        &self.verifier_keys
    }

    /// A text as a note that all of them have signed; `None` if the text can be no note's.
    pub(super) fn sign(&self, text: &[u8]) -> Option<String> {
        let mut note = Note::new(text, &[]).ok()?;
        let signers: Vec<&dyn Signer> = self.signers.iter().map(|signer| signer as &dyn Signer).collect();
        note.add_sigs(&signers).ok()?;
        String::from_utf8(note.to_bytes()).ok()
    }
}

/// Makes a key file of mode 0400, and the folder for it. Never overwrites one.
pub(crate) fn make(path: &Path, random: &dyn Random) -> Result<(), LogKeyError> {
    let seed = Zeroizing::new(random.bytes::<SEED>()?);
    let made = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(path)?;
        file.write_all(seed.as_slice())?;
        file.sync_all()
    };
    made().map_err(|source| LogKeyError::NotMade {
        path: path.to_owned(),
        source,
    })
}

fn seed(path: &Path) -> Result<Zeroizing<[u8; SEED]>, LogKeyError> {
    let unreadable = |source| LogKeyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, not of the path: what was checked is what is read.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(LogKeyError::Mode {
            path: path.to_owned(),
            mode,
        });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(SEED + 1));
    file.take(SEED as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let seed = <[u8; SEED]>::try_from(bytes.as_slice());
    let seed = seed.map_err(|_| LogKeyError::NotAKey(path.to_owned()))?;
    if seed.iter().all(|byte| seed.first() == Some(byte)) {
        return Err(LogKeyError::NotAKey(path.to_owned()));
    }
    Ok(Zeroizing::new(seed))
}

/// A seed as a signer of notes, and what its signatures are verified with.
fn signer(name: &str, seed: &[u8; SEED]) -> Result<(StandardSigner, String), LogKeyError> {
    let verifier_key = new_ed25519_verifier_key(name, &SigningKey::from_bytes(seed).verifying_key());
    // A key in base64 may have a plus in it; its id stands after the name.
    let id = verifier_key.strip_prefix(name).and_then(|rest| rest.get(1..9));
    let typed = Zeroizing::new([[ED25519].as_slice(), seed.as_slice()].concat());
    let encoded = Zeroizing::new(STANDARD.encode(typed.as_slice()));
    let text = Zeroizing::new(format!(
        "PRIVATE+KEY+{name}+{}+{}",
        id.unwrap_or_default(),
        encoded.as_str()
    ));
    let signer = StandardSigner::new(&text).map_err(|_| LogKeyError::Name)?;
    Ok((signer, verifier_key))
}

#[cfg(test)]
mod tests {
    use hubkeep_core::random::SystemRandom;
    use signed_note::{StandardVerifier, VerifierList};

    use super::*;

    fn identity() -> Identity {
        Identity {
            deployment: "test".to_owned(),
            service: "crm-service",
            instance: "here".to_owned(),
        }
    }

    #[test]
    fn a_key_is_made_once_and_signs_what_its_public_half_verifies() {
        let folder = tempfile::tempdir().expect("a folder");
        let random = SystemRandom::shared();
        // Of so many keys some have a plus in their base64.
        for number in 0..20 {
            let file = folder.path().join(format!("keys/{number}"));
            make(&file, &*random).expect("made");
            assert!(matches!(make(&file, &*random), Err(LogKeyError::NotMade { .. })));
            let keys = LogKeys::read(&identity(), &[&file]).expect("reads");
            let note = keys.sign(b"a text\n").expect("a note");
            let verifier = StandardVerifier::new(&keys.verifier_keys()[0]).expect("a key");
            let known = VerifierList::new(vec![Box::new(verifier)]);
            let read = Note::from_bytes(note.as_bytes()).expect("a note");
            assert_eq!(read.verify(&known).expect("verifies").0.len(), 1);
        }
    }

    #[test]
    fn a_file_that_is_no_key_or_is_open_to_others_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key");
        for (bytes, mode) in [
            (vec![7_u8; 32], 0o400),
            (vec![1, 2, 3], 0o400),
            ((0..33).collect(), 0o400),
            ((0..32).collect(), 0o440),
        ] {
            std::fs::write(&file, &bytes).expect("written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            LogKeys::read(&identity(), &[&file]).expect_err("refused");
            std::fs::remove_file(&file).expect("removed");
        }
        LogKeys::read(&identity(), &[&file]).expect_err("not there");
    }
}
