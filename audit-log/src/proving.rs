//! Proofs as the users of a log see them, and how their making begins.

use std::{path::PathBuf, sync::Arc};

use hubkeep_core::{
    clock::SharedClock,
    random::{Random, SharedRandom},
};

use crate::{
    AuditLog, Config, Error, Identity,
    opened::pool,
    proofs::{
        Checkpoint, Consistency, Head, Inclusion, LogKeyError, LogKeys, Named, Proofs, Prover, Which,
        make_key,
    },
    store::{Reader, Scan},
};

/// Connections of the work in the background: a transaction, and a reader beside it.
const CONNECTIONS: u32 = 2;

impl AuditLog {
    /// The checkpoint of a log with this size, or its newest.
    ///
    /// # Errors
    /// If there is none ([`proofs::Error::Unknown`](crate::proofs::Error::Unknown)), or what is stored is not what was
    /// signed ([`Damaged`](crate::proofs::Error::Damaged)).
    pub async fn checkpoint(&self, log: &str, size: Option<u64>) -> Result<Checkpoint, Error> {
        Ok(self.proofs().checkpoint(log, size).await?)
    }

    /// The keys that have signed checkpoints of this service, oldest first, as C2SP verifier keys.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn verifier_keys(&self) -> Result<Vec<String>, Error> {
        Ok(self.proofs().verifier_keys().await?)
    }

    /// The proof that an entry is in a log as the checkpoint of this size, or the newest, states it.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint), and if the entry is not covered by the checkpoint.
    pub async fn inclusion(&self, log: &str, which: Which, size: Option<u64>) -> Result<Inclusion, Error> {
        Ok(self.proofs().inclusion(log, which, size).await?)
    }

    /// The proof that the checkpoint of this size, or the newest, only adds to the one of `old` entries.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint), and if `old` is the larger.
    pub async fn consistency(&self, log: &str, old: u64, size: Option<u64>) -> Result<Consistency, Error> {
        Ok(self.proofs().consistency(log, old, size).await?)
    }

    /// The roots of the whole subtrees that the first leaves of a checkpoint make up, the largest first; none where the checkpoint
    /// is smaller.
    ///
    /// # Errors
    /// If what is stored is not what was signed.
    pub(crate) async fn front(&self, checkpoint: &Checkpoint, leaves: u64) -> Result<Vec<[u8; 32]>, Error> {
        Ok(self.proofs().front(checkpoint, leaves).await?)
    }

    /// A text as a C2SP signed note, by the key that signs checkpoints; `None` where nothing is signed. The text must end with a
    /// line's end, and its second line be no number: so it is never taken for a checkpoint.
    pub fn sign_note(&self, text: &str) -> Option<String> {
        let second = text.lines().nth(1)?;
        let is_checkpoint = second.bytes().all(|byte| byte.is_ascii_digit());
        if is_checkpoint {
            None
        } else {
            self.proofs().sign(text)
        }
    }

    /// How a log stands in the newest heads; `None` where they do not name it.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub async fn head(&self, log: &str) -> Result<Option<Head>, Error> {
        Ok(self.proofs().head(log).await?)
    }

    /// What heads of this size say of a log: the last leaf that they cover.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint), and if it was not kept what they name.
    pub async fn named(&self, log: &str, heads_size: u64) -> Result<Named, Error> {
        Ok(self.proofs().named(log, heads_size).await?)
    }
}

/// What reads proofs, and what makes them where there is a key.
pub(crate) async fn open(
    config: &Config,
    identity: &Identity,
    reader: &Reader,
    clock: &SharedClock,
    random: &SharedRandom,
) -> Result<(Proofs, Option<Prover>), Error> {
    let read = |keys| Proofs::new(reader.database().clone(), identity.clone(), keys);
    let signed = !read(None).verifier_keys().await?.is_empty();
    let Some(keys) = keys(config, identity, signed, &**random)? else {
        return Ok((read(None), None));
    };
    let keys = Arc::new(keys);
    let proofs = read(Some(Arc::clone(&keys)));
    let database = pool(config, CONNECTIONS).await?;
    let clock = clock.clone();
    let scan = Scan::open(config, &database)?;
    let prover = Prover::new(
        (database, scan),
        keys,
        identity.heads(),
        (config.proofs.clone(), proofs.wanted().clone()),
        clock,
    )
    .await;
    Ok((proofs, Some(prover.map_err(Error::Proofs)?)))
}

/// The keys to sign with; `None` where nothing is signed. `signed` says whether something was before.
fn keys(
    config: &Config,
    identity: &Identity,
    signed: bool,
    random: &dyn Random,
) -> Result<Option<LogKeys>, Error> {
    if !config.proofs.enabled {
        return Ok(None);
    }
    let file = match (&config.proofs.key_file, beside(config)) {
        (Some(file), _) => file.clone(),
        (None, Some(file)) => {
            own(&file, signed, random).map_err(|error| Error::Proofs(error.into()))?;
            file
        }
        (None, None) => {
            tracing::warn!(
                "audit.proofs.key_file is not set: the audit log is not signed, and proves nothing"
            );
            return Ok(None);
        }
    };
    let files = std::iter::once(file.as_path()).chain(config.proofs.old_key_file.as_deref());
    let keys = LogKeys::read(identity, &files.collect::<Vec<_>>());
    Ok(Some(keys.map_err(|error| Error::Proofs(error.into()))?))
}

/// Where the key of a log in a file is, if nothing else is said: beside it.
fn beside(config: &Config) -> Option<PathBuf> {
    let mut path = config.sqlite_file()?.as_os_str().to_owned();
    path.push(".log-key");
    Some(PathBuf::from(path))
}

/// Makes that key before the log is first signed. One that is gone later is a fault, not an occasion.
fn own(file: &std::path::Path, signed: bool, random: &dyn Random) -> Result<(), LogKeyError> {
    match (file.exists(), signed) {
        (true, _) => Ok(()),
        (false, true) => Err(LogKeyError::Lost(file.to_owned())),
        (false, false) => make_key(file, random),
    }
}
