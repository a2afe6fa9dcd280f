//! The key-encryption keys that a service was started with, by version: one wraps, all unwrap what they wrapped.

use std::{collections::BTreeMap, sync::Arc};

use hubkeep_core::{clock::SharedClock, random::Random};
use thiserror::Error;

use crate::{
    config::{Config, KekConfig},
    error::Error,
    kek::Kek,
    remote::RemoteError,
    sources::{AwsKekConfig, FileKek, FileKekError, GcpKekConfig, VaultKek},
};

/// The key-encryption keys cannot be used as they are configured.
#[derive(Debug, Error)]
pub enum KeksError {
    /// A key file cannot be used.
    #[error(transparent)]
    File(#[from] FileKekError),
    /// A key service cannot be addressed.
    #[error("version {version} of the key-encryption key cannot be used")]
    Remote {
        /// The version.
        version: u32,
        /// Why.
        source: RemoteError,
    },
    /// This program was built without what it takes to speak to that key service.
    #[error("version {version} of the key-encryption key needs a build with the feature {feature}")]
    NotBuilt {
        /// The version.
        version: u32,
        /// The feature.
        feature: &'static str,
    },
    /// Two versions are one key: then a rotation would change nothing.
    #[error("versions {0} and {1} of the key-encryption key are the same key")]
    SameKey(u32, u32),
    /// The version that wraps is not among those that can be used.
    #[error("there is no version {0} of the key-encryption key: name it under [keys]")]
    NoSuchVersion(u32),
    /// The version does not lie in a file, so there is no file to make.
    #[error("version {0} of the key-encryption key lies in a key service: make it there")]
    NotInAFile(u32),
    /// No version is named.
    #[error("no key-encryption key is named under [keys]")]
    None,
}

/// The key-encryption keys of one service.
#[derive(Clone, Debug)]
pub struct Keks {
    current: Versioned,
    oldest_accepted: u32,
    versions: BTreeMap<u32, Arc<dyn Kek>>,
}

/// One version of the key-encryption key.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// Its number, from 1.
    pub version: u32,
    /// The key.
    pub kek: Arc<dyn Kek>,
}

impl Keks {
    /// One key, as version 1.
    pub fn single(kek: Arc<dyn Kek>) -> Self {
        Self {
            current: Versioned {
                version: 1,
                kek: Arc::clone(&kek),
            },
            oldest_accepted: 1,
            versions: BTreeMap::from([(1, kek)]),
        }
    }

    /// These versions, of which `current` wraps, and none older than `oldest_accepted` is used.
    ///
    /// # Errors
    /// If there is no such current version, or two versions are the same key.
    pub fn new(
        mut versions: BTreeMap<u32, Arc<dyn Kek>>,
        current: u32,
        oldest_accepted: u32,
    ) -> Result<Self, KeksError> {
        versions.retain(|version, _| *version >= oldest_accepted);
        let kek = versions.get(&current).ok_or(KeksError::NoSuchVersion(current))?;
        let current = Versioned {
            version: current,
            kek: Arc::clone(kek),
        };
        let mut ids = BTreeMap::new();
        for (version, kek) in &versions {
            if let Some(first) = ids.insert(kek.id(), *version) {
                return Err(KeksError::SameKey(first, *version));
            }
        }
        Ok(Self {
            current,
            oldest_accepted,
            versions,
        })
    }

    /// Opens what the configuration names. Key services are not asked anything yet.
    ///
    /// # Errors
    /// If a key file cannot be used, a key service not be addressed, or the versions do not fit together.
    pub async fn open(config: &Config, clock: &SharedClock) -> Result<Self, KeksError> {
        let mut versions = BTreeMap::new();
        for (version, kek) in config.versions() {
            versions.insert(version, open_one(version, &kek, clock).await?);
        }
        let current = config.current().ok_or(KeksError::None)?;
        Self::new(versions, current, config.oldest_accepted_version)
    }

    /// The version that wraps.
    pub const fn current(&self) -> &Versioned {
        &self.current
    }

    /// The oldest version that may still have wrapped a key.
    pub const fn oldest_accepted(&self) -> u32 {
        self.oldest_accepted
    }

