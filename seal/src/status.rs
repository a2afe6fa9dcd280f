//! Which version of the key-encryption key wrapped how many keys, and whether each version can be used.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    error::Error,
    kek::{Kek, KekError},
    key::Key,
    keyring::Keyring,
    store,
};

/// Associated data of a key that is wrapped only to see whether that works.
const PROBE: &[u8] = b"hubkeep/1/probe";
/// Other associated data, with which it must not open.
const ELSEWHERE: &[u8] = b"hubkeep/1/elsewhere";

/// The key-encryption keys of a service, and what they wrapped.
#[derive(Debug)]
pub struct Status {
    /// The version that wraps.
    pub current_version: u32,
    /// The oldest version that is accepted.
    pub oldest_accepted_version: u32,
    /// How long an unwrapped key may be used.
    pub cached_for: Duration,
    /// The unwrapped keys that are in memory.
    pub cached_keys: u64,
    /// Every version that is configured, or that a key in the table names; the oldest first.
    pub versions: Vec<VersionStatus>,
}

/// One version of the key-encryption key.
#[derive(Debug)]
pub struct VersionStatus {
    /// Its number.
    pub version: u32,
    /// The public name of the key; `None` if the version is not configured, or no longer accepted.
    pub kek_id: Option<String>,
    /// The keys in the table that name it.
    pub keys: u64,
    /// Whether it can be used.
    pub probe: Probe,
}

/// Whether a key-encryption key can be used.
#[derive(Debug)]
pub enum Probe {
    /// Nobody asked.
    NotAsked,
    /// It wrapped a key and unwrapped it again, at its own place only.
    Usable,
    /// It did not.
    Failed(KekError),
}

impl Keyring {
    /// The versions, and the keys that each wrapped. With `probe` each is asked to wrap a key and to unwrap it.
    ///
    /// # Errors
    /// If the table does not answer. A key-encryption key that fails is part of the answer.
    pub async fn status(&self, probe: bool) -> Result<Status, Error> {
        let shared = &self.0;
        let mut versions: BTreeMap<u32, VersionStatus> = BTreeMap::new();
        for count in store::count_by_version(&shared.database).await? {
            let status = versions
                .entry(count.version)
                .or_insert_with(|| unknown(count.version));
            status.keys = count.keys;
        }
        for versioned in shared.keks.all() {
            let status = versions
                .entry(versioned.version)
                .or_insert_with(|| unknown(versioned.version));
            status.kek_id = Some(versioned.kek.id().to_owned());
            if probe {
                status.probe = self.probe(&*versioned.kek).await?;
            }
        }
        Ok(Status {
            current_version: shared.keks.current().version,
            oldest_accepted_version: shared.keks.oldest_accepted(),
            cached_for: shared.cached_for,
            cached_keys: u64::try_from(self.cached_count()).unwrap_or(u64::MAX),
            versions: versions.into_values().collect(),
        })
    }

    async fn probe(&self, kek: &dyn Kek) -> Result<Probe, Error> {
        let key = Key::make(self.random())?;
        let wrapped = match kek.wrap(key.bytes(), PROBE, self.random()).await {
            Ok(wrapped) => wrapped,
            Err(error) => return Ok(Probe::Failed(error)),
        };
        let unwrapped = match kek.unwrap(&wrapped, PROBE).await {
            Ok(unwrapped) => unwrapped,
            Err(error) => return Ok(Probe::Failed(error)),
        };
        if *unwrapped != *key.bytes() {
            return Ok(Probe::Failed(KekError::Refused));
        }
        // A key of the wrong type opens at any place, and is no use: rows could be exchanged.
        match kek.unwrap(&wrapped, ELSEWHERE).await {
            Err(KekError::Refused) => Ok(Probe::Usable),
            Err(error) => Ok(Probe::Failed(error)),
            Ok(_) => Ok(Probe::Failed(KekError::Unbound)),
        }
    }
}

const fn unknown(version: u32) -> VersionStatus {
    VersionStatus {
        version,
        kek_id: None,
        keys: 0,
        probe: Probe::NotAsked,
    }
}
