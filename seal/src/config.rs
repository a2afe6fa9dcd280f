//! Which key-encryption keys there are, and which of them is the current one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

use crate::sources::{AwsKekConfig, GcpKekConfig, VaultKekConfig};

/// The longest time for which an unwrapped key may be used without the key-encryption key.
const LONGEST_CACHED: Duration = Duration::from_secs(60 * 60);

/// The key-encryption keys of one service. Each service has its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// A file of exactly 32 raw bytes and mode 0400: version 1, unless `kek` names another version 1. Empty for none.
    pub kek_file: PathBuf,
    /// The version that wraps new keys, and to which `keys rotate` brings the others. 0 for the highest there is.
    pub current_version: u32,
    /// Keys that older versions wrapped are refused, and those versions are not even opened.
    pub oldest_accepted_version: u32,
    /// How long an unwrapped key may be used before the key-encryption key is asked again: what a service can do
    /// while its key service is down. 15 min unless set; 60 min at most.
    #[serde(with = "humantime_serde")]
    pub cached_for: Duration,
    /// Further versions, each in a place of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kek: Vec<KekConfig>,
}

/// One version of the key-encryption key. Exactly one of the places is named.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KekConfig {
    /// Its number, from 1: the operator's own count, over all places.
    pub version: u32,
    /// In a file of exactly 32 raw bytes and mode 0400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// In the transit engine of Vault or OpenBao.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultKekConfig>,
    /// In AWS KMS. Needs a build with the feature `aws`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsKekConfig>,
    /// In Google Cloud KMS. Needs a build with the feature `gcp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gcp: Option<GcpKekConfig>,
}

impl Config {
    /// In which kinds of places the versions are: "a file", "Vault".
    pub fn places(&self) -> Vec<&'static str> {
        let mut places = Vec::new();
        if !self.kek_file.as_os_str().is_empty() {
            places.push("a file");
        }
        for kek in &self.kek {
            let kinds = [
                (kek.file.is_some(), "a file"),
                (kek.vault.is_some(), "Vault"),
                (kek.aws.is_some(), "AWS KMS"),
                (kek.gcp.is_some(), "Google Cloud KMS"),
            ];
            let named = kinds.into_iter().filter(|(is, _)| *is).map(|(_, name)| name);
            places.extend(named.filter(|name| !places.contains(name)).collect::<Vec<_>>());
        }
        places
    }

    /// One file, and nothing else said.
    pub fn file(kek_file: impl Into<PathBuf>) -> Self {
        Self {
            kek_file: kek_file.into(),
            ..Self::default()
        }
    }

    /// All versions that may be used: those that are named, and the one in `kek_file`.
    pub(crate) fn versions(&self) -> BTreeMap<u32, KekConfig> {
        let first = KekConfig::in_file(1, &self.kek_file);
        let first = (!self.kek_file.as_os_str().is_empty()).then_some(first);
        first
            .into_iter()
            .chain(self.kek.iter().cloned())
            .map(|kek| (kek.version, kek))
            .filter(|(version, _)| *version >= self.oldest_accepted_version)
            .collect()
    }

    /// The version that wraps; `None` if there is none at all.
    pub(crate) fn current(&self) -> Option<u32> {
        match self.current_version {
            0 => self.versions().into_keys().next_back(),
            version => Some(version),
        }
    }

    /// The file of a version; `None` if it lies elsewhere or is not named.
    pub(crate) fn file_of(&self, version: u32) -> Option<PathBuf> {
        self.versions().remove(&version)?.file
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kek_file: PathBuf::from("hubkeep-data/service.kek"),
            current_version: 0,
            oldest_accepted_version: 1,
            cached_for: Duration::from_secs(15 * 60),
            kek: Vec::new(),
        }
    }
}

impl KekConfig {
    /// A version that lies in a file.
    pub fn in_file(version: u32, file: &Path) -> Self {
        Self {
            version,
            file: Some(file.to_owned()),
            ..Self::default()
        }
    }

    /// How many places are named.
    fn places(&self) -> usize {
        let named = [
            self.file.is_some(),
            self.vault.is_some(),
            self.aws.is_some(),
            self.gcp.is_some(),
        ];
        named.into_iter().filter(|named| *named).count()
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if self.cached_for.is_zero() || self.cached_for > LONGEST_CACHED {
            faults.push(Fault::new(
                "keys.cached_for",
                "must be more than 0, and 60min at most",
            ));
        }
        for kek in &self.kek {
            if kek.version == 0 {
                faults.push(Fault::new("keys.kek.version", "must be 1 or more"));
            }
            if kek.places() != 1 {
                let problem = format!(
                    "version {} must name one place: file, vault, aws or gcp",
                    kek.version
                );
                faults.push(Fault::new("keys.kek", problem));
            }
            if let Some(vault) = &kek.vault {
                vault.validate(faults);
            }
            if let Some(aws) = &kek.aws {
                aws.validate(faults);
            }
            if let Some(gcp) = &kek.gcp {
                gcp.validate(faults);
            }
            let same = self.kek.iter().filter(|other| other.version == kek.version);
            if same.count() > 1 {
                let problem = format!("version {} stands twice", kek.version);
                faults.push(Fault::new("keys.kek.version", problem));
            }
        }
        match self.current() {
            Some(current) if !self.versions().contains_key(&current) => faults.push(Fault::new(
                "keys.current_version",
                format!("there is no version {current}, or it is older than keys.oldest_accepted_version"),
            )),
            None => faults.push(Fault::new("keys", "no key-encryption key is named: set kek_file")),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second() -> KekConfig {
        KekConfig::in_file(2, Path::new("b"))
    }

    fn faults(config: &Config) -> Vec<String> {
        let mut faults = Vec::new();
        config.validate(&mut faults);
        faults.into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn the_highest_version_is_the_current_one_unless_another_is_named() {
        let mut config = Config::file("a");
        assert_eq!(config.current(), Some(1));
        config.kek = vec![second()];
        assert_eq!((config.current(), faults(&config).len()), (Some(2), 0));
        config.current_version = 1;
        assert_eq!((config.current(), faults(&config).len()), (Some(1), 0));
    }

    #[test]
    fn a_version_that_is_not_accepted_is_not_even_looked_for() {
        let mut config = Config::file("a");
        config.kek = vec![second()];
        config.oldest_accepted_version = 2;
        assert_eq!(config.versions().into_keys().collect::<Vec<_>>(), [2]);
        config.current_version = 1;
        assert_eq!(faults(&config), ["keys.current_version"]);
    }

    #[test]
    fn what_cannot_be_is_a_fault() {
        let mut config = Config::file("");
        assert_eq!(faults(&config), ["keys"]);
        config.kek = vec![
            second(),
            second(),
            KekConfig {
                version: 3,
                ..KekConfig::default()
            },
            KekConfig {
                version: 0,
                ..second()
            },
        ];
        config.cached_for = Duration::from_secs(3_601);
        let found = faults(&config);
        for key in ["keys.cached_for", "keys.kek", "keys.kek.version"] {
            assert!(found.iter().any(|fault| fault == key), "{key} in {found:?}");
        }
    }
}