    /// All versions, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = Versioned> + '_ {
        self.versions.iter().map(|(version, kek)| Versioned {
            version: *version,
            kek: Arc::clone(kek),
        })
    }

    /// The key that wrapped a key, by what stands beside it.
    pub(crate) fn that_wrapped(
        &self,
        key_id: &str,
        kek_id: &str,
        kek_version: u32,
    ) -> Result<&Arc<dyn Kek>, Error> {
        let kek = self.versions.get(&kek_version).ok_or_else(|| Error::KekVersion {
            key_id: key_id.to_owned(),
            version: kek_version,
            oldest_accepted: self.oldest_accepted,
        })?;
        if kek.id() == kek_id {
            return Ok(kek);
        }
        Err(Error::OtherKek {
            key_id: key_id.to_owned(),
            wrapped_by: kek_id.to_owned(),
            present: kek.id().to_owned(),
        })
    }
}

async fn open_one(version: u32, config: &KekConfig, clock: &SharedClock) -> Result<Arc<dyn Kek>, KeksError> {
    let remote = |source| KeksError::Remote { version, source };
    if let Some(file) = &config.file {
        return Ok(Arc::new(FileKek::open(file)?));
    }
    if let Some(vault) = &config.vault {
        return Ok(Arc::new(VaultKek::new(vault).map_err(remote)?));
    }
    if let Some(aws) = &config.aws {
        return open_aws(version, aws).await;
    }
    if let Some(gcp) = &config.gcp {
        return open_gcp(version, gcp, clock);
    }
    Err(KeksError::NoSuchVersion(version))
}

#[cfg(feature = "aws")]
async fn open_aws(version: u32, config: &AwsKekConfig) -> Result<Arc<dyn Kek>, KeksError> {
    let kek = crate::sources::AwsKek::new(config).await;
    Ok(Arc::new(
        kek.map_err(|source| KeksError::Remote { version, source })?,
    ))
}

#[cfg(not(feature = "aws"))]
async fn open_aws(version: u32, _: &AwsKekConfig) -> Result<Arc<dyn Kek>, KeksError> {
    Err(KeksError::NotBuilt {
        version,
        feature: "aws",
    })
}

#[cfg(feature = "gcp")]
fn open_gcp(version: u32, config: &GcpKekConfig, clock: &SharedClock) -> Result<Arc<dyn Kek>, KeksError> {
    let kek = crate::sources::GcpKek::new(config, Arc::clone(clock));
    Ok(Arc::new(
        kek.map_err(|source| KeksError::Remote { version, source })?,
    ))
}

#[cfg(not(feature = "gcp"))]
fn open_gcp(version: u32, _: &GcpKekConfig, _: &SharedClock) -> Result<Arc<dyn Kek>, KeksError> {
    Err(KeksError::NotBuilt {
        version,
        feature: "gcp",
    })
}

/// Makes the key file of a version, the current one unless another is named, and says where it is. Never overwrites
/// one.
///
/// # Errors
/// If it is there already, cannot be made, or the version does not lie in a file.
pub fn create_file(
    config: &Config,
    version: Option<u32>,
    random: &dyn Random,
) -> Result<std::path::PathBuf, KeksError> {
    let version = version.or_else(|| config.current()).ok_or(KeksError::None)?;
    if !config.versions().contains_key(&version) {
        return Err(KeksError::NoSuchVersion(version));
    }
    let file = config.file_of(version).ok_or(KeksError::NotInAFile(version))?;
    FileKek::create(&file, random)?;
    Ok(file)
}

/// Makes the key file of a version where there is none; a version that does not lie in a file is left alone.
///
/// # Errors
/// If it cannot be made, or the one that is there cannot be used.
pub fn create_file_if_missing(
    config: &Config,
    version: Option<u32>,
    random: &dyn Random,
) -> Result<(), KeksError> {
    let version = version.or_else(|| config.current()).ok_or(KeksError::None)?;
    if let Some(file) = config.file_of(version) {
        FileKek::open_or_create(&file, random)?;
    }
    Ok(())
}
